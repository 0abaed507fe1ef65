"""Sending many records as few batches: per record it costs microseconds, where a send of its own costs a hundred."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import UnknownError
from aiokafka.partitioner import murmur2
from aiokafka.structs import TopicPartition

MAX_BATCH_BYTES = 512 * 1024

Headers = Sequence[tuple[str, bytes]]


class Record(NamedTuple):
    """One record to send; without a value it deletes its key from a compacted topic."""

    key: bytes
    value: bytes | None
    headers: Headers = ()


class Sent(NamedTuple):
    """Where Kafka has put a batch."""

    first_offset: int
    records: int


async def started_producer(bootstrap: str) -> AIOKafkaProducer:
    """Return a producer that is connected; its records stand once each, if the broker can see to that.

    The embedded broker does not give this client the number that takes. Its batches may then come twice, if one was
    written though the answer was lost.

    Raises:
        aiokafka.errors.KafkaError: there is no broker.
    """
    options = {"bootstrap_servers": bootstrap.split(","), "acks": "all", "max_batch_size": MAX_BATCH_BYTES}
    producer = AIOKafkaProducer(**options, enable_idempotence=True)
    sender_log = logging.getLogger("aiokafka.producer.sender")
    level = sender_log.level
    sender_log.setLevel(logging.CRITICAL)  # it would call an error what is dealt with here
    try:
        await producer.start()
    except UnknownError:
        await producer.stop()
        producer = AIOKafkaProducer(**options)
        await producer.start()
    finally:
        sender_log.setLevel(level)
    return producer


@lru_cache(maxsize=200_000)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition that Kafka's default partitioner gives to a key, of so many partitions."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


async def send_all(
    producer: AIOKafkaProducer, records: Iterable[tuple[TopicPartition, Record]]
) -> dict[TopicPartition, list[Sent]]:
    """Send records, those of one partition in their order; return where they are once Kafka has acknowledged all.

    Raises:
        aiokafka.errors.KafkaError: something was not acknowledged.
    """
    by_partition: dict[TopicPartition, list[Record]] = defaultdict(list)
    for target, record in records:
        by_partition[target].append(record)
    answers = await asyncio.gather(*(_send(producer, target, theirs) for target, theirs in by_partition.items()))
    return dict(zip(by_partition, answers, strict=True))


async def _send(producer: AIOKafkaProducer, target: TopicPartition, records: Sequence[Record]) -> list[Sent]:
    under_way = []
    batch = producer.create_batch()
    for record in records:
        while batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers)) is None:
            under_way.append((await producer.send_batch(batch, target.topic, partition=target.partition), batch))
            batch = producer.create_batch()
    under_way.append((await producer.send_batch(batch, target.topic, partition=target.partition), batch))
    return [Sent((await future).offset, one.record_count()) for future, one in under_way]
