"""Several workers under one parent: forked, started again when they die, told to end together."""

import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable

import structlog

from schemas.errors import ReadbriefError

MAX_DEATHS = 5
DEATH_WINDOW_S = 60

_POLL_S = 0.1

_log = structlog.get_logger()


def run_workers(count: int, serve: Callable[[int], None], on_death: Callable[[int], None]) -> None:
    """Keep so many workers running until SIGTERM or SIGINT; returns when all have ended.

    `serve` gets a file descriptor that reads empty once the parent is gone, and must end then.

    Raises:
        ReadbriefError: workers died too often for another start to make sense.
    """
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _frame: told.append(signum))
    gone, alive = os.pipe()
    workers = {_fork(serve, gone, alive) for _ in range(count)}
    deaths: deque[float] = deque()
    try:
        while not told:
            time.sleep(_POLL_S)
            for pid, code in _ended(workers):
                _log.warning("worker_died", worker=pid, code=code)
                on_death(pid)
                workers.discard(pid)
                deaths.append(time.monotonic())
                while deaths[0] < deaths[-1] - DEATH_WINDOW_S:
                    deaths.popleft()
                if len(deaths) >= MAX_DEATHS:
                    raise ReadbriefError(f"the collector's workers died {MAX_DEATHS} times within {DEATH_WINDOW_S} s")
                workers.add(_fork(serve, gone, alive))
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGTERM)
        for pid in workers:
            os.waitpid(pid, 0)
        os.close(alive)
        os.close(gone)


def _ended(workers: set[int]) -> list[tuple[int, int]]:
    found = [os.waitpid(pid, os.WNOHANG) for pid in workers]
    return [(pid, os.waitstatus_to_exitcode(status)) for pid, status in found if pid]


def _fork(serve: Callable[[int], None], gone: int, alive: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.close(alive)  # else the pipe would outlive the parent
        serve(gone)
        code = 0
    except ReadbriefError as error:
        _log.error("worker_failed", problem=str(error))
    except BaseException:  # noqa: BLE001 - this is the outermost frame of a process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # what the parent would do at its end is not a worker's to do
