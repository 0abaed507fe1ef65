"""When may a rep be disturbed, by their own clock? Clocks change, shifts run past midnight, and days off are long.

A moment is open if the clock on the rep's wall then shows a time within the hours of a working day. An hour that a
change of clocks repeats is open twice, one that it skips never was. Hours past midnight belong to the day they begin.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.directory import Rep, WorkingHours

MAX_DAYS = 400
HOUR_MS = 3_600_000


class OpenSpan(NamedTuple):
    """A stretch of open time of one working day, in Unix milliseconds; the end is no longer open."""

    day: date
    from_ms: int
    until_ms: int


def open_day(at_ms: int, rep: Rep) -> date | None:
    """Return the working day whose hours are open at a moment, None if none is."""
    return _day_open(datetime.fromtimestamp(at_ms / 1000, ZoneInfo(rep.time_zone)), rep.working_hours)


def open_spans(rep: Rep, from_ms: int) -> Iterator[OpenSpan]:
    """Yield the stretches of open time that end after a moment, in order; the first may have begun before it."""
    hours, zone = rep.working_hours, ZoneInfo(rep.time_zone)
    first = datetime.fromtimestamp(from_ms / 1000, zone).date() - timedelta(days=2)
    previous: OpenSpan | None = None
    for ahead in range(MAX_DAYS):
        for span in _spans_of(first + timedelta(days=ahead), hours, zone):
            if previous and previous.until_ms == span.from_ms and previous.day == span.day:
                previous = OpenSpan(span.day, previous.from_ms, span.until_ms)
                continue
            if previous and previous.until_ms > from_ms:
                yield previous
            previous = span
    if previous and previous.until_ms > from_ms:
        yield previous


def after_working_hours_ms(rep: Rep, from_ms: int, hours: float) -> int | None:
    """Return the moment at which so many working hours have gone by since another; None if they never will."""
    left_ms = round(hours * HOUR_MS)
    for span in open_spans(rep, from_ms):
        begins_ms = max(span.from_ms, from_ms)
        if begins_ms + left_ms <= span.until_ms:
            return begins_ms + left_ms
        left_ms -= span.until_ms - begins_ms
    return None


def _spans_of(calendar_day: date, hours: WorkingHours, zone: ZoneInfo) -> Iterator[OpenSpan]:
    """Yield the open stretches between two midnights, cut where the clock changes."""
    begin, end = _instant(calendar_day, time(), zone), _instant(calendar_day + timedelta(days=1), time(), zone)
    edges = {begin, end, *_change_of_clocks(begin, end, zone)}
    for wall in (hours.start, hours.end):
        edges |= {_instant(calendar_day, wall, zone, fold) for fold in (0, 1)}
    ordered = sorted(edge for edge in edges if begin <= edge <= end)
    for from_ms, until_ms in pairwise(ordered):
        day = _day_open(datetime.fromtimestamp(from_ms / 1000, zone), hours)
        if day:
            yield OpenSpan(day, from_ms, until_ms)


def _day_open(local: datetime, hours: WorkingHours) -> date | None:
    wall, today = local.time(), local.date()
    if hours.end > hours.start:
        day = today if hours.start <= wall < hours.end else None
    elif wall >= hours.start:
        day = today
    else:
        day = today - timedelta(days=1) if wall < hours.end else None
    return day if day and day.weekday() in hours.days else None


def _instant(day: date, wall: time, zone: ZoneInfo, fold: int = 0) -> int:
    return round(datetime.combine(day, wall.replace(fold=fold), zone).timestamp() * 1000)


def _change_of_clocks(begin_ms: int, end_ms: int, zone: ZoneInfo) -> tuple[int, ...]:
    """Return the moment between two at which the offset from UTC changes, to the millisecond; none if it does not."""

    def offset(at_ms: int) -> timedelta | None:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).utcoffset()

    before = offset(begin_ms)
    if before == offset(end_ms):
        return ()
    low, high = begin_ms, end_ms
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == before else (low, middle)
    return (high,)
