"""A chat service on this machine that answers as it is told, and notes what it took and when."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OK_BODIES = {
    "slack": "ok",
    "slackbot": '{"ok":true,"channel":"C1","ts":"17.1"}',
    "teams": "",
    "wecom": '{"errcode":0,"errmsg":"ok"}',
    "dingtalk": '{"errcode":0,"errmsg":"ok"}',
    "feishu": '{"code":0,"msg":"success"}',
}


@dataclass(frozen=True)
class Reply:
    """A status and a body; `drops` closes the socket instead, `hangs` says nothing until the receiver stops."""

    status: int = 200
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    drops: bool = False
    hangs: bool = False
    takes: bool = False


@dataclass
class Receiver:
    """Takes requests; `replies` are given first, one each, then what `reply_to` says, then the service's own yes."""

    port: int
    service: str
    replies: list[Reply] = field(default_factory=list)
    reply_to: Callable[[dict[str, Any]], Reply | None] = lambda _request: None
    taken: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], float]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, rest: str = "/hook/s3cret-token", user: str = "") -> str:
        """Return the receiver's address as READBRIEF_CHAT_TARGETS has it."""
        return f"{self.service}+http://{user}127.0.0.1:{self.port}{rest}"


@contextmanager
def receiver(service: str, *replies: Reply) -> Iterator[Receiver]:
    """Have a receiver running for a while."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with made.lock:
                made.asked.append((self.path, dict(self.headers), time.monotonic()))
                reply = made.replies.pop(0) if made.replies else made.reply_to(body)
                reply = reply or Reply(body=OK_BODIES[service], takes=True)
                if reply.takes:
                    made.taken.append(body)
            if reply.hangs:
                made.stopped.wait(30)
            if reply.drops or reply.hangs:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body.encode())))
            self.end_headers()
            self.wfile.write(reply.body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            """Say nothing: who asked may have gone."""

    server = Server(("127.0.0.1", 0), Handler)
    made = Receiver(server.server_port, service, list(replies))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        made.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
