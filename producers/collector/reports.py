"""`POST /v1/events`: a report is answered 204 once Kafka has acknowledged all of its events, and never before."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from producers.bundling import envelope_bytes
from producers.collector.answers import error, unavailable
from producers.collector.state import Collector
from producers.intake import (
    MAX_REPORT_BYTES,
    RefusedError,
    check_content_type,
    check_sender,
    envelopes_of,
    read_report,
)
from schemas.errors import UnavailableError

PATH = "/v1/events"

_BODY_TIMEOUT_S = 10.0
_DISCARDED_BYTES = 2**20
_PREFLIGHT_MAX_AGE_S = 86_400


async def take_report(collector: Collector, request: Request) -> Response:
    """Take one report, or refuse it and keep it as a dead letter."""
    origin = request.headers.get("origin")
    headers = _cors(collector, origin)
    now_ms = collector.now_ms()
    body = await _body(request)
    try:
        check_content_type(request.headers.get("content-type"))
        report = read_report(body)
        check_sender(report, origin, collector.settings.sites)
        envelopes = envelopes_of(report, now_ms, collector.settings)
    except RefusedError as refused:
        return await _refuse(collector, refused, body, now_ms, headers)
    try:
        partition = collector.partition_of(report.visitor_id)
        await collector.bundler.add(partition, [envelope_bytes(envelope) for envelope in envelopes])
    except UnavailableError:
        return unavailable(headers)
    return Response(status_code=204, headers=headers)


async def preflight(collector: Collector, request: Request) -> Response:
    """Tell a browser whether a page of this origin may report."""
    headers = _cors(collector, request.headers.get("origin"))
    if "access-control-allow-origin" not in headers:
        return error(403, "the page's origin is no configured site's", headers=headers)
    allowed = {
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type",
        "access-control-max-age": str(_PREFLIGHT_MAX_AGE_S),
    }
    return Response(status_code=204, headers={**headers, **allowed})


async def _refuse(
    collector: Collector, refused: RefusedError, body: bytes, now_ms: int, headers: dict[str, str]
) -> Response:
    try:
        await collector.dead_letters.keep(PATH, refused, body, now_ms)
    except UnavailableError:
        return unavailable(headers)  # not even the refusal is on record, so the sender had better come again
    if refused.status == 413:  # noqa: PLR2004 - the rest of the body is not wanted
        headers = {**headers, "connection": "close"}
    return error(refused.status, refused.message, refused.field, headers)


def _cors(collector: Collector, origin: str | None) -> dict[str, str]:
    """Let a site's own pages read the answer. Credentials are allowed since `sendBeacon` always asks; none are used."""
    headers = {"vary": "Origin"}
    if origin is not None and any(origin in site.origins for site in collector.settings.sites.values()):
        headers["access-control-allow-origin"] = origin
        headers["access-control-allow-credentials"] = "true"
    return headers


async def _body(request: Request) -> bytes:
    """Read the body up to a byte more than is allowed; of the rest, discard so much that most senders see the answer.

    Raises:
        HTTPException: 408, it took too long; 400, the sender hung up.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_TIMEOUT_S):
            async for chunk in request.stream():
                if size <= MAX_REPORT_BYTES:
                    chunks.append(chunk)
                size += len(chunk)
                if size > _DISCARDED_BYTES:
                    break
    except TimeoutError as late:
        raise HTTPException(408, "the report took too long to arrive", {"connection": "close"}) from late
    except ClientDisconnect as gone:
        raise HTTPException(400, "the report is incomplete") from gone
    return b"".join(chunks)[: MAX_REPORT_BYTES + 1]
