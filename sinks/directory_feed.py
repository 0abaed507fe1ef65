"""Keeps the directory current in memory, from its compacted topic."""

import threading
import time
from typing import Self

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from pydantic import ValidationError

from schemas import topics
from schemas.directory import Directory, entry_from_bytes
from schemas.errors import UnavailableError
from schemas.message import first_error

_log = structlog.get_logger()

_POLL_MS = 200
_RETRY_S = 0.5
_BOOTSTRAP_TIMEOUT_MS = 2_000
_CLOSE_S = 5.0


class DirectoryFeed:
    """A thread that follows the topic `directory`; `directory` is the state so far, put in place entity by entity.

    With a key, contacts are also found by the id of their address.
    Use as a context manager, or call `close`.
    """

    def __init__(self, bootstrap: str, topic: str = topics.DIRECTORY.name, *, address_key: bytes | None = None) -> None:
        self.directory = Directory(address_key)
        self._topic = topic
        self._bootstrap = bootstrap
        self._current = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="directory-feed", daemon=True)
        self._thread.start()

    def wait_current(self, timeout_s: float) -> None:
        """Wait until all that stood in the topic at the start is read.

        Raises:
            UnavailableError: it is not within the time.
        """
        if not self._current.wait(timeout_s):
            raise UnavailableError(
                f"the directory can't be read from Kafka at {self._bootstrap} within {timeout_s:g} s: see to it that "
                "the broker runs and has the topic, or set READBRIEF_KAFKA_BOOTSTRAP"
            )

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        self._thread.join(_CLOSE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except KafkaError as error:
                _log.warning("directory_feed_interrupted", reason=repr(error))
                self._stop.wait(_RETRY_S)

    def _read(self) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","),
            client_id="readbrief-directory",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            # Each answer to a fetch then tells every partition's end, also of those where nothing is new.
            enable_incremental_fetch_sessions=False,
            bootstrap_timeout_ms=_BOOTSTRAP_TIMEOUT_MS,
        )
        try:
            partitions = self._partitions(consumer)
            if partitions:
                consumer.assign(partitions)
                consumer.seek_to_beginning(*partitions)
                self._apply_all(consumer, partitions)
        finally:
            consumer.close(autocommit=False, timeout_ms=_POLL_MS)

    def _partitions(self, consumer: KafkaConsumer) -> list[TopicPartition]:
        """Wait until the topic is there; none if stopped before."""
        while not self._stop.is_set():
            consumer.topics()  # asks the broker anew, which `partitions_for_topic` does not for a topic it misses
            numbers = consumer.partitions_for_topic(self._topic)
            if numbers:
                return [TopicPartition(self._topic, number) for number in sorted(numbers)]
            self._stop.wait(_RETRY_S)
        return []

    def _apply_all(self, consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        began = time.monotonic()
        ends: dict[TopicPartition, int] = {}
        while not self._stop.is_set():
            for records in consumer.poll(timeout_ms=_POLL_MS).values():
                for record in records:
                    self._apply(record.key, record.value)
            if self._current.is_set():
                continue
            # The end is taken from the answers to fetches, as some brokers answer ListOffsets wrongly.
            for partition in partitions:
                end = consumer.highwater(partition)
                if end is not None:
                    ends.setdefault(partition, end)
            if all(partition in ends and consumer.position(partition) >= ends[partition] for partition in partitions):
                self._current.set()
                seconds = round(time.monotonic() - began, 3)
                _log.info("directory_current", entities=self.directory.size(), seconds=seconds)

    def _apply(self, key: bytes | None, value: bytes | None) -> None:
        if value is None:
            self.directory.remove((key or b"").decode(errors="replace"))
            return
        try:
            self.directory.put(entry_from_bytes(value))
        except ValidationError as error:
            # The ClickHouse sink reads the topic too, and makes a dead letter of it.
            _log.warning("directory_entity_unreadable", key=repr(key), reason=first_error(error))
