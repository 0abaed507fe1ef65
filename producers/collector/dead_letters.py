"""What the collector refuses becomes a dead letter, bounded so that nobody can flood the topic with rubbish."""

from collections.abc import Callable

import structlog

from producers.collector.keeping import Kept
from producers.intake import MAX_REPORT_BYTES
from producers.metrics import DEAD_LETTERS_WITHHELD
from producers.refusal import RefusedError
from schemas.dead_letter import DeadLetter, DeadLetterStage

DEAD_LETTERS_PER_S = 50

_log = structlog.get_logger()


class RateBound:
    """Allows so many in each second, and counts those beyond. Pure: the time is handed in."""

    def __init__(self, per_second: int) -> None:
        """Start with nothing used."""
        self._per_second = per_second
        self._second = -1
        self._used = 0
        self.withheld = 0

    def allows(self, now_ms: int) -> bool:
        """Use up one of this second's places, if one is left."""
        if now_ms // 1000 != self._second:
            self._second, self._used = now_ms // 1000, 0
        if self._used >= self._per_second:
            self.withheld += 1
            return False
        self._used += 1
        return True


class DeadLetters:
    """Keeps what was refused; `send` takes a dead letter's bytes and must not block."""

    def __init__(self, send: Callable[[bytes], Kept], per_second: int = DEAD_LETTERS_PER_S) -> None:
        """Start with none kept."""
        self._send = send
        self._bound = RateBound(per_second)

    async def keep(
        self, path: str, refused: RefusedError, body: bytes, now_ms: int, *, is_bounded: bool = True
    ) -> None:
        """Keep the first 64 KB of a refused request with the reason, and return once that is kept for good.

        Beyond the bound a request is only counted, and the count logged; what is proven to come from a partner is no
        flood, and needs no bound.

        Raises:
            UnavailableError: it was not kept.
        """
        if is_bounded and not self._bound.allows(now_ms):
            DEAD_LETTERS_WITHHELD.inc()
            if self._bound.withheld % DEAD_LETTERS_PER_S == 1:  # a flood must not flood the log either
                _log.warning("dead_letters_withheld", total=self._bound.withheld, path=path, problem=str(refused))
            return
        letter = DeadLetter.of(DeadLetterStage.collector, path, str(refused), body[:MAX_REPORT_BYTES], now_ms)
        await self._send(letter.to_bytes())

    @property
    def withheld(self) -> int:
        """Tell how many were counted only."""
        return self._bound.withheld
