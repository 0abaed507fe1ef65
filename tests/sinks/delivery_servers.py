"""A real mail server and a real chat service for the tests of delivery, that count what they take."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.ports import free_port


@dataclass
class MailServer:
    """Takes mail on `port`; answers that stand in `rcpt_answers` and `data_answers` are given first, one each."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    rcpt_answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    hangs_up_after_taking: bool = False
    on_mail: Callable[[], object] = lambda: None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        del server, session, rcpt_options
        if self.rcpt_answers:
            return self.rcpt_answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        del session
        if self.data_answers:
            return self.data_answers.pop(0)
        assert isinstance(envelope.content, bytes)
        mail = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients += envelope.rcpt_tos
        self.on_mail()
        if self.hangs_up_after_taking:
            server.transport.abort()
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: LoginPassword
    ) -> AuthResult:
        del server, session, envelope, mechanism
        self.logins.append((login.login, login.password))
        return AuthResult(success=login.password == b"right", handled=False)


@contextmanager
def mail_server(port: int | None = None, **options: Any) -> Iterator[MailServer]:
    """Have a mail server running for a while."""
    server = MailServer(port or free_port())
    controller = Controller(
        server, hostname="127.0.0.1", port=server.port, authenticator=server.authenticate, **options
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@dataclass
class ChatService:
    """Takes chat messages at `url`, answering with the first of `statuses` while there are any, then 200."""

    port: int
    messages: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    on_message: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        """The service's Apprise URL."""
        return f"json://127.0.0.1:{self.port}/token-9f31/"


@contextmanager
def chat_service() -> Iterator[ChatService]:
    """Have a chat service running for a while."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.on_message()
            status = service.statuses.pop(0) if service.statuses else 200
            if status == 200:
                service.messages.append(body)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = ChatService(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
