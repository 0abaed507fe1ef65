"""Stream workers that are killed, added and removed at random while events flow, and what came of it."""

import json
import random
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from producers.publisher import partition_of
from readbrief.workers import as_environment
from schemas.envelope import Bundle, Envelope
from schemas.settings import Settings
from schemas.topics import ACTIVITY, EVENTS, IDENTIFIED
from tests.support.fresh_brokers import producing
from tests.support.processes import Running, start

BUNDLE = 100
LEAST_WORKERS = 2
READ_BY = {
    EVENTS.name: ("readbrief-visitors", "readbrief-clickhouse"),
    ACTIVITY.name: ("readbrief-accounts",),
    IDENTIFIED.name: ("readbrief-clickhouse",),
}


@dataclass
class Story:
    """What was done to the workers, and how long the others took to go on in their place."""

    kills: list[float] = field(default_factory=list)
    lulls: int = 0
    added: int = 0
    removed: int = 0
    takeovers: list[tuple[float, float, int]] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Tell it in figures."""
        recoveries = [
            min((at for at, _, _ in self.takeovers if at > killed), default=float("inf")) - killed
            for killed in self.kills
        ]
        largest = max((records for _, _, records in self.takeovers), default=0)
        rebuilt = [seconds for _, seconds, _ in self.takeovers]
        return [
            f"{len(self.kills)} kills, {self.lulls} put to sleep, {self.added} added, {self.removed} removed",
            f"{len(self.takeovers)} take-overs of partitions by a stage of a worker",
            f"after a kill, partitions had an owner again in {_span(recoveries)} s",
            f"state rebuilt in {_span(rebuilt)} s, of up to {largest:,} records",
        ]


def _span(values: Sequence[float]) -> str:
    return f"{min(values):.1f} to {max(values):.1f}" if values else "-"


class Workers:
    """Stream workers of one group."""

    def __init__(self, settings: Settings, directory: Path, seed: int) -> None:
        """Take where they work, and where their logs go."""
        self._environment = as_environment(settings)
        self._session_s = settings.kafka_session_timeout_s
        self._directory = directory
        self._random = random.Random(seed)
        self._running: list[Running] = []
        self._logs: list[Path] = []
        self.story = Story()
        self._deeds = cycle((self._kill, self._add_one, self._lull, self._kill, self._remove, self._kill))

    def add(self) -> None:
        """Start one more."""
        log = self._directory / f"worker-{len(self._logs)}.log"
        self._logs.append(log)
        self._running.append(
            start([sys.executable, "-m", "readbrief", "run", "streams"], log, environment=self._environment)
        )

    def disturb(self) -> None:
        """Do the next deed of a round: kill one, add one, put one to sleep, and so on; at least two go on."""
        next(self._deeds)()
        while len(self._running) < LEAST_WORKERS:
            self.add()

    def _kill(self) -> None:
        self._running.pop(self._random.randrange(len(self._running))).kill()
        self.story.kills.append(time.time())

    def _lull(self) -> None:
        """Stop one for so long that the others take its partitions; then it goes on, and does not know."""
        sleeper = self._random.choice(self._running)
        sleeper.process.send_signal(signal.SIGSTOP)
        time.sleep(self._session_s + 3)
        sleeper.process.send_signal(signal.SIGCONT)
        self.story.lulls += 1

    def _add_one(self) -> None:
        self.add()
        self.story.added += 1

    def _remove(self) -> None:
        assert self._running.pop(0).stop() == 0
        self.story.removed += 1

    def all_alive(self) -> None:
        """Fail with its log if one ended that nobody had ended."""
        for one in self._running:
            if one.process.poll() is not None:
                raise one.failure(f"a worker ended with {one.process.returncode}")

    def stop(self) -> None:
        """Stop all, and read their story from the logs."""
        for one in self._running:
            one.stop()
        for log in self._logs:
            for line in log.read_text(errors="replace").splitlines():
                if '"partitions_taken_over"' in line:
                    said = json.loads(line[line.index("{") :])
                    at = datetime.fromisoformat(said["timestamp"]).timestamp()
                    self.story.takeovers.append((at, said["seconds"], said["records"]))


@contextmanager
def publishing(bootstrap: str, partitions: int, events: Sequence[Envelope], per_s: float) -> Iterator[threading.Thread]:
    """Publish events in bundles, as the collector does, at a rate; the thread ends once all are acknowledged."""

    def publish() -> None:
        begin_s = time.monotonic()
        waiting: dict[int, list[Envelope]] = defaultdict(list)
        with producing(bootstrap) as producer:
            for number, one in enumerate(events):
                partition = partition_of(one.visitor_id, partitions)
                waiting[partition].append(one)
                if len(waiting[partition]) == BUNDLE:
                    bundle = Bundle(envelopes=tuple(waiting.pop(partition))).to_bytes()
                    producer.send(EVENTS.name, value=bundle, partition=partition)
                if number % 1000 == 0:
                    time.sleep(max(0.0, begin_s + number / per_s - time.monotonic()))
            for partition, rest in waiting.items():
                producer.send(EVENTS.name, value=Bundle(envelopes=tuple(rest)).to_bytes(), partition=partition)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


def wait_until_worked_off(bootstrap: str, timeout_s: float) -> None:
    """Wait until every reader has committed the end of what it reads, and nothing more has come of it."""
    deadline = time.monotonic() + timeout_s
    before: dict[str, int] = {}
    while time.monotonic() < deadline:
        behind = {}
        ends: dict[str, int] = {}
        for topic, groups in READ_BY.items():
            for group in groups:
                behind[topic, group], ends[topic] = _lag(bootstrap, topic, group)
        if not any(behind.values()) and ends == before:
            return
        before = ends
        time.sleep(1.5)
    raise AssertionError(f"not worked off in {timeout_s:g} s: {behind}")


def _lag(bootstrap: str, topic: str, group: str) -> tuple[int, int]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        ends = consumer.end_offsets(partitions)
        committed = sum(consumer.committed(partition) or 0 for partition in partitions)
        return sum(ends.values()) - committed, sum(ends.values())
    finally:
        consumer.close(autocommit=False)


def last_by_key(bootstrap: str, topic: str) -> dict[str, bytes]:
    """Return the last value of each key of a topic."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        found: dict[str, bytes] = {}
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for records in consumer.poll(timeout_ms=200).values():
                found |= {record.key.decode(): record.value for record in records}
        return found
    finally:
        consumer.close()
