"""The short way of reports, which nearly all requests are: from the connection to where they are taken, and back.

By way of ASGI every report would cost a task, an event, three messages and the layers around them: a fifth of all the
collector does at half of its maximum rate. What is unusual (a request before the last one's answer, one that waits to
be told to go on) goes that way still.
"""

import asyncio
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from producers.collector.answers import Prepared, count
from producers.collector.bodies import DISCARDED_BYTES
from producers.collector.connections import GuardedProtocol
from producers.collector.reports import PATH, ReportTaking, Said
from producers.intake import MAX_REPORT_BYTES

_URL = PATH.encode()


class _Report:
    """A report on its way in, and its answer; what `HttpToolsProtocol` knows of a request is named as it names it."""

    __slots__ = ("body", "client_host", "disconnected", "keep_alive", "response_complete", "said", "size")

    message_event = asyncio.Event()  # nobody waits for it

    def __init__(self, said: Said, client_host: str | None, *, keep_alive: bool) -> None:
        self.said = said
        self.client_host = client_host
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.size = 0
        self.disconnected = False
        self.response_complete = False


class ReportProtocol(GuardedProtocol):
    """A connection that brings reports to where they are taken, and all else to the application."""

    def __init__(self, reports: ReportTaking, proxies: ProxyHeadersMiddleware, **served: Any) -> None:
        """Take who takes reports, whose word on a client's address is trusted, and what uvicorn tells a connection."""
        super().__init__(**served)
        self._reports = reports
        self._trusted = proxies.trusted_hosts

    def begin_request(self) -> None:
        """Begin a report, or hand another request on."""
        if not self._is_plain_report():
            super().begin_request()
            return
        said = Said.by(self.headers)
        report = _Report(said, self._client_host(), keep_alive=self.parser.should_keep_alive())
        self.cycle = report  # type: ignore[assignment]
        refused = self._reports.too_many(said, report.client_host)
        if refused is not None:
            self._answer(report, refused)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        report = self.cycle
        if not isinstance(report, _Report):
            super().on_body(body)
        elif not report.response_complete:
            self._add(report, body)

    def on_message_complete(self) -> None:
        """See the request whole."""
        report = self.cycle
        if not isinstance(report, _Report):
            super().on_message_complete()
            return
        self.request_is_there()
        if not report.response_complete:
            self._take(report)

    def _is_plain_report(self) -> bool:
        return (
            self.url == _URL
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.expect_100_continue
            and not self.parser.should_upgrade()
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
        )

    def _client_host(self) -> str | None:
        host = self.client[0] if self.client else None
        forwarded = [value for name, value in self.headers if name == b"x-forwarded-for"]
        if forwarded and host in self._trusted:
            host = self._trusted.get_trusted_client_address(b", ".join(forwarded).decode("latin-1"))[0] or host
        return host

    def _add(self, report: _Report, body: bytes) -> None:
        """Keep a byte more than is allowed; of the rest, so much is discarded that most senders see the answer."""
        if report.size <= MAX_REPORT_BYTES:
            report.body += body
        report.size += len(body)
        if report.size > MAX_REPORT_BYTES + DISCARDED_BYTES:
            self._take(report)

    def _take(self, report: _Report) -> None:
        body, report.body = bytes(report.body[: MAX_REPORT_BYTES + 1]), bytearray()
        self._reports.take(report.said, report.client_host, body, lambda answer: self._answer(report, answer))

    def _answer(self, report: _Report, answer: Prepared) -> None:
        if report.response_complete:
            return
        count(PATH, answer.status)
        report.response_complete = True
        closes = answer.closes or not report.keep_alive
        self.transport.write(
            b"".join(
                (
                    answer.head,
                    *(name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers),
                    b"connection: close\r\n" if closes and not answer.closes else b"",
                    b"\r\n",
                    answer.body,
                )
            )
        )
        if closes:
            self.transport.close()
        self.on_response_complete()
