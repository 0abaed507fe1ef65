"""A mailbox that takes every mail sent to it by SMTP and keeps the last ones in memory."""

import socket
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import structlog
from aiosmtpd.controller import Controller

from schemas.errors import UnavailableError

_log = structlog.get_logger()
_MAX_MAIL_BYTES = 2 * 2**20


@dataclass(frozen=True)
class Mail:
    """One mail as it came, numbered from 1."""

    number: int
    received: datetime
    sender: str
    to: str
    subject: str
    text: str
    html: str

    @property
    def preview(self) -> str:
        """Return how the text begins, on one line, without the subject that it repeats."""
        return " ".join(self.text.split()).removeprefix(self.subject).strip()


class Inbox:
    """An SMTP server on 127.0.0.1 that delivers nowhere."""

    def __init__(self, port: int, keep: int = 200) -> None:
        """Note the port to listen on, and how many mails to keep."""
        self.port = port
        self._mails: deque[Mail] = deque(maxlen=keep)
        self._count = 0
        self._lock = threading.Lock()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=port, data_size_limit=_MAX_MAIL_BYTES, enable_SMTPUTF8=True
        )

    def start(self) -> None:
        """Take mail from now on.

        Raises:
            UnavailableError: the port is taken.
        """
        try:
            _probe(self.port)  # aiosmtpd would find out too, but only after 5 s
            self._controller.start()
        except OSError as error:
            raise UnavailableError(f"the demo's inbox can't listen on port {self.port}: {error.strerror}") from error

    def stop(self) -> None:
        """Take no more mail."""
        self._controller.stop(no_assert=True)

    def mails(self) -> tuple[Mail, ...]:
        """Return the mails that are kept, the newest first."""
        with self._lock:
            return tuple(reversed(self._mails))

    def mail(self, number: int) -> Mail | None:
        """Return one mail, or None if there is none of that number any more."""
        return next((mail for mail in self.mails() if mail.number == number), None)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one mail, and answer as SMTP wants."""
        try:
            message = BytesParser(policy=policy.default).parsebytes(envelope.content)
            self._keep(message, ", ".join(envelope.rcpt_tos))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # What Python's parser raises on crooked headers and character sets differs from version to version.
            _log.warning("demo_mail_unreadable", problem=repr(error))
            return "554 this is no mail that can be read"
        return "250 kept"

    def _keep(self, message: EmailMessage, recipients: str) -> None:
        with self._lock:
            self._count += 1
            self._mails.append(
                Mail(
                    number=self._count,
                    received=datetime.now().astimezone(),
                    sender=str(message["From"] or ""),
                    to=recipients,
                    subject=str(message["Subject"] or "(no subject)"),
                    text=_body(message, "plain"),
                    html=_body(message, "html"),
                )
            )


def _probe(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
