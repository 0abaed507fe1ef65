"""The state of one partition of a stage: in memory, and in a changelog topic, from which it is rebuilt.

Memory holds only what Kafka has acknowledged. Each owner of a partition claims it with a number one higher than the
last, which stands on all it writes. So what a former owner writes, not knowing that it is one, is left out when the
state is rebuilt, and it learns of it by the offset of its first such record.
"""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord, TopicPartition

from streams.kafka_batches import Record, Sent, send_all
from streams.records import Change, MemoryTable
from streams.stage import Work
from streams.wakes import DueQueue

_SEPARATOR = b"\0"  # in no key or name
_CLAIM = b"\0\0claim"
_DUE = b"\0due"
_CLAIM_HEADER = "claim"
_POLL_MS = 100
_BREATHE_EVERY = 2_000  # records, so that heartbeats go out while a large state is rebuilt


class FencedError(Exception):
    """Another worker has taken the partition over."""


class PartitionState:
    """What a stage knows of one partition's keys, and when they are due."""

    def __init__(self, changelog: TopicPartition) -> None:
        """Start empty, at the changelog's beginning."""
        self.changelog = changelog
        self.table = MemoryTable()
        self.due = DueQueue()
        self.put_off: set[str] = set()
        self.position = 0
        self._claim = 0
        self._due_ms: dict[str, int] = {}  # as it stands in the changelog

    def replay(self, record: ConsumerRecord) -> None:
        """Take in a record of the changelog; those of an owner that had been followed by another are left out."""
        self.position = record.offset + 1
        claim = next((int(value) for name, value in record.headers if name == _CLAIM_HEADER), 0)
        if claim < self._claim:
            return
        self._claim = claim
        key, _, name = (record.key or b"").partition(_SEPARATOR)
        if record.key == _CLAIM:
            return
        if name == _DUE:
            self._note_due(key.decode(), None if record.value is None else int(record.value))
        else:
            self.table.apply((Change(key.decode(), name, record.value),))

    def claim(self) -> tuple[TopicPartition, Record]:
        """Return the record that makes this process the partition's owner."""
        return self.changelog, Record(_CLAIM, b"", ((_CLAIM_HEADER, b"%d" % (self._claim + 1)),))

    def records_of(self, work: Work) -> list[tuple[TopicPartition, Record]]:
        """Return the changelog's records for what a stage wants written."""
        headers = ((_CLAIM_HEADER, b"%d" % self._claim),)
        made = [Record(key.encode() + _SEPARATOR + name, value, headers) for key, name, value in work.changes]
        for key, due_ms in work.due.items():
            if due_ms != self._due_ms.get(key):
                value = None if due_ms is None else b"%d" % due_ms
                made.append(Record(key.encode() + _SEPARATOR + _DUE, value, headers))
        return [(self.changelog, record) for record in made]

    def apply(self, work: Work) -> None:
        """Take over what a stage wanted written, now that it is in the changelog."""
        self.table.apply(work.changes)
        for key, made in work.decoded.items():
            self.table.keep_decoded(key, made)
        for key, due_ms in work.due.items():
            self._note_due(key, due_ms)
        self.put_off.difference_update(work.due)
        self.put_off |= work.put_off

    def renew_due(self) -> None:
        """Have every key due again that the changelog has as due: a rebalance may come before what was taken off."""
        for key, due_ms in self._due_ms.items():
            self.due.put(key, due_ms)

    def _note_due(self, key: str, due_ms: int | None) -> None:
        self.due.put(key, due_ms)
        if due_ms is None:
            self._due_ms.pop(key, None)
        else:
            self._due_ms[key] = due_ms

    def written(self, batches: Sequence[Sent]) -> None:
        """Note where records of this process were put.

        Raises:
            FencedError: there is something in between, so this process is no longer the owner.
        """
        for first_offset, records in batches:
            if first_offset != self.position:
                raise FencedError(
                    f"{self.changelog.topic}/{self.changelog.partition} has another owner: this worker was away for "
                    "longer than the session timeout"
                )
            self.position += records


async def take_over(states: Sequence[PartitionState], consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> int:
    """Bring states to the end of their changelogs and become their owner; return the number of records read."""
    count = await _read_to_end(states, consumer)
    await send_all(producer, [state.claim() for state in states])
    count += await _read_to_end(states, consumer)  # what a former owner wrote meanwhile, and the claim
    for state in states:
        state.renew_due()
    return count


async def _read_to_end(states: Sequence[PartitionState], consumer: AIOKafkaConsumer) -> int:
    """Read on from where each state is. The end is told by answers to fetches, as some brokers say it wrongly else."""
    by_partition = {state.changelog: state for state in states}
    consumer.assign(list(by_partition))
    for partition, state in by_partition.items():
        consumer.seek(partition, state.position)
    behind = set(by_partition)
    count = 0
    while behind:
        found = await consumer.getmany(*behind, timeout_ms=_POLL_MS)
        for partition, records in found.items():
            for i, record in enumerate(records):
                by_partition[partition].replay(record)
                if i % _BREATHE_EVERY == _BREATHE_EVERY - 1:
                    await asyncio.sleep(0)
            count += len(records)
        for partition in tuple(behind):
            end = consumer.highwater(partition)
            if end is not None and await consumer.position(partition) >= end:
                by_partition[partition].position = max(end, by_partition[partition].position)
                behind.discard(partition)
    return count
