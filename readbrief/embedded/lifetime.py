"""What processes of an embedded stack need to start and to end: a free port, and a parent that still lives."""

import ctypes
import os
import signal
import socket
import sys

from schemas.errors import ReadbriefError

HOST = "127.0.0.1"
WITH_PARENT = "READBRIEF_WITH_PARENT"
"""Set for a process that is to end with the one that started it, even if that is killed."""

_PR_SET_PDEATHSIG = 1


class EmbeddedServerError(ReadbriefError):
    """An embedded server could not start or is not there; the message says what to do."""


def die_with_parent() -> None:
    """Have Linux send this process SIGTERM when the thread that started it ends; does nothing elsewhere.

    Raises EmbeddedServerError if the parent is gone already.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the request was in force
        raise EmbeddedServerError("the process that started this server has ended")


def die_with_parent_if_asked() -> None:
    """Do so where whoever started this process wants it: a worker that a shell or an init started outlives that.

    Raises EmbeddedServerError if the parent is gone already.
    """
    if os.environ.pop(WITH_PARENT, None):
        die_with_parent()


def require_free_port(port: int) -> None:
    """Check that nothing listens on the port, so that the message is ours and not a stack trace of the server's.

    Raises EmbeddedServerError if the port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise EmbeddedServerError(f"port {port} of {HOST} is taken: stop what uses it or choose another") from error
