"""A worker serves so many connections at once, and tells those beyond when to come again."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from producers.collector.connections import MAX_CONNECTIONS, GuardedProtocol
from producers.collector.worker import server_config
from producers.metrics import CONNECTIONS_REFUSED
from schemas.settings import Settings

MOST = 20
ASK = b"GET / HTTP/1.1\r\nHost: collector\r\n\r\n"


class FewConnections(GuardedProtocol):
    max_connections = MOST


async def _well(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("well")


@pytest.fixture
def port() -> Iterator[int]:
    config = server_config(Starlette(routes=[Route("/", _well)]), Settings(secret="0123456789abcdef"))
    assert (config.http, GuardedProtocol.max_connections, MAX_CONNECTIONS) == (GuardedProtocol, 10_000, 10_000)
    config.http = FewConnections
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def _refused() -> float:
    return CONNECTIONS_REFUSED._value.get()  # type: ignore[no-any-return]


def test_one_connection_too_many_is_told_to_come_again_and_the_others_go_on(port: int) -> None:
    before = _refused()
    with ExitStack() as open_:
        held = [open_.enter_context(_connected(port)) for _ in range(MOST)]
        for connection in held:
            assert _well_on(connection)
        for number in range(1, 4):
            with _connected(port) as beyond:
                answer = beyond.recv(65_536)
                assert answer.startswith(b"HTTP/1.1 503 ")
                assert b"\r\nretry-after: 5\r\n" in answer
                assert beyond.recv(1) == b""  # and hung up
            assert _refused() == before + number
        assert _well_on(held[0])
        held[1].close()
        until_s = time.monotonic() + 5
        while not _answered(port):
            assert time.monotonic() < until_s, "a place was free, and nobody got it"


def _well_on(connection: socket.socket) -> bool:
    connection.sendall(ASK)
    received = b""
    while not received.endswith(b"well") and (chunk := connection.recv(65_536)):
        received += chunk
    return received.startswith(b"HTTP/1.1 200 ")


def _answered(port: int) -> bool:
    with _connected(port) as another:
        try:
            return _well_on(another)
        except ConnectionError:  # it was refused before it asked
            return False
