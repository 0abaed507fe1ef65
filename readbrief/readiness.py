"""How a process tells whoever started it that it is at work: one line on an inherited pipe."""

import os

READY_FD = "READBRIEF_READY_FD"


def announce_ready() -> None:
    """Say once that this process is ready; nothing happens if nobody asked."""
    fd = os.environ.pop(READY_FD, None)
    if fd is None:
        return
    with os.fdopen(int(fd), "w") as pipe:
        pipe.write("ready\n")
