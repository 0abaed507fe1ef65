"""Rate limits per key, such as a client's address, in bounded memory. Pure: the time is handed in."""

import math
from collections import OrderedDict

BURST_S = 10
MAX_KEYS = 20_000


class RateLimiter:
    """Allows each key so many per second on the average, and what ten seconds bring at once.

    One number per key says when its allowance would be whole again (the generic cell rate algorithm). Beyond
    `max_keys` the key unseen for longest is forgotten, and begins anew.
    """

    def __init__(self, per_second: float, max_keys: int = MAX_KEYS) -> None:
        """Start with every allowance whole; 0 per second means no limit."""
        self._interval_s = 1 / per_second if per_second else 0.0
        self._max_keys = max_keys
        self._whole_at_s: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> int:
        """Use up one of a key's allowance and return 0; or, if it is spent, the whole seconds to wait."""
        if not self._interval_s:
            return 0
        whole_at_s = max(self._whole_at_s.get(key, now_s), now_s) + self._interval_s
        early_s = whole_at_s - now_s - BURST_S
        if early_s > 0:
            return math.ceil(early_s)
        self._whole_at_s[key] = whole_at_s
        self._whole_at_s.move_to_end(key)
        if len(self._whole_at_s) > self._max_keys:
            self._whole_at_s.popitem(last=False)
        return 0

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._whole_at_s)
