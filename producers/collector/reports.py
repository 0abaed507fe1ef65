"""`POST /v1/events`: a report is answered 204 once all of its events are in Kafka or on disk, and never before."""

import asyncio
import time

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from producers.bundling import envelope_bytes
from producers.collector.answers import error, too_many, unavailable
from producers.collector.clients import client_of
from producers.collector.rates import RateLimiter
from producers.collector.state import Collector
from producers.intake import (
    MAX_REPORT_BYTES,
    RefusedError,
    check_content_type,
    check_sender,
    decoded,
    envelopes_of,
    read_report,
)
from producers.metrics import ANSWER_SECONDS, EVENTS_ACCEPTED, EVENTS_AUTOMATED, RATE_LIMITED, REFUSED
from schemas.errors import UnavailableError

PATH = "/v1/events"

_BODY_TIMEOUT_S = 10.0
_DISCARDED_BYTES = 2**20
_PREFLIGHT_MAX_AGE_S = 86_400


async def take_report(collector: Collector, request: Request) -> Response:
    """Take one report, or refuse it and keep it as a dead letter."""
    began_s = time.perf_counter()
    origin = request.headers.get("origin")
    headers = _cors(collector, origin)
    now_ms = collector.now_ms()
    if wait_s := _wait_s(collector.client_rates, "client", request.client.host if request.client else "", now_ms):
        return too_many(wait_s, {**headers, "connection": "close"})  # the body is not read
    body = await _body(request)
    try:
        check_content_type(request.headers.get("content-type"))
        report = read_report(decoded(body, request.headers.get("content-encoding")))
        check_sender(report, origin, collector.settings.sites)
        client = client_of(request)
        envelopes = envelopes_of(report, now_ms, collector.settings, client)
    except RefusedError as refused:
        return await _refuse(collector, refused, body, now_ms, headers)
    if wait_s := _wait_s(collector.visitor_rates, "visitor", report.visitor_id, now_ms):
        return too_many(wait_s, headers)
    try:
        slot = collector.slot_of(report.visitor_id)
        await collector.bundler.add(slot, [envelope_bytes(envelope) for envelope in envelopes])
    except UnavailableError:
        return unavailable(headers)
    EVENTS_ACCEPTED.labels(report.site).inc(len(envelopes))
    if client.automated:
        EVENTS_AUTOMATED.inc(len(envelopes))
    ANSWER_SECONDS.observe(time.perf_counter() - began_s)
    return Response(status_code=204, headers=headers)


def _wait_s(rates: RateLimiter, kind: str, key: str, now_ms: int) -> int:
    wait_s = rates.wait_s(key, now_ms / 1000)
    if wait_s:
        RATE_LIMITED.labels(kind).inc()
    return wait_s


async def preflight(collector: Collector, request: Request) -> Response:
    """Tell a browser whether a page of this origin may report."""
    headers = _cors(collector, request.headers.get("origin"))
    if "access-control-allow-origin" not in headers:
        return error(403, "the page's origin is no configured site's", headers=headers)
    allowed = {
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type, content-encoding",
        "access-control-max-age": str(_PREFLIGHT_MAX_AGE_S),
    }
    return Response(status_code=204, headers={**headers, **allowed})


async def _refuse(
    collector: Collector, refused: RefusedError, body: bytes, now_ms: int, headers: dict[str, str]
) -> Response:
    REFUSED.labels(refused.status).inc()
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
        REFUSED.labels("408").inc()
        raise HTTPException(408, "the report took too long to arrive", {"connection": "close"}) from late
    except ClientDisconnect as gone:
        raise HTTPException(400, "the report is incomplete") from gone
    return b"".join(chunks)[: MAX_REPORT_BYTES + 1]
