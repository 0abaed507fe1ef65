"""A site and a collector, as a browser sees them: pages with the snippet, and a record of what it posts."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from producers.snippet import script, tag
from schemas.envelope import Report
from schemas.events import Click, Copy, FormSubmit, IdentifyByToken, PageProgress, PageView

PAGES = Path(__file__).parent
SITE = "docs"
STUB = (
    "window.readbrief=window.readbrief||function(){(readbrief.q=readbrief.q||[]).push(arguments)};"
    "readbrief('identify','token-of-the-site');"
)

E = TypeVar("E", PageView, PageProgress, Click, Copy, FormSubmit, IdentifyByToken)


class Recorder:
    """What was posted, in the order of arrival; `status` is what the collector answers."""

    def __init__(self) -> None:
        self.status = 204
        self.script_delay_s = 0.0
        self.attributes = ""
        self.stub = ""
        self.reports: list[Report] = []
        self.received_ms: list[int] = []  # by the collector's clock, one for each report
        self.invalid: list[str] = []
        self.refused: list[str] = []
        self.methods: list[str] = []
        self.bodies: list[str] = []
        self.collector = ""
        self.url = ""
        self._changed = threading.Condition()

    def take(self, body: bytes) -> None:
        with self._changed:
            if self.status < 300:
                self.bodies.append(body.decode())
                try:
                    self.reports.append(Report.model_validate_json(body))
                    self.received_ms.append(time.time_ns() // 1_000_000)
                except ValidationError as error:
                    self.invalid.append(str(error))
            else:
                self.refused.append(body.decode())
            self._changed.notify_all()

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind in the order in which they happened: they may arrive in another."""
        with self._changed:
            found = [event for report in self.reports for event in report.events if isinstance(event, kind)]
        return sorted(found, key=lambda event: event.occurred_ms)

    def wait(self, enough: Callable[[], bool], what: str, timeout_s: float = 10) -> None:
        """Wait until something was posted; fail with what it was if it never is."""
        with self._changed:
            assert self._changed.wait_for(enough, timeout_s), f"never posted: {what}; posted: {self.bodies}"

    def last(self, kind: type[E], count: int = 1) -> E:
        """Wait for so many events of a kind, and return the last one."""
        self.wait(lambda: len(self.of(kind)) >= count, f"{count} {kind.__name__}")
        return self.of(kind)[-1]

    def left(self, count: int = 1) -> PageProgress:
        """Wait until so many page views were left, and return what the last one came to."""
        self.wait(lambda: sum(event.left for event in self.of(PageProgress)) >= count, f"{count} times left")
        return [event for event in self.of(PageProgress) if event.left][-1]

    def stays_silent(self, seconds: float) -> None:
        """Check that nothing has been posted yet, nor is within so many seconds."""
        time.sleep(seconds)
        assert self.bodies + self.refused == []


def _handler(recorder: Recorder) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/rb.js":
                time.sleep(recorder.script_delay_s)
                self._answer(200, script(), "text/javascript")
            elif (page := PAGES / f"{path.strip('/')}.html").exists():
                self._answer(200, _render(page, recorder), "text/html; charset=utf-8")
            else:
                self._answer(404, b"no such page", "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path != "/nothing":  # that is the page's own
                recorder.methods.append(f"{self.path} {self.headers['content-type']} {self.headers['cookie']}")
                recorder.take(body)
            self._answer(recorder.status, b"", "text/plain")

        def do_OPTIONS(self) -> None:
            recorder.methods.append("preflight")
            self._answer(403, b"", "text/plain")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.send_header("access-control-allow-origin", recorder.url)
            self.send_header("access-control-allow-credentials", "true")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            """Keep the test's output clean."""

    return Handler


def _render(page: Path, recorder: Recorder) -> bytes:
    pasted = tag(recorder.collector, SITE).replace("<script ", f"<script {recorder.attributes} ", 1)
    text = page.read_text("utf-8").replace("{{tag}}", pasted).replace("{{stub}}", recorder.stub)
    return text.replace("{{collector}}", recorder.collector).encode()


@contextmanager
def serving() -> Iterator[Recorder]:
    """Serve the site and, on an origin of its own, the collector."""
    recorder = Recorder()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _handler(recorder)) for _ in range(2)]
    recorder.url, recorder.collector = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield recorder
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
