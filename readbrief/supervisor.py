"""Keeps a set of processes running: starts them in order, restarts what dies, gives up clearly, stops them all."""

import time
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from readbrief.child import Child
from schemas.errors import ReadbriefError

MAX_DEATHS = 5
DEATH_WINDOW_S = 60
STOP_GRACE_S = 8
POLL_S = 0.05

log = structlog.get_logger()


class Supervisor:
    """Watches over children; what to do when one dies is the caller's to say."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Take a function that tells the person watching what goes on."""
        self._say = say
        self._children: list[Child] = []
        self._deaths: dict[str, deque[float]] = {}

    def start(self, children: Sequence[Child], deadline_s: float) -> None:
        """Start children side by side, and return once all of them are ready, by a moment of the monotonic clock.

        Raises:
            ReadbriefError: one of them ended, or was not ready in time; the message names it and ends with its log.
        """
        for child in children:
            if child not in self._children:
                self._children.append(child)
            child.start()
        waiting = list(children)
        while waiting:
            for child in waiting:
                if (code := child.exit_code()) is not None:
                    raise ReadbriefError(f"{child.name} ended ({_manner(code)}) while starting. {_log_of(child)}")
            waiting = [child for child in waiting if not child.is_ready()]
            if waiting and time.monotonic() > deadline_s:
                names = ", ".join(child.name for child in waiting)
                raise ReadbriefError(f"{names}: not ready in time. {_log_of(waiting[0])}")
            time.sleep(POLL_S)

    def dead(self) -> list[Child]:
        """Return the children that have ended though nobody stopped them.

        Raises:
            ReadbriefError: one of them died so often that restarting it makes no sense.
        """
        found = [child for child in self._children if child.exit_code() is not None]
        now = time.monotonic()
        for child in found:
            times = self._deaths.setdefault(child.name, deque())
            times.append(now)
            while times[0] < now - DEATH_WINDOW_S:
                times.popleft()
            code = child.exit_code() or 0
            log.warning("process_died", name=child.name, code=code)
            self._say(f"{child.name} ended ({_manner(code)}); starting it again")
            if len(times) >= MAX_DEATHS:
                raise ReadbriefError(
                    f"{child.name} died {MAX_DEATHS} times within {DEATH_WINDOW_S} s; stopped. {_log_of(child)}"
                )
        return found

    def stop(self, children: Sequence[Child] | None = None) -> None:
        """Stop those of the children that were started here, in this order; all by default, the last started first."""
        for child in list(reversed(self._children)) if children is None else children:
            if child in self._children:
                child.stop(STOP_GRACE_S)
                self._children.remove(child)


def _manner(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def _log_of(child: Child) -> str:
    return f"The end of {child.log_path}:\n{child.log_tail()}"
