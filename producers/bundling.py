"""Many visitors' envelopes in one Kafka message: per partition, at most one bundle each linger interval.

The first envelope after a quiet interval leaves at once, so at low traffic nothing waits.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import structlog

from schemas.envelope import Envelope
from schemas.errors import ReadbriefError

MAX_ENVELOPES = 500
MAX_BYTES = 400_000

_log = structlog.get_logger()

Send = Callable[[int, bytes], Future[Any]]


def bundle_bytes(envelopes: Sequence[bytes]) -> bytes:
    """Return the bytes of a `Bundle` of envelopes that are JSON already."""
    return b'{"v":1,"envelopes":[' + b",".join(envelopes) + b"]}"


def envelope_bytes(envelope: Envelope) -> bytes:
    """Return one envelope as it stands in a bundle."""
    return envelope.model_dump_json(exclude_none=True).encode()


@dataclass
class _Bundle:
    envelopes: list[bytes] = field(default_factory=list)
    size: int = 0
    acknowledged: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Bundler:
    """Collects envelopes per partition, sends the bundles and tells when Kafka has acknowledged them.

    Belongs to one event loop. `send` takes a partition and a bundle's bytes, and must not block.
    """

    def __init__(
        self, send: Send, linger_s: float, *, max_envelopes: int = MAX_ENVELOPES, max_bytes: int = MAX_BYTES
    ) -> None:
        """Start empty; `linger_s` is the least time between two bundles of one partition."""
        self._send = send
        self._linger_s = linger_s
        self._max_envelopes = max_envelopes
        self._max_bytes = max_bytes
        self._open: dict[int, _Bundle] = {}
        self._sent_at_s: dict[int, float] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    async def add(self, partition: int, envelopes: Sequence[bytes]) -> None:
        """Put envelopes, which stay together, into a bundle, and return once Kafka has acknowledged it.

        Raises:
            UnavailableError: Kafka did not acknowledge it.
        """
        size = sum(map(len, envelopes)) + len(envelopes)
        bundle = self._open.get(partition)
        if bundle is not None and not self._fits(bundle, len(envelopes), size):
            self._dispatch(partition, bundle)
            bundle = None
        if bundle is None:
            bundle = self._begin(partition)
        bundle.envelopes.extend(envelopes)
        bundle.size += size
        # Shielded, because one client hanging up must not take the others' answer away.
        await asyncio.shield(bundle.acknowledged)

    async def drain(self) -> None:
        """Send what is open and return when every bundle is acknowledged or has failed."""
        for partition, bundle in tuple(self._open.items()):
            self._dispatch(partition, bundle)
        while self._under_way:
            await asyncio.wait(tuple(self._under_way))

    def _fits(self, bundle: _Bundle, count: int, size: int) -> bool:
        return len(bundle.envelopes) + count <= self._max_envelopes and bundle.size + size <= self._max_bytes

    def _begin(self, partition: int) -> _Bundle:
        bundle = self._open[partition] = _Bundle()
        loop = asyncio.get_running_loop()
        due_s = self._sent_at_s.get(partition, float("-inf")) + self._linger_s
        loop.call_at(max(due_s, loop.time()), self._dispatch, partition, bundle)
        return bundle

    def _dispatch(self, partition: int, bundle: _Bundle) -> None:
        if self._open.get(partition) is not bundle:
            return  # it was full, and left before its time
        del self._open[partition]
        self._sent_at_s[partition] = asyncio.get_running_loop().time()
        task = asyncio.ensure_future(self._deliver(partition, bundle))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, partition: int, bundle: _Bundle) -> None:
        try:
            await asyncio.wrap_future(self._send(partition, bundle_bytes(bundle.envelopes)))
        except ReadbriefError as error:
            _log.warning("bundle_refused", partition=partition, envelopes=len(bundle.envelopes), problem=str(error))
            bundle.acknowledged.set_exception(error)
            bundle.acknowledged.exception()  # looked at: all who waited may have hung up
        except Exception as error:  # whatever it was, those who wait must hear of it
            bundle.acknowledged.set_exception(error)
            raise
        else:
            bundle.acknowledged.set_result(None)
