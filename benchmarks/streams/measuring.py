"""Runs one process until its work is done, and tells what CPU time and memory that cost."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.streams.job import READY_FD
from tests.support.processes import PROJECT

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 60.0
LOOK_EVERY_S = 0.2
_TAIL_BYTES = 3_000


class PeerFailedError(Exception):
    """A process ended or was not done in time; the message ends with what it printed last."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds (user and system, with children) from start to end and until it was ready; memory in bytes."""

    cpu_s: float
    starting_cpu_s: float
    starting_s: float
    working_s: float
    ready_rss: int
    peak_rss: int


class Measured:
    """A running process under measurement; its group is its own, so nothing of it outlives `stop`."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start it and wait until it says that it is ready.

        Raises:
            PeerFailedError: it is not within three minutes.
        """
        self._log = log
        self._began_s = time.monotonic()
        reading, writing = os.pipe()
        with log.open("ab") as sink:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=PROJECT,
                env={**os.environ, **(environment or {}), READY_FD: str(writing)},
                pass_fds=(writing,),
                start_new_session=True,
            )
        os.close(writing)
        self._await_ready(reading)
        self._seen = psutil.Process(self._process.pid)
        self.starting_s = time.monotonic() - self._began_s
        self.starting_cpu_s = self.cpu_s()
        self.ready_rss = self.peak_rss = self.rss()

    def _await_ready(self, reading: int) -> None:
        try:
            if not select.select([reading], [], [], START_TIMEOUT_S)[0] or not os.read(reading, 10):
                self.kill()
                raise self._failure("was not ready")
        finally:
            os.close(reading)

    def cpu_s(self) -> float:
        """Return the CPU seconds so far."""
        mine = self._seen.cpu_times()
        total = mine.user + mine.system + mine.children_user + mine.children_system
        for child in self._seen.children(recursive=True):
            times = child.cpu_times()
            total += times.user + times.system
        return float(total)

    def rss(self) -> int:
        """Return the memory it holds now, with its children's."""
        return sum(each.memory_info().rss for each in [self._seen, *self._seen.children(recursive=True)])

    def wait(self, done: Callable[[], bool], timeout_s: float) -> None:
        """Wait until its work is done.

        Raises:
            PeerFailedError: it ended before, or took too long.
        """
        deadline_s = time.monotonic() + timeout_s
        while not done():
            if self._process.poll() is not None:
                raise self._failure(f"ended with {self._process.returncode} before its work was done")
            if time.monotonic() > deadline_s:
                self.kill()
                raise self._failure(f"was not done within {timeout_s:.0f} s")
            self.peak_rss = max(self.peak_rss, self.rss())
            time.sleep(LOOK_EVERY_S)

    def stop(self) -> Cost:
        """End it in order, which lets it commit, and return what it all cost."""
        working_s = time.monotonic() - self._began_s - self.starting_s
        seen_s = self.cpu_s()
        self._process.send_signal(signal.SIGTERM)
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        while True:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                self._process.returncode = os.waitstatus_to_exitcode(status)
                break
            if time.monotonic() > deadline_s:
                self.kill()
                raise self._failure(f"did not stop within {STOP_TIMEOUT_S:.0f} s")
            time.sleep(LOOK_EVERY_S)
        cpu_s = max(seen_s, usage.ru_utime + usage.ru_stime)
        return Cost(cpu_s, self.starting_cpu_s, self.starting_s, working_s, self.ready_rss, self.peak_rss)

    def kill(self) -> None:
        """End it at once, with all it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _failure(self, what: str) -> PeerFailedError:
        tail = self._log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
        return PeerFailedError(f"{self._log.stem} {what}; it printed last:\n{tail}")


def measure(
    command: Sequence[str],
    log: Path,
    done: Callable[[], bool],
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
) -> Cost:
    """Run a process until its work is done, and return what that cost.

    Raises:
        PeerFailedError: it was not ready, ended early, was not done in time or did not stop.
    """
    running = Measured(command, log, environment)
    try:
        running.wait(done, timeout_s)
        return running.stop()
    finally:
        running.kill()
