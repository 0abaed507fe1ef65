"""Creating the topics of the one table on a broker."""

import threading

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from schemas.settings import Settings
from schemas.topics import TOPICS, Topic
from sinks.broker_wait import no_broker, wait_for_broker

TIMEOUT_MS = 10_000


def create_topics(settings: Settings) -> list[str]:
    """Create the topics that are missing, and return their names.

    Raises:
        UnavailableError: no broker answers.
    """
    wait_for_broker(settings.kafka_bootstrap, settings.start_wait_s, threading.Event())
    try:
        admin = KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap, request_timeout_ms=TIMEOUT_MS)
    except KafkaError as error:
        raise no_broker(settings.kafka_bootstrap) from error
    try:
        there = set(admin.list_topics())
        missing = [topic for topic in TOPICS if topic.name not in there]
        for topic in missing:
            _create(admin, topic, settings)
        return [topic.name for topic in missing]
    finally:
        admin.close()


def _create(admin: KafkaAdminClient, topic: Topic, settings: Settings) -> None:
    configs: dict[str, str] = {"cleanup.policy": topic.cleanup}
    if topic.retention_ms is not None:
        configs["retention.ms"] = str(topic.retention_ms)
    new = NewTopic(
        topic.name,
        num_partitions=settings.kafka_partitions if topic.keyed else 1,
        replication_factor=settings.kafka_replication,
        topic_configs=configs,
    )
    try:
        admin.create_topics([new], timeout_ms=TIMEOUT_MS)
    except TopicAlreadyExistsError:
        return  # somebody else was quicker
