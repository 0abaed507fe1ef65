"""The collector's answers: every one with the headers that keep browsers safe, no one with more than it must say."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from producers.metrics import REQUESTS, counter_of

RETRY_AFTER_S = 5
TOO_MANY = "too many requests: wait"
FAULT = "this request could not be served"

_COUNTED = frozenset({"/v1/events", "/rb.js"})  # a label per path asked for would be a flood's to fill
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"cache-control", b"no-store"),
)


Headers = Iterable[tuple[bytes, bytes]]


class SafeHeaders:
    """Adds the headers every answer has, where the answer itself does not say otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                count(scope["path"], message["status"])
                message["headers"] = _safe(message["headers"])
            await send(message)

        await self._app(scope, receive, send_safely if scope["type"] == "http" else send)


class Prepared:
    """A whole answer, ready for ASGI and for the wire; those that many requests get are made once."""

    def __init__(self, response: Response) -> None:
        """Make it of a response, with the headers every answer has."""
        headers = _safe(response.raw_headers)
        self.status = response.status_code
        self.head = b"HTTP/1.1 %d %s\r\n" % (self.status, HTTPStatus(self.status).phrase.encode()) + b"".join(
            name + b": " + value + b"\r\n" for name, value in headers
        )
        self.body = bytes(response.body)
        self.closes = (b"connection", b"close") in headers
        self._start = {"type": "http.response.start", "status": self.status, "headers": headers}
        self._end = {"type": "http.response.body", "body": self.body}

    async def give(self, send: Send) -> None:
        """Give it to one request, by ASGI."""
        await send(self._start)
        await send(self._end)


def _safe(headers: Headers) -> list[tuple[bytes, bytes]]:
    given = list(headers)
    said = {name for name, _ in given}
    return [*given, *(each for each in _SECURITY if each[0] not in said)]


def count(path: str, status: int) -> None:
    """Count an answer."""
    counter_of(REQUESTS, path if path in _COUNTED else "other", str(status)).inc()


def error(status: int, message: str, field: str = "", headers: dict[str, str] | None = None) -> Response:
    """Answer that a request can't be served, and which field is wrong (empty: none in particular)."""
    content: dict[str, Any] = {"error": {"field": field, "message": message}}
    return JSONResponse(content, status_code=status, headers=headers)


def too_many(wait_s: int, headers: dict[str, str] | None = None) -> Response:
    """Answer that a client or visitor sends too much, and when it may go on."""
    return error(429, TOO_MANY, headers={**(headers or {}), "retry-after": str(wait_s)})


def unavailable(headers: dict[str, str] | None = None) -> Response:
    """Answer that nothing was stored, and that the same request will do later."""
    again = {**(headers or {}), "retry-after": str(RETRY_AFTER_S)}
    return error(503, "nothing was stored, because the message store can't be reached: try again", headers=again)


def page(status: int, title: str, text: str) -> Response:
    """Answer a person who followed a link that leads nowhere. Both texts are our own, never the request's."""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1><p>{text}</p>',
        status_code=status,
    )
