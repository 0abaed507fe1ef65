"""The words of the pages, per language, and how days and stretches of time are said in it by the viewer's clock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_timedelta

from sinks.phrasebook import Phrasebook, languages_of, nearest_of, table_of

_FOLDER = Path(__file__).parent / "phrases"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


@dataclass(frozen=True)
class Words(Phrasebook):
    """One language's words, and the clock by which times are said."""

    zone: ZoneInfo

    def duration(self, ms: int) -> str:
        """Say a stretch of time in its two largest units, such as 2 min 10 s."""
        seconds = round(ms / 1000)
        if seconds < _MINUTE_S:
            return self.say("unit.s", n=seconds)
        if seconds < _HOUR_S:
            rest = seconds % _MINUTE_S
            said = self.say("unit.min", n=seconds // _MINUTE_S)
            return f"{said} {self.say('unit.s', n=rest)}" if rest and seconds < 10 * _MINUTE_S else said
        said = self.say("unit.h", n=seconds // _HOUR_S)
        rest = seconds % _HOUR_S // _MINUTE_S
        return f"{said} {self.say('unit.min', n=rest)}" if rest else said

    def ago(self, at: datetime, now: datetime) -> str:
        """Say how long ago a moment was, as in "3 days ago"."""
        passed = utc(at) - utc(now)
        if abs(passed) < timedelta(seconds=_MINUTE_S):
            return self.say("just_now")
        return str(format_timedelta(passed, add_direction=True, threshold=1.5, locale=self.locale))

    def moment(self, at: datetime) -> str:
        """Say a day and a time of day, by the viewer's clock."""
        own = utc(at).astimezone(self.zone)
        return f"{format_skeleton('MMMd', own, locale=self.locale)} {own:%H:%M}"

    def time(self, at: datetime) -> str:
        """Say a time of day, by the viewer's clock."""
        return utc(at).astimezone(self.zone).strftime("%H:%M")

    def day(self, at: date | datetime) -> str:
        """Say a day; of a moment, the day by the viewer's clock."""
        day = utc(at).astimezone(self.zone).date() if isinstance(at, datetime) else at
        return str(format_date(day, "medium", locale=self.locale))


def utc(at: datetime) -> datetime:
    """Return a moment that knows its zone: the store's are in UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def languages() -> tuple[str, ...]:
    """Return the languages that have a set of phrases."""
    return languages_of(_FOLDER)


@cache
def words_for(tag: str, zone: str = "UTC") -> Words:
    """Return the words of a language tag, else of the nearest that its reader understands, else English."""
    chosen = nearest_of(_FOLDER, tag)
    return Words(chosen, Locale.parse(chosen, sep="-"), table_of(_FOLDER, chosen), ZoneInfo(zone))
