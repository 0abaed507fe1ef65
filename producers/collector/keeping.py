"""Where the collector's messages go: to Kafka, by way of the spool if there is one; bundles, and dead letters."""

import asyncio
from functools import lru_cache
from typing import Any, NamedTuple

from producers.async_publisher import AsyncPublisher
from producers.publisher import partition_of
from producers.repartitioning import repartitioned
from producers.spool import Spool
from producers.spool_records import SpoolRecord
from producers.spooling import SpooledSending
from schemas.delivery import Outcome
from schemas.errors import UnavailableError
from schemas.topics import DEAD_LETTERS, EVENTS, OUTCOMES

Kept = asyncio.Future[Any]

_EVENTS, _DEAD_LETTERS, _OUTCOMES = range(3)  # as they stand in spool files, for good
_NO_PARTITION = -1


class Slot(NamedTuple):
    """A partition, and of how many it was chosen."""

    partition: int
    partitions: int


@lru_cache(maxsize=20_000)
def _slot_of(visitor_id: str, partitions: int) -> Slot:
    """Remember where visitors go: one who reads sends every few seconds, and Kafka's hash is slow in Python."""
    return Slot(partition_of(visitor_id, partitions), partitions)


class Keeping:
    """Sends bundles and dead letters to Kafka; with a spool they are kept on disk while Kafka is away.

    `likely_partitions` is how many `events` is taken to have as long as Kafka has never said.
    """

    def __init__(self, publisher: AsyncPublisher, spool: Spool | None, likely_partitions: int) -> None:
        """Take what to send by; nothing is sent yet."""
        self._publisher = publisher
        self._spool = spool
        self._likely_partitions = likely_partitions
        self._sending = SpooledSending(self._to_kafka, spool) if spool else None

    def start(self) -> None:
        """Connect to Kafka, and begin to bring what the spool holds there."""
        self._publisher.start()
        if self._sending:
            self._sending.start()

    async def stop(self) -> None:
        """Return when everything sent is settled, and the connection to Kafka is closed."""
        if self._sending:
            await self._sending.stop()
        await self._publisher.close()

    def close(self) -> None:
        """Let another worker adopt what the spool still holds."""
        if self._spool:
            self._spool.close()

    def slot_of(self, visitor_id: str) -> Slot:
        """Return where a visitor's events go.

        Raises:
            UnavailableError: Kafka has never said how many partitions there are, and there is no spool.
        """
        try:
            partitions = self._publisher.partitions(EVENTS.name)
        except UnavailableError:
            if self._sending is None:
                raise
            partitions = self._likely_partitions  # mended on the way from the spool, if it is wrong
        return _slot_of(visitor_id, partitions)

    def keep_bundle(self, slot: Slot, bundle: bytes) -> Kept:
        """Send a bundle; the future is done once it is kept for good."""
        if self._sending is None:
            return self._publisher.send(EVENTS.name, bundle, str(slot.partition).encode(), slot.partition)
        return self._sending.send(SpoolRecord(_EVENTS, slot.partition, slot.partitions, bundle))

    def keep_dead_letter(self, letter: bytes) -> Kept:
        """Send a dead letter; the future is done once it is kept for good."""
        if self._sending is None:
            return self._publisher.send(DEAD_LETTERS.name, letter)
        return self._sending.send(SpoolRecord(_DEAD_LETTERS, _NO_PARTITION, 0, letter))

    def keep_outcome(self, outcome: Outcome) -> Kept:
        """Send what a rep did or said; the future is done once it is kept for good."""
        value = outcome.to_bytes()
        if self._sending is None:
            return self._publisher.send(OUTCOMES.name, value, outcome.rep_id.encode())
        return self._sending.send(SpoolRecord(_OUTCOMES, _NO_PARTITION, 0, value))

    def accepts(self) -> bool:
        """Say whether events can be kept now: by Kafka, or by the spool. May take a second."""
        if self._sending is not None and self._sending.accepts():
            return True
        return self._publisher.reachable()

    def _to_kafka(self, record: SpoolRecord) -> list[asyncio.Future[Any]]:
        if record.topic == _DEAD_LETTERS:
            return [self._publisher.send(DEAD_LETTERS.name, record.value)]
        if record.topic == _OUTCOMES:
            key = Outcome.from_bytes(record.value).rep_id.encode()
            return [self._publisher.send(OUTCOMES.name, record.value, key)]
        now = self._publisher.partitions(EVENTS.name)
        bundles = {record.partition: record.value} if now == record.partitions else repartitioned(record.value, now)
        return [
            self._publisher.send(EVENTS.name, bundle, str(partition).encode(), partition)
            for partition, bundle in bundles.items()
        ]
