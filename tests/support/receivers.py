"""Where briefs arrive in tests: a real SMTP server and a real HTTP endpoint, on this machine only."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.ports import free_port

T = TypeVar("T")

HOST = "127.0.0.1"


@dataclass
class Received:
    """Something that arrived, and when by the wall clock in Unix milliseconds."""

    content: Any
    at_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)


@dataclass
class Mailbox:
    """What has arrived so far at a port."""

    port: int
    received: list[Received] = field(default_factory=list)

    def wait_for(self, count: int, timeout_s: float) -> list[Received]:
        """Wait until so much has arrived, or the time is up; the test judges what it got."""
        return wait_until(lambda: self.received if len(self.received) >= count else None, timeout_s) or self.received


@contextmanager
def receiving_mail() -> Iterator[Mailbox]:
    """Run an SMTP server that keeps each mail, parsed."""
    box = Mailbox(free_port())

    class Keep:
        async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
            parsed = message_from_bytes(envelope.original_content or b"", policy=policy.default)
            assert isinstance(parsed, EmailMessage)
            box.received.append(Received(parsed))
            return "250 OK"

    controller = Controller(Keep(), hostname=HOST, port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@contextmanager
def receiving_chat() -> Iterator[Mailbox]:
    """Run an HTTP server that keeps each JSON message posted to it."""
    box = Mailbox(free_port())

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.received.append(Received(json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass  # the test's output is for the test

    with serving(ThreadingHTTPServer((HOST, box.port), Keep)):
        yield box


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    """Run an HTTP server in a thread for a while."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wait_until(found: Callable[[], T | None], timeout_s: float) -> T | None:
    """Ask again until there is something, or the time is up."""
    deadline = time.monotonic() + timeout_s
    while (result := found()) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return result
