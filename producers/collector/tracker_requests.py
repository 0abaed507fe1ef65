"""Requests of other trackers: which browsers may send them, and how what they came to is kept."""

import asyncio
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from producers.bundling import Envelopes, envelope_bytes
from producers.collector.answers import TOO_MANY
from producers.collector.clients import client_of
from producers.collector.cors import cors, preflight_answer
from producers.collector.state import Collector
from producers.metrics import RATE_LIMITED
from producers.translation import Translated
from schemas.addresses import ADDRESS_PURPOSE
from schemas.envelope import Envelope

_CHUNK_BYTES = 200_000
_BROWSER_HEADERS = {"origin", "sec-fetch-mode"}


class Arrival(NamedTuple):
    """The origin of the page that sent a request, the headers that let it read the answer, and when it came."""

    origin: str | None
    headers: dict[str, str]
    now_ms: int


async def preflight(collector: Collector, request: Request) -> Response:
    """Tell a browser whether a page of this origin may send to another tracker's paths."""
    return preflight_answer(collector, request, "POST, GET", "content-type, authorization, sp-anonymous")


def arrival(collector: Collector, request: Request) -> Arrival:
    """Take note of a request before its body is read.

    Raises:
        HTTPException: 429, the client sends too much.
    """
    origin = request.headers.get("origin")
    headers = cors(collector, origin)
    now_ms = collector.now_ms()
    wait_s = collector.client_rates.wait_s(request.client.host if request.client else "", now_ms / 1000)
    if wait_s:
        RATE_LIMITED.labels("client").inc()
        raise HTTPException(429, TOO_MANY, {**headers, "connection": "close", "retry-after": str(wait_s)})
    return Arrival(origin, headers, now_ms)


def with_client(envelopes: Iterable[Envelope], request: Request) -> tuple[Envelope, ...]:
    """Return envelopes with what is kept of a browser that sent them; a server's address says nothing of a reader."""
    if not _BROWSER_HEADERS & set(request.headers):
        return tuple(envelopes)
    client = client_of(request.client.host if request.client else None, request.headers.get("user-agent"))
    marks = {"client_network": client.network, "automated": client.automated}
    return tuple(envelope.model_copy(update=marks) for envelope in envelopes)


async def keep(collector: Collector, request: Request, path: str, translated: Translated, now_ms: int) -> None:
    """Return once every event is stored, and a dead letter of everything that can't be used.

    Raises:
        UnavailableError: some of it was not stored.
    """
    by_slot: dict[Hashable, list[bytes]] = defaultdict(list)
    for envelope in with_client(translated.envelopes, request):
        by_slot[collector.slot_of(envelope.visitor_id)].append(envelope_bytes(envelope))
    await asyncio.gather(
        *(
            collector.bundler.add(slot, Envelopes.of(chunk))
            for slot, envelopes in by_slot.items()
            for chunk in _chunks(envelopes)
        ),
        *(collector.dead_letters.keep(path, one.error, one.payload, now_ms) for one in translated.refused),
    )


def address_key(collector: Collector) -> bytes:
    """Return the key that makes ids of addresses."""
    return collector.settings.signing_key(ADDRESS_PURPOSE)


def _chunks(envelopes: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Split envelopes so that no bundle outgrows a Kafka message."""
    begin = size = 0
    for i, envelope in enumerate(envelopes):
        if size and size + len(envelope) > _CHUNK_BYTES:
            yield envelopes[begin:i]
            begin, size = i, 0
        size += len(envelope)
    yield envelopes[begin:]
