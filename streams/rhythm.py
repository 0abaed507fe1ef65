"""How does the account read over time? This week against its own past weeks, and coming back after silence."""

from collections.abc import Sequence
from itertools import pairwise

from schemas.interest import Silence, Trend, TrendWord
from schemas.playbook import InterestRules
from streams.weighing import DAY_MS, Weighed

WEEK_MS = 7 * DAY_MS


def weeks_of(weighed: Sequence[Weighed], as_of_ms: int) -> list[int]:
    """Return the active milliseconds of each week back from a moment, the newest first, to the first read's week."""
    weeks = [0] * (1 + (as_of_ms - weighed[0].read.last_ms) // WEEK_MS) if weighed else [0]
    for one in weighed:
        weeks[(as_of_ms - one.read.last_ms) // WEEK_MS] += one.read.active_ms
    return weeks


def trend_of(weeks: Sequence[int], rules: InterestRules) -> Trend:
    """Return this week's reading against the mean of the past weeks since the first read, empty ones too.

    The mean, not the median: who reads every third week has a median of nothing, and would always be rising.
    """
    now_ms, past = weeks[0], weeks[1:]
    usual_ms = sum(past) // len(past) if past else 0
    if not past:
        word = TrendWord.new
    elif now_ms > usual_ms * rules.trend_factor:
        word = TrendWord.rising
    elif now_ms * rules.trend_factor < usual_ms:
        word = TrendWord.falling
    else:
        word = TrendWord.steady
    return Trend(word=word, week_ms=now_ms, usual_week_ms=usual_ms, past_weeks=len(past))


def silence_of(weighed: Sequence[Weighed], rules: InterestRules) -> Silence | None:
    """Return the last long silence between two reads of the history, None if there was none."""
    found = None
    for before, after in pairwise(one.read for one in weighed):
        quiet_ms = after.started_ms - before.last_ms
        if quiet_ms >= rules.silence_days * DAY_MS:
            found = (quiet_ms // DAY_MS, after)
    if found is None:
        return None
    days, read = found
    return Silence(days=days, ended_ms=read.started_ms, page_view_id=read.page_view_id)
