"""The sockets the collector listens on."""

import socket
import time

from schemas.errors import InputError

_RETRY_S = 0.1


def listen(host: str, port: int, variable: str, patience_s: float = 0) -> socket.socket:
    """Take an address, trying again for a while, since workers of a killed parent may take a moment to leave it.

    Raises:
        InputError: it can't be had; `variable` is what to set.
    """
    give_up_s = time.monotonic() + patience_s
    while True:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            if time.monotonic() < give_up_s:
                time.sleep(_RETRY_S)
                continue
            raise InputError(
                f"can't listen on {host}:{port} ({error.strerror}): set {variable} to a free one"
            ) from error
        return listener
