"""A small web server of the demo's own, on this machine only."""

import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from schemas.errors import UnavailableError

_START_TIMEOUT_S = 10.0


class LocalServer:
    """Serves an app on 127.0.0.1 in a thread; the port is taken, and so the origin known, before it starts."""

    def __init__(self, name: str, port: int = 0) -> None:
        """Take the port, or any free one.

        Raises:
            UnavailableError: somebody else has the port.
        """
        self._name = name
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError as error:
            self._socket.close()
            raise UnavailableError(f"{name}: port {port} is taken ({error.strerror}); choose another") from error
        self.port: int = self._socket.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, app: ASGIApp) -> None:
        """Serve, and return once requests are answered.

        Raises:
            UnavailableError: it did not start within 10 s.
        """
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=self._name, daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise UnavailableError(f"{self._name} did not start on {self.origin}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop serving and give the port back; harmless if it never started."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_START_TIMEOUT_S)
        self._socket.close()
