"""The words of the report's pages, per language, and how numbers and days are said in it."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import yaml
from babel import Locale
from babel.dates import format_interval
from babel.numbers import format_decimal, format_percent

from schemas.languages import fallbacks

_FOLDER = Path(__file__).parent / "phrases"
_FALLBACK = "en"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


@dataclass(frozen=True)
class Words:
    """One language's words."""

    language: str
    table: dict[str, str]

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

    def days(self, first: date, last: date) -> str:
        """Say a stretch of days."""
        return str(format_interval(first, last, skeleton="yMMMd", locale=self.locale))

    def duration(self, seconds: int) -> str:
        """Say a stretch of time in its largest unit."""
        for key, unit_s in (("days", _DAY_S), ("hours", _HOUR_S), ("minutes", _MINUTE_S)):
            if seconds >= 2 * unit_s:
                return self.say(key, n=round(seconds / unit_s))
        return self.say("seconds", n=seconds)

    def listed(self, items: tuple[str, ...]) -> str:
        """Join items as the language does."""
        return self.table["comma"].join(items)


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that have a set of phrases."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def words_for(language: str) -> Words:
    """Return the words of a language tag, else of the nearest that its reader understands, else English."""
    chosen = next((choice for choice in fallbacks(language) if choice in languages()), _FALLBACK)
    table = yaml.safe_load((_FOLDER / f"{chosen}.yaml").read_text(encoding="utf-8"))
    return Words(chosen, table)
