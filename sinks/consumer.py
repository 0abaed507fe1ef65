"""Reads topics as one member of a group: poll, handle, commit, in that order."""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import CommitFailedError, KafkaError, RebalanceInProgressError

from schemas.errors import UnavailableError
from sinks.broker_wait import no_broker, wait_for_broker

_log = structlog.get_logger()

_POLL_S = 0.2  # how soon `stop` is seen
_JOIN_POLL_S = 1.0  # joining a group was seen to hang where it was asked for in shorter pieces
_TOPICS_PAUSE_S = 0.2
_BOOTSTRAP_TIMEOUT_MS = 10_000
_COMMIT_TIMEOUT_MS = 10_000
_CLOSE_TIMEOUT_MS = 1_000
_POSITION_TIMEOUT_MS = 1_000
_METADATA_MAX_AGE_MS = 5_000  # a topic made after the start is seen this soon
_MAX_RECORDS = 20_000

Partition = tuple[str, int]
Positions = Mapping[Partition, int]


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record; the timestamp is the producer's, in Unix milliseconds."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int = 0

    @property
    def origin(self) -> str:
        """Where it stands, as dead letters name it."""
        return f"{self.topic}/{self.partition}/{self.offset}"


Handle = Callable[[Sequence[Record], Positions], Positions | None]
"""Takes records, and the next offset of every assigned partition once these records are handled.

Returns offsets that must not be committed past, for work it holds back. Called without records, too, so that such
work can proceed.
"""


@dataclass(frozen=True)
class Pace:
    """How much is handled at once, and how long a member may be silent."""

    batch_bytes: int = 8_000_000
    linger_s: float = 0.5
    session_timeout_s: int = 30
    longest_batch_s: int = 300


@dataclass(frozen=True)
class Patience:
    """What to do while a batch can't be handled because something is away: wait ever longer, and try it again.

    `on_away` is told before each pause, which is in seconds; `on_back` once the batch was handled after all.
    """

    on_away: Callable[[UnavailableError, float], None]
    on_back: Callable[[], None]
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0


def run_consumer(
    bootstrap: str,
    group: str,
    topics: Collection[str],
    handle: Handle,
    stop: threading.Event,
    *,
    pace: Pace = Pace(),
    wait_s: float = 10,
    patience: Patience | None = None,
) -> None:
    """Handle the topics' records, from the group's position on or the earliest there is, until `stop` is set.

    A record is committed only after `handle` returned for it, so it is handled at least once. If `handle` raises,
    nothing of its records is committed and the error goes through. With `patience`, an UnavailableError of `handle` is
    no end: the member keeps its partitions, takes no more records, and tries the same ones again.

    Raises:
        UnavailableError: no broker answers within `wait_s`, or it refuses what the group needs.
    """
    wait_for_broker(bootstrap, wait_s, stop)
    if stop.is_set():
        return
    consumer = _connected(bootstrap, group, pace)
    try:
        _wait_for_topics(consumer, topics, wait_s, stop)
        _Loop(consumer, topics, handle, stop, pace, patience).run()
    except KafkaError as error:
        raise UnavailableError(f"the Kafka broker at {bootstrap} does not serve group {group}: {error!r}") from error
    finally:
        consumer.close(autocommit=False, timeout_ms=_CLOSE_TIMEOUT_MS)


def _connected(bootstrap: str, group: str, pace: Pace) -> KafkaConsumer:
    try:
        return KafkaConsumer(
            bootstrap_servers=bootstrap.split(","),
            client_id="readbrief",
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            # Equally partitioned topics are assigned together: who holds partition 3 of one holds it of all.
            partition_assignment_strategy=[RangePartitionAssignor],
            session_timeout_ms=pace.session_timeout_s * 1000,
            heartbeat_interval_ms=min(3000, pace.session_timeout_s * 1000 // 3),
            max_poll_interval_ms=pace.longest_batch_s * 1000,
            metadata_max_age_ms=_METADATA_MAX_AGE_MS,
            bootstrap_timeout_ms=_BOOTSTRAP_TIMEOUT_MS,
        )
    except KafkaError as error:
        raise no_broker(bootstrap) from error


def _wait_for_topics(consumer: KafkaConsumer, topics: Collection[str], wait_s: float, stop: threading.Event) -> None:
    """Wait until the broker knows the topics, or time is up.

    A member that joins before that is given nothing, and its second attempt was seen to hang. A broker has made a
    topic a moment before it tells of it.
    """
    deadline = time.monotonic() + wait_s
    while missing := set(topics) - set(consumer.topics()):
        if time.monotonic() > deadline:
            _log.warning("topics_missing", topics=sorted(missing))
            return
        if stop.wait(_TOPICS_PAUSE_S):
            return


class _Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    """What the group said last; kafka-python calls it on its own thread, while the other one polls or waits."""

    def __init__(self) -> None:
        self.is_settled = False
        self._assigned: Collection[TopicPartition] | None = None

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        # Nothing is left to commit here: what is handled is committed before the next poll, and only polls revoke.
        self._assigned, self.is_settled = None, False
        _log.info("partitions_revoked", partitions=len(revoked))

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._assigned, self.is_settled = tuple(assigned), False
        _log.info("partitions_assigned", partitions=len(assigned))

    def settle(self, rewind: Callable[[Collection[TopicPartition]], None]) -> None:
        """Have a new assignment begun, if there is one."""
        if self._assigned is not None:
            rewind(self._assigned)
            self.is_settled = True


class _Loop:
    """Poll, handle, commit."""

    def __init__(
        self,
        consumer: KafkaConsumer,
        topics: Collection[str],
        handle: Handle,
        stop: threading.Event,
        pace: Pace,
        patience: Patience | None = None,
    ) -> None:
        self._consumer = consumer
        self._handle = handle
        self._stop = stop
        self._pace = pace
        self._patience = patience
        self._membership = _Membership()
        self._committed: dict[Partition, int] = {}
        consumer.subscribe(topics=sorted(topics), listener=self._membership)

    def run(self) -> None:
        while not self._stop.is_set():
            records = self._gather()
            positions = self._positions()
            held = self._handled(records, positions)
            if held is not None:
                self._commit(_committable(positions, held))

    def _handled(self, records: list[Record], positions: Positions) -> Positions | None:
        """Have records handled, however long it takes; None if they were given up: stopped, or others have them now."""
        if self._patience is None:
            return self._handle(records, positions) or {}
        pause_s = self._patience.first_pause_s
        is_away = False
        while True:
            try:
                held = self._handle(records, positions) or {}
            except UnavailableError as error:
                is_away = True
                self._patience.on_away(error, pause_s)
            else:
                if is_away:
                    self._patience.on_back()
                return held
            if not self._hold_place(pause_s):
                return None
            pause_s = min(pause_s * 2, self._patience.longest_pause_s)

    def _hold_place(self, pause_s: float) -> bool:
        """Wait as a member that takes no records; False if stopped, or if the group has given the partitions anew.

        A member that does not poll for `longest_batch_s` would be put out, and its partitions given to another one.
        """
        deadline = time.monotonic() + pause_s
        paused = tuple(self._consumer.assignment())
        self._consumer.pause(*paused)
        while not self._stop.is_set() and (remaining_s := deadline - time.monotonic()) > 0:
            self._consumer.poll(timeout_ms=int(min(remaining_s, _POLL_S) * 1000) + 1)
            if not self._membership.is_settled:
                self._membership.settle(self._rewind)  # what was held is read again, from the committed position
                return False
        self._consumer.resume(*paused)
        return not self._stop.is_set()

    def _gather(self) -> list[Record]:
        """Poll until there are enough records, or time is up."""
        records: list[Record] = []
        size = 0
        deadline = time.monotonic() + self._pace.linger_s
        while size < self._pace.batch_bytes and len(records) < _MAX_RECORDS and not self._stop.is_set():
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                break
            patience_s = min(remaining_s, _POLL_S) if self._membership.is_settled else _JOIN_POLL_S
            polled = self._consumer.poll(timeout_ms=int(patience_s * 1000), max_records=_MAX_RECORDS)
            if not self._membership.is_settled:
                # What was gathered is another member's now, or will be read again from the committed position.
                records, size = [], 0
                self._membership.settle(self._rewind)
                continue
            new = [_record(raw) for raws in polled.values() for raw in raws]
            records += new
            size += sum(len(record.value or b"") for record in new)
        return records

    def _rewind(self, assigned: Collection[TopicPartition]) -> None:
        """Begin at the committed positions: those of partitions that were kept stand past records that were dropped."""
        self._committed = {}
        for partition in assigned:
            offset = self._consumer.committed(partition, timeout_ms=_COMMIT_TIMEOUT_MS)
            if offset is None:
                self._consumer.seek_to_beginning(partition)
            else:
                self._consumer.seek(partition, offset)
                self._committed[partition.topic, partition.partition] = offset

    def _positions(self) -> dict[Partition, int]:
        positions: dict[Partition, int] = {}
        if not self._membership.is_settled:
            return positions
        for partition in self._consumer.assignment():
            offset = self._consumer.position(partition, timeout_ms=_POSITION_TIMEOUT_MS)
            if offset is not None:
                positions[partition.topic, partition.partition] = offset
        return positions

    def _commit(self, offsets: Positions) -> None:
        news = {partition: offset for partition, offset in offsets.items() if self._committed.get(partition) != offset}
        if not news:
            return
        wanted = {TopicPartition(*partition): OffsetAndMetadata(offset, "", -1) for partition, offset in news.items()}
        try:
            self._consumer.commit(wanted, timeout_ms=_COMMIT_TIMEOUT_MS)
        except (CommitFailedError, RebalanceInProgressError) as error:
            # The group has moved on: whoever gets these partitions handles the records again.
            _log.warning("commit_refused", reason=str(error))
            return
        self._committed.update(news)


def _committable(positions: Positions, held: Positions) -> dict[Partition, int]:
    return {partition: min(offset, held.get(partition, offset)) for partition, offset in positions.items()}


def _record(raw: Any) -> Record:
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, raw.timestamp)
