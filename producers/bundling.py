"""Many visitors' envelopes in one Kafka message: per partition, at most one bundle each linger interval.

The first envelope after a quiet interval leaves at once, so at low traffic nothing waits. The bundles of all partitions
leave together, so that one request takes them to Kafka.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Self, TypeVar

import structlog

from schemas.envelope import Envelope
from schemas.errors import ReadbriefError

MAX_ENVELOPES = 500
MAX_BYTES = 400_000

_log = structlog.get_logger()

Slot = TypeVar("Slot", bound=Hashable)


class Envelopes(NamedTuple):
    """Envelopes as they stand in a bundle: JSON, with commas between them, and how many."""

    data: bytes
    number: int

    @classmethod
    def of(cls, envelopes: Sequence[bytes]) -> Self:
        """Put envelopes that are JSON already side by side."""
        return cls(b",".join(envelopes), len(envelopes))


def bundle_bytes(parts: Sequence[bytes]) -> bytes:
    """Return the bytes of a `Bundle` of envelopes that are JSON already, one or several in a part."""
    return b'{"v":1,"envelopes":[' + b",".join(parts) + b"]}"


def envelope_bytes(envelope: Envelope) -> bytes:
    """Return one envelope as it stands in a bundle."""
    return envelope.model_dump_json(exclude_none=True).encode()


@dataclass
class _Bundle:
    parts: list[bytes] = field(default_factory=list)
    count: int = 0
    size: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def settle(self, problem: BaseException | None) -> None:
        """Tell those who wait; some may have hung up, which takes nothing away from the others."""
        for each in self.waiting:
            if each.done():
                continue
            if problem is None:
                each.set_result(None)
            else:
                each.set_exception(problem)


class Bundler(Generic[Slot]):
    """Collects envelopes per slot, such as a partition; sends the bundles and tells when they are kept for good.

    Belongs to one event loop. `send` takes a slot and a bundle's bytes, and must not block.
    """

    def __init__(
        self,
        send: Callable[[Slot, bytes], asyncio.Future[Any]],
        linger_s: float,
        *,
        max_envelopes: int = MAX_ENVELOPES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Start empty; `linger_s` is the least time between two bundles of one slot that are not full."""
        self._send = send
        self._linger_s = linger_s
        self._max_envelopes = max_envelopes
        self._max_bytes = max_bytes
        self._open: dict[Slot, _Bundle] = {}
        self._sent_at_s = float("-inf")
        self._due: asyncio.TimerHandle | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def add(self, slot: Slot, envelopes: Envelopes) -> asyncio.Future[None]:
        """Put envelopes, which stay together, into a bundle; the future is done once it is kept for good.

        It fails with UnavailableError if it was not kept.
        """
        size = len(envelopes.data) + 1
        bundle = self._open.get(slot)
        if bundle is not None and not self._fits(bundle, envelopes.number, size):
            self._dispatch(slot, bundle)
            bundle = None
        if bundle is None:
            bundle = self._begin(slot)
        bundle.parts.append(envelopes.data)
        bundle.count += envelopes.number
        bundle.size += size
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        bundle.waiting.append(kept)
        return kept

    async def drain(self) -> None:
        """Send what is open and return when every bundle is acknowledged or has failed."""
        self._dispatch_all()
        while self._under_way:
            await asyncio.wait(tuple(self._under_way))

    def _fits(self, bundle: _Bundle, count: int, size: int) -> bool:
        return bundle.count + count <= self._max_envelopes and bundle.size + size <= self._max_bytes

    def _begin(self, slot: Slot) -> _Bundle:
        bundle = self._open[slot] = _Bundle()
        if self._due is None:
            loop = asyncio.get_running_loop()
            self._due = loop.call_at(max(self._sent_at_s + self._linger_s, loop.time()), self._dispatch_all)
        return bundle

    def _dispatch_all(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._sent_at_s = asyncio.get_running_loop().time()
        for slot, bundle in tuple(self._open.items()):
            self._dispatch(slot, bundle)

    def _dispatch(self, slot: Slot, bundle: _Bundle) -> None:
        del self._open[slot]
        task = asyncio.ensure_future(self._deliver(slot, bundle))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, slot: Slot, bundle: _Bundle) -> None:
        try:
            await self._send(slot, bundle_bytes(bundle.parts))
        except ReadbriefError as error:
            _log.warning("bundle_refused", slot=slot, envelopes=bundle.count, problem=str(error))
            bundle.settle(error)
        except Exception as error:  # whatever it was, those who wait must hear of it
            bundle.settle(error)
            raise
        else:
            bundle.settle(None)
