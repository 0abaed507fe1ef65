"""In a backlog accounts are summed up seldom: at its end, or when they have waited as long again as their news."""

from collections.abc import Sequence

from streams.account_state import AccountState
from streams.accounts import AccountStep
from streams.activity_news import News

LATE_MS = 5_000  # what comes this late is of a backlog
LONGEST_PUT_OFF_MS = 60_000
TOGETHER_MS = 1_000
"""Those of one such stretch of time are due at its end: a round of its own for each costs more than its summary."""


def put_off(state: AccountState, news: Sequence[News], now_ms: int) -> AccountStep | None:
    """Return the state of an account to be looked at later, because its news comes late; None if it is the time now.

    To sum up an account takes a look at all that is known of it, so a backlog is worked off sooner if that is not done
    at every step. It is put off for `LONGEST_PUT_OFF_MS` and a stretch at most. Who is forgotten is forgotten at once.
    """
    if any(one.forgotten for one in news):
        return None
    late_ms = now_ms - min((one.came_ms for one in news if one.came_ms), default=now_ms)
    since_ms = state.unsaid_ms or now_ms
    due_ms = _end_of_stretch(since_ms + min(late_ms, LONGEST_PUT_OFF_MS))
    if late_ms < LATE_MS or due_ms <= now_ms:
        return None
    return AccountStep(state=state.but(unsaid_ms=since_ms), due_ms=due_ms)


def _end_of_stretch(at_ms: int) -> int:
    return -(-at_ms // TOGETHER_MS) * TOGETHER_MS
