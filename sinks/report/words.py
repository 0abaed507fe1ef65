"""The words of the report's pages, per language, and how days and stretches of time are said in it."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

from babel import Locale
from babel.dates import format_interval

from sinks.phrasebook import Phrasebook, languages_of, nearest_of, table_of

_FOLDER = Path(__file__).parent / "phrases"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


class Words(Phrasebook):
    """One language's words."""

    def days(self, first: date, last: date) -> str:
        """Say a stretch of days."""
        return str(format_interval(first, last, skeleton="yMMMd", locale=self.locale))

    def duration(self, seconds: int) -> str:
        """Say a stretch of time in its largest unit."""
        for key, unit_s in (("days", _DAY_S), ("hours", _HOUR_S), ("minutes", _MINUTE_S)):
            if seconds >= 2 * unit_s:
                return self.say(key, n=round(seconds / unit_s))
        return self.say("seconds", n=seconds)

    def listed(self, items: Sequence[str]) -> str:
        """Join items without an "and": names that go on."""
        return self.say("comma").join(items)


def languages() -> tuple[str, ...]:
    """Return the languages that have a set of phrases."""
    return languages_of(_FOLDER)


@cache
def words_for(language: str) -> Words:
    """Return the words of a language tag, else of the nearest that its reader understands, else English."""
    chosen = nearest_of(_FOLDER, language)
    return Words(chosen, Locale.parse(chosen, sep="-"), table_of(_FOLDER, chosen))
