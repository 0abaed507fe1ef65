"""When a rep may be disturbed, against an oracle that looks at the clock on the wall, minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.delivery import ChannelKind
from schemas.directory import Channel, Rep, WorkingHours
from streams.working_hours import after_working_hours_ms, open_day, open_spans

MINUTE_MS = 60_000
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "Asia/Kathmandu")
DAYS = (  # ordinary, and around the changes of clocks of each zone, both ways
    date(2026, 11, 27), date(2026, 3, 28), date(2026, 10, 24), date(2026, 3, 7), date(2026, 10, 31),
    date(2026, 4, 4), date(2026, 10, 3), date(2026, 12, 30),
)  # fmt: skip


def rep(zone: str, start: time, end: time, days: tuple[int, ...] = (0, 1, 2, 3, 4)) -> Rep:
    return Rep(
        rep_id="rita", name="Rita", time_zone=zone, working_hours=WorkingHours(start=start, end=end, days=days),
        channels=(Channel(kind=ChannelKind.email, target="rita@example.com"),),
    )  # fmt: skip


def wall_says_open(at_ms: int, one: Rep) -> bool:
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(one.time_zone))
    minute = local.hour * 60 + local.minute
    begin, end = (t.hour * 60 + t.minute for t in (one.working_hours.start, one.working_hours.end))
    weekday = local.weekday()
    if begin < end:
        return begin <= minute < end and weekday in one.working_hours.days
    if minute >= begin:
        return weekday in one.working_hours.days
    return minute < end and (weekday - 1) % 7 in one.working_hours.days


times = st.sampled_from([time(h, m) for h in (0, 1, 2, 3, 8, 18, 22, 23) for m in (0, 30)])
weeks = st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days)))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), times, times, weeks, st.sampled_from(DAYS), st.integers(0, 1439))
@example("Europe/Berlin", time(2), time(3), tuple(range(7)), date(2026, 3, 28), 0)  # an hour that is skipped
@example("Europe/Berlin", time(2), time(2, 30), tuple(range(7)), date(2026, 10, 24), 0)  # and one that is repeated
@example("Europe/Berlin", time(2, 30), time(3, 30), tuple(range(7)), date(2026, 3, 28), 0)
def test_open_is_what_the_clock_on_the_wall_says(
    zone: str, start: time, end: time, days: tuple[int, ...], day: date, minute: int
) -> None:
    one = rep(zone, start, end, days)
    begin_ms = round(datetime.combine(day, time(), UTC).timestamp() * 1000) + minute * MINUTE_MS
    minutes = range(begin_ms, begin_ms + 2 * 1440 * MINUTE_MS, MINUTE_MS)
    spans = []
    for span in open_spans(one, begin_ms):
        if span.from_ms >= minutes[-1]:
            break
        spans.append(span)
    expected = [at for at in minutes if wall_says_open(at, one)]
    assert [at for at in minutes if any(span.from_ms <= at < span.until_ms for span in spans)] == expected
    assert all(open_day(at, one) == span.day for span in spans for at in (span.from_ms, span.until_ms - 1))
    assert all(a.until_ms <= b.from_ms for a, b in pairwise(spans))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(ZONES), times, times, st.sampled_from(DAYS), st.integers(0, 1439), st.integers(1, 20))
def test_working_hours_go_by_only_while_it_is_open(
    zone: str, start: time, end: time, day: date, minute: int, quarters: int
) -> None:
    one = rep(zone, start, end)
    begin_ms = round(datetime.combine(day, time(), UTC).timestamp() * 1000) + minute * MINUTE_MS
    due_ms = after_working_hours_ms(one, begin_ms, quarters / 4)
    at_ms, gone = begin_ms, 0
    while gone < quarters * 15:
        gone += wall_says_open(at_ms, one)
        at_ms += MINUTE_MS
    assert due_ms == at_ms


@pytest.mark.parametrize(("month", "day", "hour_utc"), [(3, 30, 6), (10, 26, 7)])
def test_the_opening_moves_with_the_clocks(month: int, day: int, hour_utc: int) -> None:
    friday = datetime(2026, month, day - 3, 20, tzinfo=ZoneInfo("Europe/Berlin"))
    first = next(open_spans(rep("Europe/Berlin", time(8), time(18)), round(friday.timestamp() * 1000)))
    assert first.from_ms == datetime(2026, month, day, hour_utc, tzinfo=UTC).timestamp() * 1000


def test_a_rep_without_a_time_zone_works_by_utc() -> None:
    without = Rep(rep_id="r", name="R", channels=(Channel(kind=ChannelKind.email, target="r@example.com"),))
    monday = datetime(2026, 11, 30, tzinfo=UTC)
    first = next(open_spans(without, round(monday.timestamp() * 1000)))
    assert first.from_ms == (monday + timedelta(hours=8)).timestamp() * 1000
