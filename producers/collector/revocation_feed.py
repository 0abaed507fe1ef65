"""Keeps the revocations current in a collector, from their compacted topic.

Links are followed while Kafka is away, too: what was revoked meanwhile, or is not read yet, still tells its reader.
"""

import threading

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from pydantic import ValidationError

from producers.publisher import is_answering
from producers.revocations import Revocations
from schemas.emails import Revocation
from schemas.message import first_error
from schemas.topics import REVOCATIONS

_log = structlog.get_logger()

_POLL_MS = 500
_RETRY_S = 2.0
_BOOTSTRAP_TIMEOUT_MS = 2_000
_CLOSE_S = 5.0


class RevocationFeed:
    """A thread that follows the topic `revocations`; it never ends by itself, and waits for a topic that is missing."""

    def __init__(self, bootstrap: str) -> None:
        """Take where Kafka is; nothing is read before `start`."""
        self.revocations = Revocations()
        self._bootstrap = bootstrap
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="revocation-feed", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSE_S)

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                if is_answering(self._bootstrap):  # asked first, because each failed client leaks file descriptors
                    self._read()
            except KafkaError as error:
                _log.debug("revocation_feed_interrupted", reason=repr(error))
            self._stop.wait(_RETRY_S)

    def _read(self) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","),
            client_id="readbrief-revocations",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=_BOOTSTRAP_TIMEOUT_MS,
        )
        try:
            partitions = self._partitions(consumer)
            if not partitions:
                return
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            while not self._stop.is_set():
                for records in consumer.poll(timeout_ms=_POLL_MS).values():
                    for record in records:
                        self._apply(record.value)
        finally:
            consumer.close(autocommit=False, timeout_ms=_POLL_MS)

    def _partitions(self, consumer: KafkaConsumer) -> list[TopicPartition]:
        """Wait until the topic is there; none if stopped before."""
        while not self._stop.is_set():
            consumer.topics()
            numbers = consumer.partitions_for_topic(REVOCATIONS.name)
            if numbers:
                return [TopicPartition(REVOCATIONS.name, number) for number in sorted(numbers)]
            self._stop.wait(_RETRY_S)
        return []

    def _apply(self, value: bytes | None) -> None:
        if value is None:
            return
        try:
            self.revocations.put(Revocation.from_bytes(value))
        except ValidationError as error:
            _log.warning("revocation_unreadable", reason=first_error(error))
