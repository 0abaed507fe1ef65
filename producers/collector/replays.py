"""Signatures that were accepted are not accepted again by a process; in others, derived ids make a replay nothing."""

from collections import OrderedDict

MAX_REMEMBERED = 100_000


class Replays:
    """Remembers accepted signatures, the latest of them, until they would be refused for their age anyway."""

    def __init__(self, most: int = MAX_REMEMBERED) -> None:
        """Start with none, and remember at most so many."""
        self._most = most
        self._until_ms: OrderedDict[str, int] = OrderedDict()

    def seen(self, signature: str, now_ms: int) -> bool:
        """Say whether a signature was accepted before."""
        return self._until_ms.get(signature, -1) >= now_ms

    def remember(self, signature: str, until_ms: int) -> None:
        """Take note that a signature was accepted, until a time."""
        self._until_ms[signature] = until_ms
        self._until_ms.move_to_end(signature)
        while len(self._until_ms) > self._most:
            self._until_ms.popitem(last=False)
