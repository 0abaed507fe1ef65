"""How often a chat target may be sent to: never more within any window of time, and not at all while it is held."""

import threading
from collections import deque
from dataclasses import dataclass, field

_MARGIN = 1.02  # messages do not arrive in the time they were sent in, to the millisecond


@dataclass(frozen=True)
class Window:
    """So many messages at most within any so many seconds."""

    limit: int
    seconds: float


@dataclass
class _Lane:
    """One target's turns, in seconds of one clock, the latest last."""

    turns: deque[float] = field(default_factory=deque)
    held_until_s: float = 0.0


class Rates:
    """Gives out turns to send; threads may share it. Each process counts for itself."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._lock = threading.Lock()

    def turn(self, target: str, windows: tuple[Window, ...], now_s: float, patience_s: float) -> float:
        """Return the seconds to wait for a turn; it is taken if that is not more than the patience."""
        with self._lock:
            lane = self._lanes.setdefault(target, _Lane())
            at_s = max(now_s, lane.held_until_s)
            for window in windows:
                if len(lane.turns) >= window.limit:
                    at_s = max(at_s, lane.turns[-window.limit] + window.seconds * _MARGIN)
            if at_s - now_s <= patience_s:
                lane.turns.append(at_s)
                while len(lane.turns) > max((window.limit for window in windows), default=0):
                    lane.turns.popleft()
            return at_s - now_s

    def hold(self, target: str, until_s: float) -> None:
        """Give no turns to a target before a moment: it has said that it takes nothing until then."""
        with self._lock:
            lane = self._lanes.setdefault(target, _Lane())
            lane.held_until_s = max(lane.held_until_s, until_s)
