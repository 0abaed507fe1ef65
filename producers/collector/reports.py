"""`POST /v1/events`: a report is answered 204 once all of its events are in Kafka or on disk, and never before.

It is an application of its own: building a request and a response around it would cost as much as reading the report.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple, Self

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from producers.bundling import Envelopes
from producers.collector.answers import Prepared, SafeHeaders, error, too_many, unavailable
from producers.collector.bodies import read_body
from producers.collector.clients import client_of
from producers.collector.cors import cors, preflight_answer
from producers.collector.rates import RateLimiter
from producers.collector.state import Collector
from producers.content_encoding import unpacked
from producers.envelope_bytes import envelopes_bytes
from producers.intake import MAX_REPORT_BYTES, Client, check_content_type, check_sender, read_report
from producers.metrics import ANSWER_SECONDS, EVENTS_ACCEPTED, EVENTS_AUTOMATED, RATE_LIMITED, REFUSED, counter_of
from producers.refusal import RefusedError
from schemas.errors import UnavailableError

PATH = "/v1/events"

_HEADERS = (b"origin", b"user-agent", b"content-type", b"content-encoding")


class ReportTaking:
    """Takes reports; an ASGI application."""

    def __init__(self, collector: Collector) -> None:
        """Take what to work with."""
        self._collector = collector
        self._accepted = {
            origin: Prepared(status=204, headers=cors(collector, origin)) for origin in (None, *collector.origins)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one report, or refuse it and keep it as a dead letter."""
        answer = await self._take(scope, receive)
        if isinstance(answer, Prepared):
            await answer.give(scope, send)
        else:
            await SafeHeaders(answer)(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive) -> Prepared | Response:
        began_s = time.perf_counter()
        collector = self._collector
        said = _Said.by(scope["headers"])
        now_ms = collector.now_ms()
        host = scope["client"][0] if scope["client"] else None
        if wait_s := _wait_s(collector.client_rates, "client", host or "", now_ms):
            # The body is not read.
            return too_many(wait_s, {**cors(collector, said.origin), "connection": "close"})
        try:
            body = await read_body(receive, MAX_REPORT_BYTES)
        except HTTPException as gone:
            return error(gone.status_code, gone.detail)
        client = client_of(host, said.user_agent)
        try:
            site, visitor_id, envelopes = _read(collector, said, body, client, now_ms)
        except RefusedError as refused:
            return await _refuse(collector, refused, body, now_ms, cors(collector, said.origin))
        del body  # many wait at once, and what none needs any more should not
        if wait_s := _wait_s(collector.visitor_rates, "visitor", visitor_id, now_ms):
            return too_many(wait_s, cors(collector, said.origin))
        count = envelopes.number
        try:
            await collector.bundler.add(collector.slot_of(visitor_id), envelopes)
        except UnavailableError:
            return unavailable(cors(collector, said.origin))
        _count_accepted(site, count, client)
        ANSWER_SECONDS.observe(time.perf_counter() - began_s)
        return self._accepted[said.origin]


class _Said(NamedTuple):
    """What the headers of a request say that matters here."""

    origin: str | None
    user_agent: str | None
    content_type: str | None
    content_encoding: str | None

    @classmethod
    def by(cls, headers: Iterable[tuple[bytes, bytes]]) -> Self:
        values = dict(headers)
        return cls(*[None if (value := values.get(name)) is None else value.decode("latin-1") for name in _HEADERS])


def _read(collector: Collector, said: _Said, body: bytes, client: Client, now_ms: int) -> tuple[str, str, Envelopes]:
    """Return a report's site, its visitor and the bytes of its envelopes; the report itself is not kept."""
    check_content_type(said.content_type)
    report = read_report(unpacked(body, said.content_encoding, MAX_REPORT_BYTES))
    check_sender(report, said.origin, collector.settings.sites)
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
