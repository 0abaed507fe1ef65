"""Has ClickHouse stored everything? To be asked before a broker that keeps nothing is stopped."""

import time

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from sinks.clickhouse.process import GROUP
from sinks.clickhouse.rows import TABLES

POLL_MS = 100
BOOTSTRAP_TIMEOUT_MS = 2_000


def wait_until_stored(bootstrap: str, timeout_s: float) -> bool:
    """Wait until the ClickHouse sink has committed every message of its topics; return whether it has, in time.

    Asked again and again, since what is stored makes the streams publish more. The end of a topic is taken from the
    answer to a fetch: the embedded broker answers the question for it wrongly.
    """
    deadline = time.monotonic() + timeout_s
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=GROUP,
            enable_auto_commit=False,
            enable_incremental_fetch_sessions=False,
            bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS,
        )
    except KafkaError:
        return False
    stored = False
    try:
        consumer.topics()  # asks the broker for all topics, which the next line does not
        numbers = {topic: consumer.partitions_for_topic(topic) or set() for topic in TABLES}
        partitions = [TopicPartition(topic, number) for topic in TABLES for number in numbers[topic]]
        consumer.assign(partitions)
        while not stored and time.monotonic() < deadline:
            stored = _all_committed(consumer, partitions)
    except KafkaError:
        return False
    else:
        return stored
    finally:
        consumer.close(autocommit=False)


def _all_committed(consumer: KafkaConsumer, partitions: list[TopicPartition]) -> bool:
    committed = {partition: consumer.committed(partition) or 0 for partition in partitions}
    for partition, offset in committed.items():
        consumer.seek(partition, offset)
    if consumer.poll(timeout_ms=POLL_MS):
        return False
    return all(consumer.highwater(partition) == offset for partition, offset in committed.items())
