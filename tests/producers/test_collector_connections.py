"""What comes below a well-formed request: broken, oversized and slow HTTP, and too much of it."""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.producers.collector_process import collector, post
from tests.producers.reports import body, report
from tests.producers.waiting import wait_ready
from tests.support.ports import free_port

HOST = b"Host: collector\r\n"
POST = b"POST /v1/events HTTP/1.1\r\n" + HOST


@dataclass
class Guarded:
    url: str
    port: int
    metrics: str

    def refused(self) -> float:
        lines = httpx.get(f"{self.metrics}/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("readbrief_collector_refused_total{"))


@pytest.fixture(scope="module")
def guarded(embedded_broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    from tests.producers.kafka_topics import make_topics

    make_topics(embedded_broker)
    metrics = free_port()
    given = {
        "READBRIEF_COLLECTOR_METRICS_PORT": str(metrics),
        "READBRIEF_COLLECTOR_VISITOR_PER_S": "0.5",
        "READBRIEF_COLLECTOR_CLIENT_PER_S": "20",
    }
    output: Path = tmp_path_factory.mktemp("guarded") / "collector.log"
    with collector(embedded_broker, output, more=given) as running:
        wait_ready(running.url)
        yield Guarded(running.url, int(running.url.rpartition(":")[2]), f"http://127.0.0.1:{metrics}")


def answer_to(port: int, data: bytes, timeout_s: float = 5) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        connection.sendall(data)
        received = b""
        try:
            while chunk := connection.recv(65_536):
                received += chunk
        except ConnectionResetError:
            pass  # it hung up with our bytes unread; what it said before counts
        except TimeoutError:
            received += b" (and kept the connection open)"
        return received


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"rubbish\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),  # TLS where none is spoken
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"G\0T / HTTP/1.1\r\n\r\n", 400),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: 1e3\r\n\r\n", 400),
        (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (POST + b"X: a\0b\r\n\r\n", 400),
        (POST + b"X\x01Y: a\r\n\r\n", 400),
        (POST + b"no colon here\r\n\r\n", 400),
        (POST + b"X: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (POST + b"".join(b"X%d: a\r\n" % number for number in range(6_000)), 431),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431),
    ],
)
def test_what_is_no_proper_http_is_refused_and_counted(guarded: Guarded, data: bytes, status: int) -> None:
    before = guarded.refused()
    received = answer_to(guarded.port, data)
    assert received.startswith(b"HTTP/1.1 %d " % status), received[:200]
    assert b"kept the connection open" not in received
    assert guarded.refused() > before
    assert httpx.get(f"{guarded.url}/healthz").status_code == 200


def test_a_slow_sender_is_cut_off_wherever_it_dawdles(guarded: Guarded) -> None:
    begun = {
        "nothing at all": b"",
        "half a header": POST + b"X-Slow: a",
        "half a body": POST + b"Content-Type: text/plain\r\nContent-Length: 100\r\n\r\n{",
    }
    took: dict[str, float] = {}
    said: dict[str, bytes] = {}

    def dawdle(name: str, data: bytes) -> None:
        start = time.monotonic()
        said[name] = answer_to(guarded.port, data, timeout_s=20)
        took[name] = time.monotonic() - start

    threads = [Thread(target=dawdle, args=each) for each in begun.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(9 < seconds < 14 for seconds in took.values()), took
    assert all(b"kept the connection open" not in each for each in said.values())
    assert said["half a body"].startswith(b"HTTP/1.1 408 ")


def test_a_visitor_who_reports_too_often_is_told_when_to_go_on(guarded: Guarded) -> None:
    answers: list[httpx.Response] = []
    while len(answers) < 100 and (not answers or answers[-1].status_code == 204):  # a slow machine sends slowly
        answers.append(post(guarded.url, body(report(visitor_id="eager")), {"x-forwarded-for": "198.51.100.1"}))
    assert [each.status_code for each in answers[:5]] == [204] * 5
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 3
    calm = post(guarded.url, body(report(visitor_id="calm")), {"x-forwarded-for": "198.51.100.1"})
    assert calm.status_code == 204


def test_a_client_that_asks_too_often_is_told_when_to_go_on_and_others_are_not(guarded: Guarded) -> None:
    with httpx.Client(base_url=guarded.url, headers={"x-forwarded-for": "198.51.100.2"}) as client:
        answers = [client.post("/v1/events", content=b"x") for _ in range(400)]
    statuses = [each.status_code for each in answers]
    assert statuses[:200] == [415] * 200
    assert 429 in statuses[200:]
    told = next(each for each in answers if each.status_code == 429)
    assert int(told.headers["retry-after"]) >= 1
    assert post(guarded.url, b"x", {"x-forwarded-for": "198.51.100.3"}).status_code == 400
    metrics = httpx.get(f"{guarded.metrics}/metrics").text
    assert 'readbrief_collector_rate_limited_total{kind="client"}' in metrics
