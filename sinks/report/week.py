"""Weeks as the meeting has them: Monday to Sunday by its own clock, named as ISO 8601 does."""

import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.errors import InputError

_NAME = re.compile(r"^(\d{4})-W(\d{2})$")


class Week(NamedTuple):
    """One week: its name, first day, and both ends in Unix milliseconds, the second exclusive."""

    name: str
    monday: date
    since_ms: int
    until_ms: int


def week_named(name: str, zone: ZoneInfo) -> Week:
    """Return the week that is called so, as 2026-W47.

    Raises:
        InputError: there is no such week.
    """
    found = _NAME.match(name)
    problem = InputError(f"{name!r} is no week; one is named as 2026-W47 is")
    if not found:
        raise problem
    try:
        return _week(date.fromisocalendar(int(found[1]), int(found[2]), 1), zone)
    except ValueError as error:
        raise problem from error


def week_before(now_ms: int, zone: ZoneInfo) -> Week:
    """Return the last week that is over."""
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    return _week(today - timedelta(days=today.weekday() + 7), zone)


def due_week(now_ms: int, weekday: int, at: time, zone: ZoneInfo) -> Week | None:
    """Return the week whose page is to be sent by now: the one before, from a day (0: Monday) and a time on."""
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    monday = now.date() - timedelta(days=now.weekday())
    opens = datetime.combine(monday + timedelta(days=weekday), at, zone)
    return week_before(now_ms, zone) if now >= opens else None


def _week(monday: date, zone: ZoneInfo) -> Week:
    year, number, _ = monday.isocalendar()
    ends = [datetime.combine(monday + timedelta(days=days), time(0), zone) for days in (0, 7)]
    since_ms, until_ms = (round(end.timestamp() * 1000) for end in ends)
    return Week(f"{year}-W{number:02d}", monday, since_ms, until_ms)
