"""The embedded ClickHouse: chDB, with data on disk, served on ClickHouse's native protocol to this machine only.

Run as `python -m readbrief.embedded.clickhouse --port P --data DIR`.
"""

import argparse
import errno
import os
import signal
import socket
import socketserver
import sys
import threading
import time
from pathlib import Path

import structlog
from clickhouse_driver import Client
from clickhouse_driver.errors import Error as ClickHouseError

from readbrief.embedded.clickhouse_conversation import Conversation
from readbrief.embedded.clickhouse_engine import Engine
from readbrief.embedded.lifetime import HOST, EmbeddedServerError, die_with_parent
from readbrief.embedded.native_blocks import MalformedBlockError
from readbrief.embedded.native_protocol import ProtocolError
from readbrief.embedded.native_types import UnsupportedTypeError

_POLL_SECONDS = 0.05
_FINISH_SECONDS = 3.0  # for the queries that run when the end is asked for
_EXIT_SECONDS = 4.0  # then the process ends, whatever still runs: what was acknowledged is on disk

_log = structlog.get_logger()


def command(port: int, data: Path) -> list[str]:
    """Give the argv that starts the embedded ClickHouse on a port of this machine."""
    return [sys.executable, "-m", "readbrief.embedded.clickhouse", "--port", str(port), "--data", str(data)]


def wait_ready(host: str, port: int, timeout_seconds: float) -> None:
    """Wait until a ClickHouse, embedded or not, answers a query.

    Raises EmbeddedServerError if none has answered in time.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            _ask_for_one(host, port)
        except (ClickHouseError, OSError, EOFError) as error:
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"no ClickHouse answered at {host}:{port} within {timeout_seconds:g} s: {error}"
                ) from error
        else:
            return
        time.sleep(_POLL_SECONDS)


def _ask_for_one(host: str, port: int) -> None:
    # Tried first with a bare socket: clickhouse-driver logs a warning for every refused connection.
    socket.create_connection((host, port), timeout=1).close()
    with Client(host, port, connect_timeout=1, send_receive_timeout=5) as client:
        client.execute("SELECT 1")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        self.engine: Engine | None = None
        self._conversations: set[Conversation] = set()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise EmbeddedServerError(f"port {port} of {HOST} is taken: stop what uses it or choose another") from error

    def converse(self, connection: socket.socket) -> None:
        """Serve one client, to the end of its connection."""
        if self.engine is None:
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conversation = Conversation(connection, self.engine)
        self._conversations.add(conversation)
        try:
            conversation.hold()
        except (ProtocolError, MalformedBlockError, UnsupportedTypeError) as error:
            _log.warning("clickhouse_client_refused", reason=str(error))
        except Exception:  # noqa: BLE001 - a fault in one conversation ends that one only
            _log.exception("clickhouse_conversation_failed")
        finally:
            self._conversations.discard(conversation)

    def wait_until_idle(self, timeout_seconds: float) -> None:
        """Give the queries that run a while to end."""
        deadline = time.monotonic() + timeout_seconds
        while any(conversation.is_busy for conversation in list(self._conversations)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        if isinstance(self.server, _Server):
            self.server.converse(self.request)


def _serve(port: int, data: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _Server(port) as server:
        server.engine = Engine(data.absolute())
        threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
        _log.info("clickhouse_ready", address=f"{HOST}:{port}", data=str(data))
        stop.wait()
        threading.Thread(target=_exit_at_last, daemon=True).start()
        server.shutdown()
        server.wait_until_idle(_FINISH_SECONDS)
        server.engine.close()
    _log.info("clickhouse_stopped")
    # Threads may still wait for their clients inside chDB's or the driver's code, which does not survive the
    # interpreter's own shutdown.
    sys.stdout.flush()
    os._exit(0)


def _exit_at_last() -> None:
    time.sleep(_EXIT_SECONDS)
    _log.warning("clickhouse_stopped_while_busy")
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    """Run the embedded ClickHouse; ends with a message if its port or its data directory is taken."""
    parser = argparse.ArgumentParser(description="Serve ClickHouse in one process, to this machine only.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="directory the data is kept in; made if missing")
    arguments = parser.parse_args()
    os.environ["TZ"] = "UTC"  # as a server: times mean the same on every machine
    try:
        die_with_parent()
        _serve(arguments.port, arguments.data)
    except EmbeddedServerError as error:
        sys.exit(f"embedded ClickHouse: {error}")


if __name__ == "__main__":
    main()
