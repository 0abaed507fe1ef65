"""How far each consumer group is behind in what it reads."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from schemas.errors import UnavailableError
from schemas.topics import ACTIVITY, BRIEFS, DELIVERIES, EVENTS
from sinks.broker_wait import wait_for_broker

GROUPS: tuple[tuple[str, str], ...] = (
    ("readbrief-visitors", EVENTS.name),
    ("readbrief-accounts", ACTIVITY.name),
    ("readbrief-reps", BRIEFS.name),
    ("readbrief-clickhouse", EVENTS.name),
    ("readbrief-delivery", DELIVERIES.name),
)
_TIMEOUT_S = 4.0
_KEPT_S = 10.0
_POLL_MS = 200


class Lag(NamedTuple):
    """How far one group is behind in one topic, in messages; None if it is not known."""

    group: str
    topic: str
    behind: int | None


def group_lags(bootstrap: str, groups: Sequence[tuple[str, str]] = GROUPS, timeout_s: float = _TIMEOUT_S) -> list[Lag]:
    """Return how far each group is behind in its topic; what is not known in time is None.

    The end of a topic is taken from the answer to a fetch: the embedded broker answers the question for it wrongly.

    Raises:
        UnavailableError: the broker does not answer.
    """
    wait_for_broker(bootstrap, 0, threading.Event())  # asked first, because each failed client leaks file descriptors
    deadline = time.monotonic() + timeout_s
    try:
        with ThreadPoolExecutor(len(groups)) as pool:  # each waits for the broker, most of the time
            asked = [pool.submit(_behind, bootstrap, group, topic, deadline) for group, topic in groups]
            behind = [one.result() for one in asked]
    except KafkaError as error:
        raise UnavailableError(f"the broker at {bootstrap} does not answer: {error!r}") from error
    return [Lag(group, topic, number) for (group, topic), number in zip(groups, behind, strict=True)]


class KeptLags:
    """Asks at most every few seconds, however many look."""

    def __init__(self, ask: Callable[[], list[Lag]], clock_s: Callable[[], float] = time.monotonic) -> None:
        """Ask nothing yet; `ask` is how."""
        self._ask = ask
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._until_s = float("-inf")
        self._lags: list[Lag] = []

    def __call__(self) -> list[Lag]:
        """Return how far each group is behind, as of a few seconds ago.

        Raises:
            UnavailableError: the broker does not answer.
        """
        with self._lock:
            if self._clock_s() > self._until_s:
                self._lags = self._ask()
                self._until_s = self._clock_s() + _KEPT_S
            return self._lags


def _behind(bootstrap: str, group: str, topic: str, deadline: float) -> int | None:
    with _consumer(bootstrap, group) as consumer:
        consumer.topics()
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        if not partitions:
            return None
        consumer.assign(partitions)
        committed = {partition: consumer.committed(partition) or 0 for partition in partitions}
        for partition, offset in committed.items():
            consumer.seek(partition, offset)
        ends: dict[TopicPartition, int] = {}
        while len(ends) < len(partitions):
            consumer.poll(timeout_ms=_POLL_MS)
            ends |= {one: end for one in partitions if (end := consumer.highwater(one)) is not None}
            if time.monotonic() > deadline:
                return None
        return sum(max(0, ends[one] - committed[one]) for one in partitions)


@contextmanager
def _consumer(bootstrap: str, group: str) -> Iterator[Any]:
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap.split(","),
        group_id=group,
        enable_auto_commit=False,
        enable_incremental_fetch_sessions=False,
        allow_auto_create_topics=False,
        max_partition_fetch_bytes=1024,
        bootstrap_timeout_ms=2_000,
    )
    try:
        yield consumer
    finally:
        consumer.close(autocommit=False, timeout_ms=_POLL_MS)
