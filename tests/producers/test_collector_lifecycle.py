"""What a collector does when its broker goes away and comes back, and when it is told to end."""

import signal
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from producers.collector.process import run
from producers.links import email_link
from readbrief.embedded import broker as embedded
from schemas.envelope import Bundle
from schemas.errors import InputError
from schemas.topics import EVENTS
from tests.producers.collector_process import collector, post
from tests.producers.kafka_topics import make_topics, reading
from tests.producers.reports import body, report
from tests.producers.waiting import wait_ready
from tests.support.brokers import start_kafka
from tests.support.ports import free_port
from tests.support.processes import Running, start
from tests.support.receivers import wait_until


class Stoppable(Protocol):
    """A broker of the test's own; what it kept may be gone when it is back."""

    @property
    def bootstrap(self) -> str: ...
    def start(self) -> None: ...
    def kill(self) -> None: ...


class EmbeddedServer:
    def __init__(self, directory: Path) -> None:
        self._port = free_port()
        self._output = directory / "broker.log"
        self._running: Running | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        self._running = start(embedded.command(self._port), self._output)
        self._running.wait_until(lambda: embedded.wait_ready(self.bootstrap, 0), 30)

    def kill(self) -> None:
        if self._running:
            self._running.kill()


@pytest.fixture(params=["embedded", "kafka"])
def own_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stoppable]:
    server: Stoppable
    if request.param == "kafka":
        server = start_kafka(tmp_path / "kafka")
    else:
        server = EmbeddedServer(tmp_path)
        server.start()
    try:
        yield server
    finally:
        server.kill()


def visitors_in(bootstrap: str, wanted: set[str], timeout_s: float = 15) -> set[str]:
    """Give the wanted visitors whose events are in Kafka: all, or those that were read in time."""
    deadline = time.monotonic() + timeout_s
    found: set[str] = set()
    with reading(bootstrap, EVENTS.name) as reader:
        while not wanted <= found and time.monotonic() < deadline:
            for _, _, value in reader.read_for(0.2):
                found |= {envelope.visitor_id for envelope in Bundle.from_bytes(value or b"").envelopes}
    return found & wanted


def test_without_a_broker_it_answers_503_and_recovers_when_the_broker_is_back(
    own_broker: Stoppable, tmp_path: Path
) -> None:
    make_topics(own_broker.bootstrap)
    with collector(own_broker.bootstrap, tmp_path / "collector.log") as running:
        wait_ready(running.url)
        assert post(running.url, body(report(visitor_id="before"))).status_code == 204
        own_broker.kill()
        for number in range(3):
            began = time.monotonic()
            answer = post(running.url, body(report(visitor_id=f"away-{number}")))
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert "try again" in answer.json()["error"]["message"]
            assert time.monotonic() - began < 8
        assert post(running.url, b"rubbish").status_code == 503  # the refusal can't be kept, so it is none yet
        wait_ready(running.url, ready=False)
        assert httpx.get(f"{running.url}/healthz").status_code == 200
        own_broker.start()
        make_topics(own_broker.bootstrap)
        wait_ready(running.url)
        assert post(running.url, body(report(visitor_id="after"))).status_code == 204
        assert visitors_in(own_broker.bootstrap, {"after"}) == {"after"}


def test_started_before_its_broker_it_serves_and_waits(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    with collector(server.bootstrap, tmp_path / "collector.log") as running:
        assert httpx.get(f"{running.url}/readyz").status_code == 503
        assert post(running.url, body(report())).status_code == 503
        server.start()
        try:
            time.sleep(1)
            assert post(running.url, body(report())).status_code == 503  # there is no topic yet
            make_topics(server.bootstrap)
            wait_ready(running.url)
            assert post(running.url, body(report())).status_code == 204
        finally:
            server.kill()


def test_a_reader_is_redirected_though_the_broker_is_away(tmp_path: Path) -> None:
    with collector(f"127.0.0.1:{free_port()}", tmp_path / "collector.log") as running:
        target = "https://www.example.com/pricing"
        now_ms = time.time_ns() // 1_000_000
        answer = httpx.get(email_link(running.settings, "www", "c1", "k", target, now_ms=now_ms))
        assert answer.status_code == 302
        assert answer.headers["location"].startswith(target + "#rb=")
        running.running.stop()
        assert "email_event_lost" in running.running.output.read_text()


@pytest.mark.parametrize("linger_ms", [0, 20, 1000])
def test_told_to_end_it_loses_nothing_it_accepted(topics: str, tmp_path: Path, linger_ms: int) -> None:
    accepted: set[str] = set()
    mark = uuid.uuid4().hex
    with collector(topics, tmp_path / "collector.log", linger_ms=linger_ms) as running:
        wait_ready(running.url)

        def keep_posting(worker: int) -> None:
            with httpx.Client(base_url=running.url, timeout=20) as client:
                for number in range(1000):
                    visitor = f"{mark}-{worker}-{number}"
                    try:
                        answer = client.post(
                            "/v1/events",
                            content=body(report(visitor_id=visitor)),
                            headers={"content-type": "text/plain"},
                        )
                    except httpx.TransportError:
                        return  # it no longer accepts
                    if answer.status_code == 204:
                        accepted.add(visitor)

        workers = [threading.Thread(target=keep_posting, args=(each,)) for each in range(8)]
        for worker in workers:
            worker.start()
        assert wait_until(lambda: len(accepted) >= 8 or None, 30), "no eight reports were accepted in time"
        running.running.process.send_signal(signal.SIGTERM)
        for worker in workers:
            worker.join()
        assert running.running.process.wait(20) == 0
        assert "collector_stopped" in running.running.output.read_text()
    assert visitors_in(topics, accepted) == accepted


def test_a_port_that_is_taken_is_named(topics: str, tmp_path: Path) -> None:
    with collector(topics, tmp_path / "collector.log") as running:
        port = int(running.url.rpartition(":")[2])
        with pytest.raises(InputError, match=f"127.0.0.1:{port}"):
            run(running.settings.model_copy(update={"collector_port": port}))
