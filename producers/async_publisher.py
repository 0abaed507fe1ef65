"""The way to Kafka from an event loop, without a thread that would contend with the loop for the interpreter."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Unpack

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from producers.publisher import Options, Position, Waiting, is_answering, unreachable
from schemas.errors import InputError, UnavailableError

_log = structlog.get_logger()

_BATCH_BYTES = 2**19  # more than a bundle
_RETRY_CONNECT_S = 0.5


class AsyncPublisher(Waiting):
    """Publishes messages that are acknowledged by all replicas, or fail within a bounded time.

    Belongs to the event loop that starts it. `topics` must exist before it counts as connected. Once Kafka is known to
    be away, a message fails at once, until a connection stands again; so do messages beyond `max_waiting_bytes`, which
    bounds the memory. A message may come twice, if the connection broke after it was written.
    """

    def __init__(self, bootstrap: str, **options: Unpack[Options]) -> None:
        """Connect nothing yet; takes what `Waiting` does."""
        super().__init__(bootstrap, **options)
        self._producer: AIOKafkaProducer | None = None
        self._tried = asyncio.Event()
        self._connecting: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[Position]] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start connecting, in the background."""
        self._connecting = asyncio.ensure_future(self._connect())

    def reachable(self) -> bool:
        """Say whether Kafka is there now: a connection stands, and its port answers. May block for a second."""
        return self._tried.is_set() and self._down is None and is_answering(self._bootstrap)

    def send(
        self, topic: str, value: bytes, key: bytes | None = None, partition: int | None = None
    ) -> asyncio.Future[Position]:
        """Hand over a message and return at once; the future tells its position, or fails with UnavailableError.

        Messages of one partition keep their order.
        """
        size = len(value) + len(key or b"") + 100
        refused = self._refusal(size)
        if refused is not None:
            failed: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
            failed.set_exception(refused)
            failed.exception()  # looked at: who waited may be gone
            return failed
        task = asyncio.ensure_future(self._deliver(topic, value, key, partition))
        self._waiting_bytes += size
        self._under_way.add(task)
        task.add_done_callback(lambda done: self._release(done, size))
        return task

    async def close(self) -> None:
        """Return when everything handed over is acknowledged or has failed, and the connection is closed."""
        self._closing = True
        while self._under_way:
            await asyncio.wait(tuple(self._under_way))
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        self._drop_connection()
        while self._leaving:
            await asyncio.wait(tuple(self._leaving))

    def _release(self, task: asyncio.Task[Position], size: int) -> None:
        self._waiting_bytes -= size
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # looked at: who waited may be gone

    async def _deliver(self, topic: str, value: bytes, key: bytes | None, partition: int | None) -> Position:
        try:
            async with asyncio.timeout(self._delivery_timeout_s):
                await self._tried.wait()
                if self._producer is None or self._down is not None:
                    raise self._down or unreachable(self._bootstrap)
                if topic not in self._counts:
                    await self._require(self._producer, topic)
                kept = await (await self._producer.send(topic, value, key=key, partition=partition))
        except MessageSizeTooLargeError as error:
            raise InputError(f"a message for topic {topic} is too large: {error}") from error
        except (KafkaError, TimeoutError) as error:
            _log.warning("kafka_delivery_failed", bootstrap=self._bootstrap, problem=repr(error))
            self._lose()
            raise unreachable(self._bootstrap) from error
        return Position(kept.partition, kept.offset)

    def _lose(self) -> None:
        """Take a failed delivery for the end of the connection: the client has tried for long."""
        if self._down is None:
            self._down = unreachable(self._bootstrap)
        if not self._closing and (self._connecting is None or self._connecting.done()):
            self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        said = None
        while True:
            try:
                await self._find_kafka()
            except UnavailableError as error:
                if str(error) != said:  # said once, not at each try
                    _log.warning("kafka_unreachable", problem=str(error))
                said, self._down = str(error), error
            else:
                break
            finally:
                self._tried.set()
            await asyncio.sleep(_RETRY_CONNECT_S)
        _log.info("kafka_connected", bootstrap=self._bootstrap, partitions=self._counts)

    async def _find_kafka(self) -> None:
        try:
            if self._producer is None:
                self._producer = await self._started()
            await self._require(self._producer, *self._topics)
        except (KafkaError, OSError, TimeoutError, ValueError) as error:  # a ValueError: it is no address
            self._drop_connection()  # brokers may come back at other addresses than the client knows
            raise unreachable(self._bootstrap) from error
        self._down = None

    async def _require(self, producer: AIOKafkaProducer, *topics: str) -> None:
        """See that topics are there by listing all: a broker asked for one by name may make it, of the wrong size."""
        cluster = await producer.client.fetch_all_metadata()
        there = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
        missing = ", ".join(topic for topic, count in there.items() if not count)
        if missing:
            raise UnavailableError(f"Kafka at {self._bootstrap} has no topic {missing} yet: make the topics first")
        for topic in there:
            await producer.partitions_for(topic)  # asked for now, and not when the first message is to go
        for broker in producer.client.cluster.brokers():
            await producer.client.ready(broker.nodeId)  # so is the connection
        self._counts |= there

    async def _started(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap.split(","),
            client_id="readbrief",
            acks="all",
            max_batch_size=_BATCH_BYTES,
            compression_type="zstd",  # shrinks a bundle tenfold, in a twentieth of gzip's time
            # An idempotent producer of this client never gives up, and the embedded broker has no number for it.
            request_timeout_ms=int(self._delivery_timeout_s * 800),
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    def _drop_connection(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            self._in_background(producer.stop())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._leaving.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._leaving.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            _log.warning("kafka_close_failed", bootstrap=self._bootstrap, problem=repr(problem))
