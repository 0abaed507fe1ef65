"""Reports go past the application, and nobody outside can tell: not by an answer, nor by an order, nor at the end."""

import asyncio
import gzip
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread

import httpx
import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from producers.bundling import Bundler
from producers.collector.dead_letters import DeadLetters
from producers.collector.direct import ReportProtocol
from producers.collector.reports import ReportTaking
from producers.collector.state import Collector
from producers.collector.worker import server_config
from schemas.settings import Settings, Site
from tests.producers.collector_process import RunningCollector
from tests.producers.counters import answered
from tests.producers.reports import SENT, body, report
from tests.support.receivers import wait_until

BODY = body(report())
HEAD = b"POST /v1/events HTTP/1.1\r\nHost: collector\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n" % len(BODY)
POST = HEAD + b"\r\n" + BODY
GET = b"GET / HTTP/1.1\r\nHost: collector\r\n\r\n"
TAKEN, BY_THE_APP = 204, 418


async def _teapot(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await PlainTextResponse("by the application", BY_THE_APP)(scope, receive, send)


@dataclass
class Slow:
    """A server whose bundles are kept when the test says so."""

    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    server: uvicorn.Server = field(init=False)
    port: int = 0
    problem: Exception | None = None

    def send(self, _slot: int, _bundle: bytes) -> asyncio.Future[None]:
        if self.problem:
            raise self.problem
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(kept)
        return kept

    def hold(self, count: int = 1) -> None:
        assert wait_until(lambda: len(self.waiting) == count or None, 5), f"{self.waiting} and not {count} came"

    def keep_all(self, count: int = 1) -> None:
        self.hold(count)
        while self.waiting:
            kept = self.waiting.pop()
            kept.get_loop().call_soon_threadsafe(kept.set_result, None)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    settings = Settings(secret="a secret for tests", sites={"www": Site(origins=("https://www.example.com",))})
    collector = Collector(
        settings,
        Bundler(slow.send, 0),
        DeadLetters(lambda _letter: slow.send(0, b"")),
        lambda _visitor: 0,
        lambda: True,
        lambda: SENT,
        b"",
    )
    config = server_config(_teapot, settings, ReportTaking(collector))
    config.lifespan = "off"
    slow.server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        slow.port = listener.getsockname()[1]
        thread = Thread(target=lambda: asyncio.run(slow.server.serve(sockets=[listener])))
        thread.start()
        yield slow
        slow.server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def _statuses(connection: socket.socket, count: int) -> list[int]:
    received = b""
    while received.count(b"HTTP/1.1 ") < count and (chunk := connection.recv(65_536)):
        received += chunk
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", received)]


def _rest(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65_536):
        received += chunk
    return received


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (body(report(visitor_id="alike")), {}),
        (body(report(visitor_id="alike")), {"origin": "https://www.example.com"}),
        (body(report(visitor_id="alike")), {"origin": "https://www.example.com", "connection": "close"}),
        (body(report(visitor_id="alike")), {"origin": "https://evil.example"}),
        (gzip.compress(body(report(visitor_id="alike"))), {"content-encoding": "gzip"}),
        (b"rubbish", {"content-encoding": "gzip"}),
        (b"rubbish", {}),
        (b"", {}),
        (b"{}", {"content-type": "image/png"}),
        (b"a" * 65_537, {"origin": "https://www.example.com"}),
        (b"a" * 1_200_000, {}),
    ],
)
def test_both_ways_answer_alike(running_collector: RunningCollector, content: bytes, headers: dict[str, str]) -> None:
    every = {"content-type": "text/plain", **headers}
    direct, by_the_app = (
        httpx.post(f"{running_collector.url}/v1/events{query}", content=content, headers=every)
        for query in ("", "?a=b")
    )
    assert (direct.status_code, direct.content) == (by_the_app.status_code, by_the_app.content)
    assert direct.status_code < 500
    assert "date" in direct.headers
    assert _without_date(direct) == _without_date(by_the_app)


def _without_date(answer: httpx.Response) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers.items() if name != "date")


def test_reports_go_past_the_application_and_nothing_else_does(slow: Slow) -> None:
    with slow.connect() as connection:
        for data, status in ((POST, TAKEN), (GET, BY_THE_APP), (POST, TAKEN), (POST.replace(b"events", b"page"), 418)):
            connection.sendall(data)
            if status == TAKEN:
                slow.keep_all()
            assert _statuses(connection, 1) == [status]


@pytest.mark.parametrize("piece", [1, 7, len(HEAD) + 1])
def test_a_report_may_come_in_pieces(slow: Slow, piece: int) -> None:
    with slow.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(POST), piece):
            connection.sendall(POST[start : start + piece])
        slow.keep_all()
        assert _statuses(connection, 1) == [TAKEN]


def test_requests_sent_before_an_answer_are_answered_in_their_order(slow: Slow) -> None:
    with slow.connect() as connection:
        connection.sendall(POST + GET + POST + GET)  # the second report can't be answered yet: it is the application's
        slow.keep_all()
        assert _statuses(connection, 4) == [TAKEN] + [BY_THE_APP] * 3


def test_who_waits_to_be_told_to_go_on_is_the_applications(slow: Slow) -> None:
    with slow.connect() as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\n\r\n")
        assert _statuses(connection, 1) == [BY_THE_APP]


@pytest.mark.parametrize("head", [HEAD + b"Connection: close\r\n", HEAD.replace(b"HTTP/1.1", b"HTTP/1.0")])
def test_a_connection_that_is_to_end_ends_with_the_answer(slow: Slow, head: bytes) -> None:
    with slow.connect() as connection:
        connection.sendall(head + b"\r\n" + BODY)
        if b"HTTP/1.1" in head:
            slow.keep_all()
        assert b"\r\nconnection: close\r\n" in _rest(connection)


def test_one_who_hangs_up_takes_nothing_from_those_who_wait(slow: Slow) -> None:
    with slow.connect() as gone, slow.connect() as waiting:
        gone.sendall(POST)
        slow.hold()
        waiting.sendall(POST)
        slow.hold(2)
        gone.close()
        held = slow.server.server_state.connections
        assert wait_until(lambda: len(held) == 1 or None, 5), "the end of a connection was not seen"
        slow.keep_all(2)
        assert _statuses(waiting, 1) == [TAKEN]


def test_told_to_end_the_server_answers_who_waits_first(slow: Slow) -> None:
    with slow.connect() as connection:
        connection.sendall(POST)
        slow.hold()
        slow.server.should_exit = True
        (held,) = slow.server.server_state.connections
        assert isinstance(held, ReportProtocol)
        assert wait_until(lambda: held.cycle.keep_alive is False or None, 5), "the server did not begin to end"
        slow.keep_all()
        answer = _rest(connection)
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize("data", [BODY, b"rubbish"])
def test_a_fault_of_our_own_is_logged_and_answered_500_like_any_answer(slow: Slow, data: bytes) -> None:
    slow.problem = RuntimeError("a fault of our own")
    before = answered(500)
    with capture_logs() as logs:
        answer = httpx.post(
            f"http://127.0.0.1:{slow.port}/v1/events", content=data, headers={"content-type": "text/plain"}
        )
    assert answer.status_code == 500
    assert answered(500) == before + 1
    assert answer.json() == {"error": {"field": "", "message": "this request could not be served"}}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [log["path"] for log in logs if log["event"] == "request_failed"] == ["/v1/events"]
