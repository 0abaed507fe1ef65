"""Topics and records on a broker, as the tests of the sinks' consumers need them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

Message = tuple[int, bytes | None, bytes | None]
"""Partition, key and value."""


def spare_name(prefix: str) -> str:
    """Give a name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def make_topics(bootstrap: str, partitions: dict[str, int]) -> None:
    """Make topics with so many partitions each; those that are there stay as they are."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        for name, number in partitions.items():
            try:
                admin.create_topics([NewTopic(name, number, 1)])
            except TopicAlreadyExistsError:
                continue
    finally:
        admin.close()


@contextmanager
def producing(bootstrap: str) -> Iterator[KafkaProducer]:
    """Give a producer that is flushed and closed in the end."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    try:
        yield producer
        producer.flush(30)
    finally:
        producer.close(5)


def produce(bootstrap: str, topic: str, messages: list[Message]) -> list[int]:
    """Put messages on a topic and give their offsets, once they are acknowledged."""
    with producing(bootstrap) as producer:
        sent = [producer.send(topic, partition=p, key=key, value=value) for p, key, value in messages]
        producer.flush(30)
        return [future.get(30).offset for future in sent]


def committed(bootstrap: str, group: str, topic: str, partition: int = 0) -> int | None:
    """Give the position a group has committed for a partition; None if it has none."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    try:
        offset: int | None = consumer.committed(TopicPartition(topic, partition), timeout_ms=10_000)
        return offset
    finally:
        consumer.close()
