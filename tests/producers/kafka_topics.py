"""The topics a collector needs, made and read through kafka-python."""

import contextlib
import time
from collections.abc import Callable, Iterator

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError

from schemas.topics import DEAD_LETTERS, DIRECTORY, EVENTS, OUTCOMES, REVOCATIONS

PARTITIONS = 5  # no broker's default


def make_topics(bootstrap: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        names = (EVENTS.name, DEAD_LETTERS.name, DIRECTORY.name, OUTCOMES.name, REVOCATIONS.name)
        for name in names:
            count = PARTITIONS if name == EVENTS.name else 1
            with contextlib.suppress(TopicAlreadyExistsError):
                admin.create_topics([NewTopic(name=name, num_partitions=count, replication_factor=1)])
        deadline = time.monotonic() + 10  # a broker has made a topic before it tells of it
        while not set(names) <= set(admin.list_topics()):
            assert time.monotonic() < deadline, "the topics were not made in time"
            time.sleep(0.05)
    finally:
        admin.close()


class TopicReader:
    """Reads a topic from its beginning, and keeps what it read."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=50)
        partitions = [TopicPartition(topic, each) for each in self._consumer.partitions_for_topic(topic)]
        self._consumer.assign(partitions)
        self._consumer.seek_to_beginning(*partitions)
        self.partition_count = len(partitions)
        self.read: list[tuple[int, bytes | None, bytes | None]] = []

    def find(
        self, wanted: Callable[[bytes | None, bytes | None], bool], timeout_s: float = 15
    ) -> tuple[int, bytes | None, bytes | None]:
        """Give partition, key and value of the first message that is wanted; AssertionError if none comes in time."""
        for message in self._all(timeout_s):
            if wanted(message[1], message[2]):
                return message
        raise AssertionError(f"no such message among {len(self.read)}")

    def read_for(self, seconds: float) -> list[tuple[int, bytes | None, bytes | None]]:
        """Give all messages that are there, or come within this time."""
        return list(self._all(seconds))

    def close(self) -> None:
        self._consumer.close()

    def _all(self, timeout_s: float) -> Iterator[tuple[int, bytes | None, bytes | None]]:
        yield from list(self.read)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for records in self._consumer.poll(timeout_ms=100).values():
                new = [(record.partition, record.key, record.value) for record in records]
                self.read += new
                yield from new


@contextlib.contextmanager
def reading(bootstrap: str, topic: str) -> Iterator[TopicReader]:
    reader = TopicReader(bootstrap, topic)
    try:
        yield reader
    finally:
        reader.close()
