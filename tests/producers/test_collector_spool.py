"""While Kafka is away, what the collector accepts is on disk; no death of anything loses it."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import psutil
import pytest

from producers.publisher import partition_of
from schemas.envelope import Bundle
from schemas.topics import EVENTS
from tests.producers.collector_process import RunningCollector, collector, post
from tests.producers.kafka_topics import PARTITIONS, make_topics, reading
from tests.producers.reports import body, progress, report
from tests.producers.waiting import wait_ready
from tests.support.brokers import start_kafka
from tests.support.kafka_server import KafkaServer
from tests.support.ports import free_port


@dataclass
class Poster:
    """Posts numbered events of a few visitors, one at least, until told to stop, and remembers which were accepted."""

    url: str
    visitors: tuple[str, ...]
    begin: int = 0
    accepted: dict[str, list[str]] = field(default_factory=dict)
    statuses: set[int] = field(default_factory=set)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._client = httpx.Client(base_url=self.url, timeout=10, headers={"content-type": "text/plain"})
        self._threads = [threading.Thread(target=self._post, args=(each,)) for each in self.visitors]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._client.close()

    def _post(self, visitor: str) -> None:
        number = self.begin
        while number == self.begin or not self._stop.is_set():
            name = f"e{number:05d}"
            number += 1
            try:
                answer = self._client.post("/v1/events", content=body(report(progress(name), visitor_id=visitor)))
            except httpx.TransportError:
                return  # the collector was killed
            self.statuses.add(answer.status_code)
            if answer.status_code == 204:
                self.accepted.setdefault(visitor, []).append(name)


def arrived(bootstrap: str, wanted: dict[str, list[str]], timeout_s: float = 25) -> dict[str, list[str]]:
    """Give each visitor's events as they stand in Kafka, once all that are wanted are there or time is up."""
    found: dict[str, list[str]] = {}
    deadline = time.monotonic() + timeout_s
    with reading(bootstrap, EVENTS.name) as reader:
        while time.monotonic() < deadline:
            seen = len(reader.read)
            for partition, _, value in reader.read_for(0.3)[seen:]:
                for envelope in Bundle.from_bytes(value or b"").envelopes:
                    assert partition == partition_of(envelope.visitor_id, PARTITIONS)
                    found.setdefault(envelope.visitor_id, []).append(envelope.event.event_id)
            if all(set(names) <= set(found.get(visitor, ())) for visitor, names in wanted.items()):
                break
    return found


def missing(wanted: dict[str, list[str]], found: dict[str, list[str]]) -> dict[str, set[str]]:
    lost = {visitor: set(names) - set(found.get(visitor, ())) for visitor, names in wanted.items()}
    return {visitor: names for visitor, names in lost.items() if names}


def first_times(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


def spooled(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.glob("*.spool"))


def with_spool(bootstrap: str, tmp_path: Path, **more: str) -> AbstractContextManager[RunningCollector]:
    given = {
        "READBRIEF_SPOOL_DIR": str(tmp_path / "spool"),
        "READBRIEF_COLLECTOR_VISITOR_PER_S": "0",
        "READBRIEF_COLLECTOR_CLIENT_PER_S": "0",
    }
    return collector(bootstrap, tmp_path / "collector.log", more=given | more)


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    server = start_kafka(tmp_path / "kafka")
    make_topics(server.bootstrap)
    try:
        yield server
    finally:
        server.kill()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("way", ["killed", "stopped"])
def test_no_accepted_event_is_lost_though_kafka_goes_and_the_collector_is_killed(
    kafka: KafkaServer, tmp_path: Path, way: str
) -> None:
    visitors = tuple(f"v{number}" for number in range(6))
    posters = []
    with with_spool(kafka.bootstrap, tmp_path) as running:
        wait_ready(running.url)
        with Poster(running.url, visitors) as first:
            time.sleep(1)
            kafka.kill() if way == "killed" else kafka.stop()
            time.sleep(2)
            os.kill(running.running.process.pid, signal.SIGKILL)
        posters.append(first)
    assert spooled(tmp_path / "spool") > 0
    with with_spool(kafka.bootstrap, tmp_path) as running:
        with Poster(running.url, visitors, begin=10_000) as second:
            time.sleep(1)
        posters.append(second)
        with Poster(running.url, visitors, begin=20_000) as third:
            kafka.start()
            time.sleep(4)
        posters.append(third)
        wanted = {each: [name for poster in posters for name in poster.accepted[each]] for each in visitors}
        found = arrived(kafka.bootstrap, wanted)
        assert missing(wanted, found) == {}
        deadline = time.monotonic() + 10
        while spooled(tmp_path / "spool"):
            assert time.monotonic() < deadline, "the spool is not empty though Kafka has all"
            time.sleep(0.05)
    assert [poster.statuses for poster in posters] == [{204}] * 3
    for visitor in visitors:
        assert first_times(found[visitor]) == sorted(first_times(found[visitor]))


def test_the_first_answer_after_kafkas_death_comes_soon(kafka: KafkaServer, tmp_path: Path) -> None:
    with with_spool(kafka.bootstrap, tmp_path) as running:
        wait_ready(running.url)
        assert post(running.url, body(report(visitor_id="before"))).status_code == 204
        kafka.kill()
        took = []
        for number in range(5):
            began = time.monotonic()
            assert post(running.url, body(report(visitor_id=f"away-{number}"))).status_code == 204
            took.append(time.monotonic() - began)
        assert took[0] < 1.0
        assert max(took[1:]) < 0.5
        assert httpx.get(f"{running.url}/readyz").status_code == 200
        assert post(running.url, b"rubbish").status_code == 400  # the refusal, too, waits on disk


def test_without_ever_having_seen_kafka_it_accepts_and_each_event_finds_its_partition(
    kafka: KafkaServer, tmp_path: Path
) -> None:
    kafka.stop()
    with with_spool(kafka.bootstrap, tmp_path, READBRIEF_KAFKA_PARTITIONS="17") as running:
        wanted = {f"w{number}": ["e1"] for number in range(30)}
        for visitor in wanted:
            assert post(running.url, body(report(visitor_id=visitor))).status_code == 204
        kafka.start()
        assert missing(wanted, arrived(kafka.bootstrap, wanted)) == {}


def metric(url: str, name: str) -> float:
    lines = httpx.get(f"{url}/metrics").raise_for_status().text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


def test_a_full_spool_is_answered_503_and_told_in_the_metrics(tmp_path: Path) -> None:
    port = free_port()
    nowhere = f"127.0.0.1:{free_port()}"
    more = {"READBRIEF_SPOOL_MAX_MB": "8", "READBRIEF_COLLECTOR_METRICS_PORT": str(port)}
    with with_spool(nowhere, tmp_path, **more) as running:
        wide = body(report(*[progress(f"e{number}", title="x" * 360) for number in range(100)]))
        kept = 0
        with httpx.Client(base_url=running.url, timeout=10, headers={"content-type": "text/plain"}) as client:
            while (answer := client.post("/v1/events", content=wide)).status_code == 204:
                kept += 1
                assert kept < 300
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert kept > 50
        assert 0 < spooled(tmp_path / "spool") <= 8 * 2**20
        time.sleep(1)
        assert httpx.get(f"{running.url}/readyz").status_code == 503
        metrics = f"http://127.0.0.1:{port}"
        assert metric(metrics, "readbrief_collector_spool_full") == 1
        assert metric(metrics, "readbrief_collector_spool_refused_total") >= 1
        assert metric(metrics, "readbrief_collector_spool_bytes") > 7_000_000
        assert httpx.get(f"{running.url}/metrics").status_code == 404  # not on the public port


def workers_of(running: RunningCollector) -> list[psutil.Process]:
    return list(psutil.Process(running.running.process.pid).children())


@pytest.mark.timeout(180)
def test_a_killed_workers_spool_is_adopted_and_the_worker_replaced(kafka: KafkaServer, tmp_path: Path) -> None:
    port = free_port()
    more = {"READBRIEF_COLLECTOR_WORKERS": "3", "READBRIEF_COLLECTOR_METRICS_PORT": str(port)}
    with with_spool(kafka.bootstrap, tmp_path, **more) as running:
        wait_ready(running.url)
        assert len(workers_of(running)) == 3
        kafka.kill()
        visitors = tuple(f"v{number}" for number in range(12))
        with Poster(running.url, visitors) as poster:
            time.sleep(1.5)
        victim = workers_of(running)[0]
        victim.kill()
        deadline = time.monotonic() + 15
        while len(alive := [each.pid for each in workers_of(running)]) < 3 or victim.pid in alive:
            assert time.monotonic() < deadline, "the worker was not replaced"
            time.sleep(0.1)
        assert poster.statuses == {204}
        kafka.start()
        assert missing(poster.accepted, arrived(kafka.bootstrap, poster.accepted, 40)) == {}
        accepted = sum(map(len, poster.accepted.values()))
        assert metric(f"http://127.0.0.1:{port}", "readbrief_collector_events_accepted_total") == accepted
        assert running.running.stop() == 0


def test_workers_end_when_their_parent_is_killed_and_leave_the_port(topics: str, tmp_path: Path) -> None:
    with collector(topics, tmp_path / "collector.log", more={"READBRIEF_COLLECTOR_WORKERS": "2"}) as running:
        wait_ready(running.url)
        children = workers_of(running)
        running.running.kill()
        _, alive = psutil.wait_procs(children, timeout=15)
        assert alive == []
