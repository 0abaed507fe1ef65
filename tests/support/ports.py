"""Free ports of this machine."""

import socket


def free_port() -> int:
    """Find a port nobody listens on. Another process may take it before it is used; none was seen to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
