"""The collector's own server, answering every request with an empty 204 and doing nothing else.

The measure of the collector's benchmark: whatever this server can do is what HTTP costs here.
"""

import socket
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from producers.collector.answers import SafeHeaders
from producers.collector.worker import server_config, spare_collections
from schemas.settings import load_settings


async def _nothing(_request: Request) -> Response:
    return Response(status_code=204)


def main() -> None:
    """Serve until SIGTERM."""
    app = Starlette(
        routes=[Route("/v1/events", _nothing, methods=["POST"]), Route("/healthz", _nothing)],
        middleware=[Middleware(SafeHeaders)],
    )
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    spare_collections()
    uvicorn.Server(server_config(app, load_settings())).run(sockets=[listener])


if __name__ == "__main__":
    main()
