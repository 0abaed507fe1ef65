"""One child process: started with its own log file and a pipe on which it says that it is ready."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from readbrief.embedded.lifetime import WITH_PARENT
from readbrief.readiness import READY_FD

TAIL_LINES = 12


@dataclass(eq=False)
class Child:
    """A process by name; `probe` tells whether it is ready, where it does not say so on its pipe."""

    name: str
    command: Sequence[str]
    log_path: Path
    environment: Mapping[str, str]
    probe: Callable[[], bool] | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _pipe: int | None = field(default=None, init=False)
    _ready: bool = field(default=False, init=False)

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches the supervisor alone."""
        self._ready = False
        self._close_pipe()
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        environment = {**os.environ, **self.environment, READY_FD: str(writer), WITH_PARENT: "1"}
        try:
            with self.log_path.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 - the commands are our own
                    self.command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(writer,),
                    start_new_session=True,
                )
        finally:
            os.close(writer)
        self._pipe = reader

    @property
    def pid(self) -> int | None:
        """The process id, if it was started."""
        return self._process.pid if self._process else None

    def exit_code(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return self._process.poll() if self._process else None

    def is_running(self) -> bool:
        """Return whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def is_ready(self) -> bool:
        """Return whether it has said that it is ready, or its probe has."""
        if not self._ready:
            self._ready = self.probe() if self.probe else self._said_ready()
        return self._ready

    def stop(self, grace_s: float) -> None:
        """End the process: SIGTERM, then SIGKILL to it and what it started once the grace is over."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + grace_s
            while self._process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):  # all of it is gone, as it should be
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._close_pipe()

    def log_tail(self) -> str:
        """Return the last lines of its log."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-TAIL_LINES:])

    def _said_ready(self) -> bool:
        if self._pipe is None:
            return False
        try:
            return os.read(self._pipe, 16).startswith(b"ready")
        except BlockingIOError:
            return False

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
