"""Which keys want to be looked at again, and when."""

import heapq
import sys


class DueQueue:
    """Keys with the moment each is due, in Unix milliseconds; a key has one moment at a time."""

    def __init__(self) -> None:
        """Start with nothing due."""
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def put(self, key: str, due_ms: int | None) -> None:
        """Set when a key is due, in place of what was set before; None takes it off."""
        if due_ms is None:
            self._due.pop(key, None)
        elif self._due.get(key) != due_ms:
            self._due[key] = due_ms
            heapq.heappush(self._heap, (due_ms, key))

    def next_ms(self) -> int | None:
        """Return the first moment at which a key may be due."""
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ms: int, most: int = sys.maxsize) -> list[tuple[str, int]]:
        """Take off and return the keys that are due, with their moments, earliest first; no more than so many."""
        found: list[tuple[str, int]] = []
        while self._heap and self._heap[0][0] <= now_ms and len(found) < most:
            due_ms, key = heapq.heappop(self._heap)
            if self._due.get(key) == due_ms:  # else it was put again, or taken off
                del self._due[key]
                found.append((key, due_ms))
        return found

    def __len__(self) -> int:
        """Return the number of keys that wait."""
        return len(self._due)
