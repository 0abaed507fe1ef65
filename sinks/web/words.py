"""The words of the pages, per language, and how numbers, days and stretches of time are said in it.

A folder per language holds a file per page; together they are one table.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from babel import Locale
from babel.dates import format_date, format_skeleton, format_timedelta
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from schemas.languages import fallbacks

_FOLDER = Path(__file__).parent / "phrases"
_FALLBACK = "en"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


@dataclass(frozen=True)
class Words:
    """One language's words, and the clock by which times are said."""

    language: str
    table: dict[str, str]
    zone: ZoneInfo

    def say(self, key: str, **facts: object) -> str:
        """Return one phrase with its facts filled in.

        Raises:
            KeyError: there is no such phrase, or it needs a fact that isn't given.
        """
        return self.table[key].format(**facts)

    @property
    def locale(self) -> Locale:
        """What CLDR knows of the language."""
        return Locale.parse(self.language, sep="-")

    def number(self, value: float) -> str:
        """Say a count."""
        return str(format_decimal(value, locale=self.locale))

    def share(self, value: float) -> str:
        """Say a share of one as a percentage."""
        return str(format_percent(value, locale=self.locale))

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

    def listed(self, items: list[str] | tuple[str, ...]) -> str:
        """Join items as the language does."""
        return str(format_list(list(items), locale=self.locale))


def utc(at: datetime) -> datetime:
    """Return a moment that knows its zone: the store's are in UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that have a set of phrases."""
    return tuple(sorted(path.name for path in _FOLDER.iterdir() if path.is_dir()))


@cache
def words_for(tag: str, zone: str = "UTC") -> Words:
    """Return the words of a language tag, else of the nearest that its reader understands, else English."""
    chosen = next((choice for choice in fallbacks(tag) if choice in languages()), _FALLBACK)
    return Words(chosen, _table(chosen), ZoneInfo(zone))


@cache
def _table(language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted((_FOLDER / language).glob("*.yaml")):
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return found
