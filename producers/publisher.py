"""The way to Kafka: messages handed over here are acknowledged by all replicas, or fail within a bounded time."""

import contextlib
import queue
import socket
import threading
import time
from collections import deque
from concurrent.futures import Future, InvalidStateError
from typing import Any, NamedTuple, TypedDict, Unpack

import structlog
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, MessageSizeTooLargeError
from kafka.partitioner.default import murmur2

from schemas.errors import InputError, UnavailableError

_log = structlog.get_logger()

_TICK_S = 0.1
_BATCH_BYTES = 2**19  # more than a bundle: a batch that is full does not wait for those of other partitions
_RETRY_CONNECT_S = 0.5
_PROBE_S = 1.0


class Position(NamedTuple):
    """Where Kafka keeps an acknowledged message."""

    partition: int
    offset: int


class _Order(NamedTuple):
    topic: str
    value: bytes | None
    key: bytes | None
    partition: int | None
    deadline_s: float
    future: "Future[Position]"


def partition_of(key: str, partitions: int) -> int:
    """Return the partition that Kafka's default partitioner gives to a key's UTF-8 bytes, of so many partitions."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def is_answering(bootstrap: str) -> bool:
    """Say whether a broker's port answers; blocks for a second at most."""
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        with contextlib.suppress(OSError, ValueError, OverflowError):
            socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_S).close()
            return True
    return False


def unreachable(bootstrap: str) -> UnavailableError:
    """Return what is to be told of brokers that can't be reached."""
    return UnavailableError(f"Kafka at {bootstrap} can't be reached: start it, or set READBRIEF_KAFKA_BOOTSTRAP")


class Options(TypedDict, total=False):
    """What `Waiting` takes beside the address."""

    topics: tuple[str, ...]
    delivery_timeout_s: float
    max_waiting_bytes: int


class Waiting:
    """What both ways to Kafka, by a thread and by an event loop, know of the cluster and of what waits for it."""

    def __init__(
        self,
        bootstrap: str,
        *,
        topics: tuple[str, ...] = (),
        delivery_timeout_s: float = 5.0,
        max_waiting_bytes: int = 64 * 2**20,
    ) -> None:
        """Take `host:port[,host:port]`; nothing is connected yet."""
        self._bootstrap = bootstrap
        self._topics = topics
        self._delivery_timeout_s = delivery_timeout_s
        self._max_waiting_bytes = max_waiting_bytes
        self._waiting_bytes = 0
        self._counts: dict[str, int] = {}
        self._down: UnavailableError | None = None
        self._closing = False

    def partitions(self, topic: str) -> int:
        """Return the number of partitions of one of the publisher's topics, as the cluster told.

        Raises:
            UnavailableError: there is no connection yet.
        """
        count = self._counts.get(topic)
        if count is None:
            raise self._down or unreachable(self._bootstrap)
        return count

    def _refusal(self, size: int) -> UnavailableError | None:
        if self._closing:
            return UnavailableError("the publisher is closed")
        if self._down is not None:
            return self._down
        if self._waiting_bytes + size > self._max_waiting_bytes:
            return UnavailableError(f"Kafka at {self._bootstrap} is too slow: {self._waiting_bytes} bytes wait for it")
        return None


class Publisher(Waiting):
    """Publishes from any thread or event loop without ever blocking it; one thread of its own does the waiting.

    `topics` must exist before the publisher counts as connected. Once Kafka is known to be away, a message fails at
    once, until a connection stands again; so do messages beyond `max_waiting_bytes`, which bounds the memory.
    """

    def __init__(self, bootstrap: str, **options: Unpack[Options]) -> None:
        """Start connecting, in the background; takes what `Waiting` does."""
        super().__init__(bootstrap, **options)
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._unsettled: deque[tuple[float, Future[Position]]] = deque()
        self._lock = threading.Lock()
        self._producer: KafkaProducer | None = None
        self._tried = threading.Event()
        self._suspect = False
        self._retry_at_s = 0.0
        self._thread = threading.Thread(target=self._work, name="kafka-publisher", daemon=True)
        self._thread.start()

    def connect(self, timeout_s: float = 10.0) -> None:
        """Wait for the first connection.

        Raises:
            UnavailableError: Kafka can't be reached, or lacks a topic; the message says what to do.
        """
        if not self._tried.wait(timeout_s):
            raise unreachable(self._bootstrap)
        if self._down is not None:
            raise self._down

    def send(
        self, topic: str, value: bytes | None, key: bytes | None = None, partition: int | None = None
    ) -> "Future[Position]":
        """Hand over a message and return at once; the future tells its position, or fails with UnavailableError.

        A None value deletes its key from a compacted topic.
        """
        future: Future[Position] = Future()
        future.set_running_or_notify_cancel()  # it can't be called back once it is on its way
        size = len(value or b"") + len(key or b"") + 100
        deadline_s = time.monotonic() + self._delivery_timeout_s
        with self._lock:
            refused = self._refusal(size)
            if refused is None:
                self._waiting_bytes += size
                self._orders.put(_Order(topic, value, key, partition, deadline_s, future))
        if refused is None:
            future.add_done_callback(lambda _: self._release(size))
        else:
            future.set_exception(refused)
        return future

    def publish(
        self, topic: str, value: bytes | None, key: bytes | None = None, partition: int | None = None
    ) -> Position:
        """Publish a message and return its position once it is acknowledged.

        Raises:
            UnavailableError: it was not acknowledged in time.
        """
        return self.send(topic, value, key, partition).result()

    def close(self) -> None:
        """Wait until everything handed over is acknowledged or has failed, then disconnect."""
        with self._lock:
            if not self._closing:
                self._closing = True
                self._orders.put(None)
        self._thread.join()

    def _release(self, size: int) -> None:
        with self._lock:
            self._waiting_bytes -= size

    def _work(self) -> None:
        while True:
            if self._suspect:
                self._drop_connection()
            if self._producer is None and time.monotonic() >= self._retry_at_s:
                self._try_connect()
            try:
                order = self._orders.get(timeout=_TICK_S)
            except queue.Empty:
                self._fail_overdue()
                continue
            if order is None:
                break
            self._hand_over(order)
            self._fail_overdue()
        self._finish()

    def _try_connect(self) -> None:
        try:
            self._producer = self._ready_producer()
        except UnavailableError as error:
            if str(error) != str(self._down):  # said once, not at each try
                _log.warning("kafka_unreachable", problem=str(error))
            self._down = error
            self._retry_at_s = time.monotonic() + _RETRY_CONNECT_S
        else:
            _log.info("kafka_connected", bootstrap=self._bootstrap, partitions=self._counts)
            self._down = None
        self._tried.set()

    def _ready_producer(self) -> KafkaProducer:
        if not is_answering(self._bootstrap):  # asked first, because each failed client leaks file descriptors
            raise unreachable(self._bootstrap)
        self._require_topics(self._topics)
        try:
            producer = self._new_producer()
        except KafkaError as error:
            raise unreachable(self._bootstrap) from error
        try:
            self._counts = {topic: len(producer.partitions_for(topic)) for topic in self._topics}
        except KafkaError as error:
            _abandon(producer)
            raise unreachable(self._bootstrap) from error
        return producer

    def _require_topics(self, topics: tuple[str, ...]) -> None:
        """See that topics are there by listing all: a broker asked for one by name may make it, of the wrong size."""
        try:
            admin = KafkaAdminClient(bootstrap_servers=self._bootstrap.split(","), bootstrap_timeout_ms=3000)
            try:
                there = set(admin.list_topics())
            finally:
                admin.close()
        except (KafkaError, OSError) as error:
            raise unreachable(self._bootstrap) from error
        missing = ", ".join(topic for topic in topics if topic not in there)
        if missing:
            raise UnavailableError(f"Kafka at {self._bootstrap} has no topic {missing} yet: make the topics first")

    def _new_producer(self) -> KafkaProducer:
        timeout_ms = int(self._delivery_timeout_s * 1000)
        return KafkaProducer(
            bootstrap_servers=self._bootstrap.split(","),
            client_id="readbrief",
            acks="all",
            batch_size=_BATCH_BYTES,
            compression_type="zstd",  # shrinks a bundle tenfold, in a twentieth of gzip's time
            enable_idempotence=True,
            delivery_timeout_ms=timeout_ms,
            request_timeout_ms=timeout_ms * 4 // 5,
            bootstrap_timeout_ms=3000,
            max_block_ms=2000,
            reconnect_backoff_max_ms=1000,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )

    def _hand_over(self, order: _Order) -> None:
        producer = self._producer
        if producer is None:
            _fail(order.future, self._down or unreachable(self._bootstrap))
            return
        try:
            if order.topic not in self._counts:
                self._require_topics((order.topic,))
                self._counts[order.topic] = len(producer.partitions_for(order.topic))
            sent = producer.send(order.topic, value=order.value, key=order.key, partition=order.partition)
        except MessageSizeTooLargeError as error:
            _fail(order.future, InputError(f"a message for topic {order.topic} is too large: {error}"))
        except KafkaError:
            self._suspect = True
            _fail(order.future, unreachable(self._bootstrap))
        except (UnavailableError, AssertionError, TypeError, ValueError) as error:
            _fail(order.future, error)
        else:
            self._unsettled.append((order.deadline_s, order.future))
            sent.add_callback(_acknowledge, order.future)
            sent.add_errback(self._refuse, order.future)

    def _refuse(self, future: "Future[Position]", problem: BaseException) -> None:
        """Take a failed delivery as the end of this connection: an idempotent producer may never recover from it."""
        if isinstance(problem, MessageSizeTooLargeError):
            _fail(future, InputError(f"a message is too large for Kafka at {self._bootstrap}: {problem}"))
            return
        self._suspect = True
        _log.warning("kafka_delivery_failed", bootstrap=self._bootstrap, problem=str(problem))
        _fail(future, unreachable(self._bootstrap))

    def _fail_overdue(self) -> None:
        """Fail what Kafka has not acknowledged in time; the client's own timeout misses what it never could send."""
        now_s = time.monotonic()
        while self._unsettled and (self._unsettled[0][1].done() or self._unsettled[0][0] <= now_s):
            _, future = self._unsettled.popleft()
            if not future.done():
                self._suspect = True
                _fail(future, unreachable(self._bootstrap))

    def _drop_connection(self) -> None:
        producer, self._producer = self._producer, None
        self._suspect = False
        if producer is not None:
            self._down = unreachable(self._bootstrap)
            _abandon(producer)
        while self._unsettled:
            _fail(self._unsettled.popleft()[1], unreachable(self._bootstrap))

    def _finish(self) -> None:
        producer, self._producer = self._producer, None
        self._down = UnavailableError("the publisher is closed")
        if producer is None:
            return
        try:
            producer.close(timeout=self._delivery_timeout_s)
        except KafkaError as error:
            _log.warning("kafka_close_failed", bootstrap=self._bootstrap, problem=str(error))
            _abandon(producer)
        while self._unsettled:
            _fail(self._unsettled.popleft()[1], unreachable(self._bootstrap))


def _acknowledge(future: "Future[Position]", metadata: Any) -> None:
    with contextlib.suppress(InvalidStateError):  # given up on already, and reported as failed
        future.set_result(Position(metadata.partition, metadata.offset))


def _fail(future: "Future[Position]", error: BaseException) -> None:
    with contextlib.suppress(InvalidStateError):  # the acknowledgement came first
        future.set_exception(error)


def _abandon(producer: KafkaProducer) -> None:
    """Stop a producer without waiting for what it could not deliver: its `close` waits for that before all else."""
    producer._sender.force_close()  # noqa: SLF001 - no public way leaves a dead broker's batches behind
    with contextlib.suppress(KafkaError):
        producer.close(timeout=1)
