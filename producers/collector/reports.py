"""`POST /v1/events`: a report is answered 204 once all of its events are in Kafka or on disk, and never before."""

import time
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from producers.collector.answers import error, too_many, unavailable
from producers.collector.clients import client_of
from producers.collector.cors import cors, preflight_answer
from producers.collector.rates import RateLimiter
from producers.collector.state import Collector
from producers.envelope_bytes import envelopes_bytes
from producers.intake import (
    MAX_REPORT_BYTES,
    Client,
    RefusedError,
    check_content_type,
    check_sender,
    decoded,
    read_report,
)
from producers.metrics import ANSWER_SECONDS, EVENTS_ACCEPTED, EVENTS_AUTOMATED, RATE_LIMITED, REFUSED, counter_of
from schemas.errors import UnavailableError

PATH = "/v1/events"

_DISCARDED_BYTES = 2**20


async def take_report(collector: Collector, request: Request) -> Response:
    """Take one report, or refuse it and keep it as a dead letter."""
    began_s = time.perf_counter()
    said = {name: value.decode("latin-1") for name, value in request.scope["headers"]}
    origin = said.get(b"origin")
    headers = cors(collector, origin)
    now_ms = collector.now_ms()
    host = request.client.host if request.client else None
    if wait_s := _wait_s(collector.client_rates, "client", host or "", now_ms):
        return too_many(wait_s, {**headers, "connection": "close"})  # the body is not read
    body = await _body(request)
    client = client_of(host, said.get(b"user-agent"))
    try:
        site, visitor_id, envelopes = _read(collector, said, body, client, now_ms)
    except RefusedError as refused:
        return await _refuse(collector, refused, body, now_ms, headers)
    del body  # many wait at once, and what none needs any more should not
    if wait_s := _wait_s(collector.visitor_rates, "visitor", visitor_id, now_ms):
        return too_many(wait_s, headers)
    count = len(envelopes)
    try:
        await collector.bundler.add(collector.slot_of(visitor_id), envelopes)
    except UnavailableError:
        return unavailable(headers)
    _count_accepted(site, count, client)
    ANSWER_SECONDS.observe(time.perf_counter() - began_s)
    return Response(status_code=204, headers=headers)


def _read(
    collector: Collector, said: Mapping[bytes, str], body: bytes, client: Client, now_ms: int
) -> tuple[str, str, list[bytes]]:
    """Return a report's site, its visitor and the bytes of its envelopes; the report itself is not kept."""
    check_content_type(said.get(b"content-type"))
    report = read_report(decoded(body, said.get(b"content-encoding")))
    check_sender(report, said.get(b"origin"), collector.settings.sites)
    return report.site, report.visitor_id, envelopes_bytes(report, now_ms, collector.settings, client)


def _count_accepted(site: str, events: int, client: Client) -> None:
    counter_of(EVENTS_ACCEPTED, site).inc(events)
    if client.automated:
        EVENTS_AUTOMATED.inc(events)


def _wait_s(rates: RateLimiter, kind: str, key: str, now_ms: int) -> int:
    wait_s = rates.wait_s(key, now_ms / 1000)
    if wait_s:
        RATE_LIMITED.labels(kind).inc()
    return wait_s


async def preflight(collector: Collector, request: Request) -> Response:
    """Tell a browser whether a page of this origin may report."""
    return preflight_answer(collector, request, "POST", "content-type, content-encoding")


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


async def _body(request: Request) -> bytes:
    """Read the body up to a byte more than is allowed; of the rest, discard so much that most senders see the answer.

    How long it may take is the connection's to bound.

    Raises:
        HTTPException: 400, the sender hung up, or was cut off.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            if size <= MAX_REPORT_BYTES:
                chunks.append(chunk)
            size += len(chunk)
            if size > _DISCARDED_BYTES:
                break
    except ClientDisconnect as gone:
        raise HTTPException(400, "the report is incomplete") from gone
    return b"".join(chunks)[: MAX_REPORT_BYTES + 1]
