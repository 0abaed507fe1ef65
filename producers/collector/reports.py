"""`POST /v1/events`: a report is answered 204 once all of its events are in Kafka or on disk, and never before.

Most reports come here by the short way of `direct.py`. For the others it is an ASGI application of its own: building a
request and a response around it would cost as much as reading the report.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple, Self

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from producers.bundling import Envelopes
from producers.collector.answers import FAULT, Prepared, error, too_many, unavailable
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

_log = structlog.get_logger()

_HEADERS = (b"origin", b"user-agent", b"content-type", b"content-encoding")


Answering = Callable[[Prepared], None]


class ReportTaking:
    """Takes reports; also an ASGI application."""

    def __init__(self, collector: Collector) -> None:
        """Take what to work with."""
        self._collector = collector
        self._accepted = {
            origin: Prepared(Response(status_code=204, headers=cors(collector, origin)))
            for origin in (None, *collector.origins)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one report, or refuse it and keep it as a dead letter."""
        host = scope["client"][0] if scope["client"] else None
        said = Said.by(scope["headers"])
        answer = self.too_many(said, host)  # if so, the body is not read
        if answer is None:
            try:
                body = await read_body(receive, MAX_REPORT_BYTES)
            except HTTPException as gone:
                answer = Prepared(error(gone.status_code, gone.detail))
            else:
                answered: asyncio.Future[Prepared] = asyncio.get_running_loop().create_future()
                self.take(said, host, body, partial(_settle, answered))
                answer = await answered
        await answer.give(send)

    def too_many(self, said: "Said", host: str | None) -> Prepared | None:
        """Count one request for its client; if that is too many, return what to answer."""
        collector = self._collector
        if wait_s := _wait_s(collector.client_rates, "client", host or "", collector.now_ms()):
            return Prepared(too_many(wait_s, {**cors(collector, said.origin), "connection": "close"}))
        return None

    def take(self, said: "Said", host: str | None, body: bytes, answer: Answering) -> None:
        """Take a report, which is whole or longer than allowed; `answer` is called once, when its fate is known."""
        try:
            self._take(said, client_of(host, said.user_agent), body, answer)
        except Exception as problem:  # noqa: BLE001 - whatever it was, the sender is told
            answer(_fault(problem))

    def _take(self, said: "Said", client: Client, body: bytes, answer: Answering) -> None:
        began_s = time.perf_counter()
        collector = self._collector
        now_ms = collector.now_ms()
        try:
            site, visitor_id, envelopes = _read(collector, said, body, client, now_ms)
        except RefusedError as refused:
            self._refuse(refused, body, now_ms, said, answer)
            return
        if wait_s := _wait_s(collector.visitor_rates, "visitor", visitor_id, now_ms):
            answer(Prepared(too_many(wait_s, cors(collector, said.origin))))
            return
        try:
            kept = collector.bundler.add(collector.slot_of(visitor_id), envelopes)
        except UnavailableError:
            answer(self._unavailable(said))
            return
        count = envelopes.number  # the bytes are the bundle's alone from here on: many wait at once

        def settled(kept: asyncio.Future[None]) -> None:
            problem = kept.exception()
            if problem is not None:
                answer(self._unavailable(said) if isinstance(problem, UnavailableError) else _fault(problem))
                return
            _count_accepted(site, count, client)
            ANSWER_SECONDS.observe(time.perf_counter() - began_s)
            answer(self._accepted[said.origin])

        kept.add_done_callback(settled)

    def _refuse(self, refused: RefusedError, body: bytes, now_ms: int, said: "Said", answer: Answering) -> None:
        async def refuse() -> None:
            try:
                answer(await self._refusal(refused, body, now_ms, said))
            except Exception as problem:  # noqa: BLE001 - whatever it was, the sender is told
                answer(_fault(problem))

        task = asyncio.ensure_future(refuse())
        self._collector.background.add(task)
        task.add_done_callback(self._collector.background.discard)

    async def _refusal(self, refused: RefusedError, body: bytes, now_ms: int, said: "Said") -> Prepared:
        REFUSED.labels(refused.status).inc()
        try:
            await self._collector.dead_letters.keep(PATH, refused, body, now_ms)
        except UnavailableError:
            return self._unavailable(said)  # not even the refusal is on record: the sender had better come again
        headers = cors(self._collector, said.origin)
        if refused.status == 413:  # noqa: PLR2004 - the rest of the body is not wanted
            headers = {**headers, "connection": "close"}
        return Prepared(error(refused.status, refused.message, refused.field, headers))

    def _unavailable(self, said: "Said") -> Prepared:
        return Prepared(unavailable(cors(self._collector, said.origin)))


def _settle(answered: asyncio.Future[Prepared], answer: Prepared) -> None:
    if not answered.done():  # else the sender hung up
        answered.set_result(answer)


def _fault(problem: BaseException) -> Prepared:
    _log.error("request_failed", method="POST", path=PATH, exc_info=problem)
    return Prepared(error(500, FAULT))


class Said(NamedTuple):
    """What the headers of a request say that matters here."""

    origin: str | None
    user_agent: str | None
    content_type: str | None
    content_encoding: str | None

    @classmethod
    def by(cls, headers: Iterable[tuple[bytes, bytes]]) -> Self:
        """Read a request's headers."""
        values = dict(headers)
        return cls(*[None if (value := values.get(name)) is None else value.decode("latin-1") for name in _HEADERS])


def _read(collector: Collector, said: Said, body: bytes, client: Client, now_ms: int) -> tuple[str, str, Envelopes]:
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
