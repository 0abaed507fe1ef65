"""Starts a process for a test and stops that process, by its pid."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_TAIL_LINES = 40
_POLL_SECONDS = 0.05


class ProcessFailedError(Exception):
    """A process ended or was not ready in time; the message ends with what it printed last."""


@dataclass
class Running:
    """A started process with the file that holds its output."""

    process: "subprocess.Popen[bytes]"
    output: Path

    def tail(self) -> str:
        """Give the last lines it printed."""
        lines = self.output.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])

    def failure(self, what: str) -> ProcessFailedError:
        """Make the error that says what went wrong and shows the output's tail."""
        return ProcessFailedError(f"{what}\n--- {self.output}\n{self.tail()}")

    def stop(self, timeout_seconds: float = 15) -> int:
        """Ask it to end, kill it if it does not in time, and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self.process.wait(timeout_seconds)
        return self.kill()

    def kill(self) -> int:
        """End it at once."""
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait()

    def wait_until(self, ready: Callable[[], object], timeout_seconds: float) -> None:
        """Wait until `ready` no longer raises.

        Raises ProcessFailedError if the process ends before that or time runs out.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            if self.process.poll() is not None:
                raise self.failure(f"{self.process.args!r} ended with {self.process.returncode} before it was ready")
            try:
                ready()
            except Exception as error:
                if time.monotonic() > deadline:
                    raise self.failure(f"{self.process.args!r} was not ready in {timeout_seconds:g} s") from error
            else:
                return
            time.sleep(_POLL_SECONDS)


def start(command: Sequence[str | Path], output: Path, *, environment: Mapping[str, str] | None = None) -> Running:
    """Start a process from the project's root, with its output appended to a file."""
    with output.open("ab") as sink:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=PROJECT,
            env={**os.environ, **(environment or {})},
        )
    return Running(process, output)


@contextmanager
def running(
    command: Sequence[str | Path],
    output: Path,
    *,
    ready: Callable[[], object],
    timeout_seconds: float = 30,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Have a process running for a while: `ready` raises as long as it is not.

    Raises ProcessFailedError if it does not become ready.
    """
    started = start(command, output, environment=environment)
    try:
        started.wait_until(ready, timeout_seconds)
        yield started
    finally:
        started.stop()
