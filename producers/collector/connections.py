"""What one connection may do: bounded in number, in the size of its headers, and in the time a request takes to come.

The size of the body is bounded where it is read.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from producers.metrics import CONNECTIONS_REFUSED, REFUSED

MAX_CONNECTIONS = 10_000  # of one worker
MAX_HEADER_BYTES = 32_768
REQUEST_TIMEOUT_S = 10.0

_TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n"
    b"x-content-type-options: nosniff\r\n\r\n"
)
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n"
    b"x-content-type-options: nosniff\r\n\r\n"
)
_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\nx-content-type-options: nosniff\r\n\r\n"
)


class GuardedProtocol(HttpToolsProtocol):
    """A connection that is cut off when it is one too many, or sends a request too slowly, or too many headers."""

    max_connections = MAX_CONNECTIONS

    _heading_bytes: int | None = 0  # None while no headers are awaited
    _request_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            CONNECTIONS_REFUSED.inc()
            transport.write(_TOO_MANY)
            transport.close()
            return
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the connection."""
        self.request_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of headers on their way to the parser."""
        all_new = self._heading_bytes is not None or self._request_timer is None  # else it begins with a body's end
        super().data_received(data)
        if self._heading_bytes is not None:
            self._heading_bytes += len(data) if all_new else min(len(data), MAX_HEADER_BYTES)
        if self._heading_bytes is not None and self._heading_bytes > MAX_HEADER_BYTES:
            REFUSED.labels("431").inc()
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request: its headers are awaited."""
        if self._heading_bytes is None:
            self._await_headers()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request on, if it may be so long."""
        self._heading_bytes = None
        if sum(len(name) + len(value) for name, value in self.headers) + len(self.url) > MAX_HEADER_BYTES:
            REFUSED.labels("431").inc()
            self.transport.write(_TOO_LARGE)
            self.transport.close()
            return
        self.begin_request()

    def begin_request(self) -> None:
        """Hand a request on whose headers are there."""
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, and count it."""
        REFUSED.labels("400").inc()
        super().send_400_response(msg)

    def on_message_complete(self) -> None:
        """See the request whole."""
        self.request_is_there()
        super().on_message_complete()

    def _await_headers(self) -> None:
        self._heading_bytes = 0
        if self._request_timer is None:
            self._request_timer = self.loop.call_later(REQUEST_TIMEOUT_S, self._too_slow)

    def request_is_there(self) -> None:
        """Wait for nothing more."""
        self._heading_bytes = None
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _too_slow(self) -> None:
        REFUSED.labels("408").inc()
        self._request_timer = None
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # whoever reads the body hears that there is no more
            self.cycle.message_event.set()
        self.transport.write(_TOO_SLOW)
        self.transport.close()
