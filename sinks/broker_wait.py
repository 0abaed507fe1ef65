"""Waits for a broker to be there, before any client of Kafka's is loaded or has connected."""

import socket
import threading
import time

from schemas.errors import UnavailableError

_PROBE_S = 0.5


def wait_for_broker(bootstrap: str, wait_s: float, stop: threading.Event) -> None:
    """Wait until one of the brokers `host:port[,host:port]` takes a connection, or `stop` is set.

    Raises:
        UnavailableError: none did in time.
    """
    deadline = time.monotonic() + wait_s
    while not stop.is_set():
        if any(_takes_connection(address) for address in bootstrap.split(",")):
            return
        if time.monotonic() > deadline:
            raise no_broker(bootstrap)
        stop.wait(_PROBE_S)


def no_broker(bootstrap: str) -> UnavailableError:
    """Return the error that says that no broker answers, and what to do."""
    return UnavailableError(f"no Kafka broker answers at {bootstrap}: start it, or set READBRIEF_KAFKA_BOOTSTRAP")


def _takes_connection(address: str) -> bool:
    host, _, port = address.strip().rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_S):
            return True
    except (OSError, ValueError):
        return False
