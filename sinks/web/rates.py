"""How often something may be asked by one address or client, counted by this process for itself."""

import threading
from collections import OrderedDict, deque

_MAX_KEYS = 10_000


class Rates:
    """So many within a stretch of time, for each key; the longest unused keys are forgotten first."""

    def __init__(self, most: int, window_s: float) -> None:
        """Allow so many within so many seconds."""
        self._most = most
        self._window_ms = window_s * 1000
        self._times: OrderedDict[str, deque[int]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: str, now_ms: int) -> bool:
        """Count one more, and say whether it is within bounds; what is not counts no further."""
        with self._lock:
            times = self._times.setdefault(key, deque())
            self._times.move_to_end(key)
            while times and times[0] <= now_ms - self._window_ms:
                times.popleft()
            while len(self._times) > _MAX_KEYS:
                self._times.popitem(last=False)
            if len(times) >= self._most:
                return False
            times.append(now_ms)
            return True
