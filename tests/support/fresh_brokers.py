"""Brokers of a test module's own, with all our topics on them and nothing else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from readbrief.broker_topics import create_topics
from readbrief.embedded import broker as embedded
from schemas.settings import Settings
from tests.support.brokers import start_kafka
from tests.support.ports import free_port
from tests.support.processes import running

PARTITIONS = 4


@contextmanager
def fresh_embedded_broker(directory: Path) -> Iterator[str]:
    """Run an embedded broker with our topics; gives `host:port`."""
    port = free_port()
    bootstrap = f"127.0.0.1:{port}"
    with running(embedded.command(port), directory / "broker.log", ready=lambda: embedded.wait_ready(bootstrap, 0)):
        create_topics(broker_settings(bootstrap))
        yield bootstrap


@contextmanager
def fresh_kafka(directory: Path) -> Iterator[str]:
    """Run an Apache Kafka with our topics; gives `host:port`."""
    server = start_kafka(directory)
    try:
        create_topics(broker_settings(server.bootstrap))
        yield server.bootstrap
    finally:
        server.stop()


@pytest.fixture(scope="module", params=["embedded", "kafka"])
def fresh_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the test on an embedded broker and on an Apache Kafka of the module's own; gives `host:port`."""
    run = fresh_kafka if request.param == "kafka" else fresh_embedded_broker
    with run(tmp_path_factory.mktemp("fresh")) as bootstrap:
        yield bootstrap


def broker_settings(bootstrap: str) -> Settings:
    """Give settings that are quick to rebalance, as tests want."""
    return Settings(
        kafka_bootstrap=bootstrap,
        kafka_partitions=PARTITIONS,
        kafka_session_timeout_s=10,
        kafka_rebalance_timeout_s=3,
        secret="a secret for tests only",
    )


@contextmanager
def producing(bootstrap: str) -> Iterator[KafkaProducer]:
    """Have a producer whose messages are acknowledged by the end."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    try:
        yield producer
        producer.flush(10)
    finally:
        producer.close(10)


def messages_until(bootstrap: str, topic: str, enough: Callable[[list[bytes]], bool], timeout_s: float) -> list[bytes]:
    """Read a topic from its beginning until there is enough, or the time is up; the test judges what it got."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
    try:
        partitions = consumer.partitions_for_topic(topic) or set()
        consumer.assign([TopicPartition(topic, number) for number in sorted(partitions)])
        found: list[bytes] = []
        deadline = time.monotonic() + timeout_s
        while not enough(found) and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=100).values():
                found += [record.value for record in records]
        return found
    finally:
        consumer.close()
