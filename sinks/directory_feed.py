"""Keeps the directory current in memory, from its compacted topic."""

import asyncio
import threading
import time
from typing import Self

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from schemas import topics
from schemas.directory import Directory, entry_from_bytes
from schemas.errors import UnavailableError
from schemas.message import first_error

_log = structlog.get_logger()

_POLL_MS = 200
_RETRY_S = 0.5
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
        self._thread = threading.Thread(target=self._run, name="directory-feed", daemon=True)
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

    def _run(self) -> None:
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                await self._read()
            except KafkaError as error:
                _log.warning("directory_feed_interrupted", reason=repr(error))
                await asyncio.sleep(_RETRY_S)

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","),
            client_id="readbrief-directory",
            group_id=None,  # so that all partitions are this consumer's, from their beginning
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            await consumer.start()
            if await self._await_topic(consumer):
                consumer.subscribe([self._topic])
                await self._apply_all(consumer)
        finally:
            await consumer.stop()

    async def _await_topic(self, consumer: AIOKafkaConsumer) -> bool:
        """Wait until the topic is there; false if stopped before. Who subscribes earlier has the broker make it."""
        while self._topic not in await consumer.topics():
            await asyncio.sleep(_RETRY_S)
            if self._stop.is_set():
                return False
        return True

    async def _apply_all(self, consumer: AIOKafkaConsumer) -> None:
        began = time.monotonic()
        ends: dict[TopicPartition, int] = {}
        while not self._stop.is_set():
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                for record in records:
                    self._apply(record.key, record.value)
            if self._current.is_set():
                continue
            # The end is taken from the answers to fetches, as some brokers answer ListOffsets wrongly.
            partitions = consumer.assignment()
            for partition in partitions:
                end = consumer.highwater(partition)
                if end is not None:
                    ends.setdefault(partition, end)
            if partitions and all([await _is_at(consumer, one, ends.get(one)) for one in partitions]):
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


async def _is_at(consumer: AIOKafkaConsumer, partition: TopicPartition, end: int | None) -> bool:
    return end is not None and await consumer.position(partition) >= end
