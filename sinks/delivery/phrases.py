"""The words of a brief, per language, and how numbers, times and lists are said in it (by CLDR, through Babel)."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

import yaml
from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from schemas.languages import fallbacks, locale_of

_FOLDER = Path(__file__).parent / "phrases"
_FALLBACK = "en"
_HOUR_S = 3600
_MINUTE_S = 60


@dataclass(frozen=True)
class Phrases:
    """One language's phrases by key, by plural form where a count decides; `locale` says numbers and times."""

    language: str
    locale: Locale
    table: dict[str, str | dict[str, str]]

    def say(self, key: str, **facts: object) -> str:
        """Return one phrase with its facts filled in; the fact `n` chooses the plural form.

        Raises:
            KeyError: there is no such phrase, or it needs a fact that isn't given.
        """
        phrase = self.table[key]
        if isinstance(phrase, dict):
            count = facts["n"]
            form = self.locale.plural_form(count) if isinstance(count, int) else "other"
            phrase = phrase.get(form) or phrase["other"]
        return phrase.format(**facts)

    def has(self, key: str) -> bool:
        """Tell whether there is such a phrase."""
        return key in self.table

    def duration(self, seconds: int) -> str:
        """Say a number of seconds by its two largest units: "45 sec", "2 min 10 sec", "1 hr 5 min"."""
        minutes, seconds = divmod(seconds, _MINUTE_S)
        hours, minutes = divmod(minutes, _HOUR_S // _MINUTE_S)
        units = [("hour", hours), ("minute", minutes), ("second", seconds)]
        while len(units) > 1 and not units[0][1]:
            units.pop(0)
        said = [
            format_unit(amount, f"duration-{unit}", length="short", locale=self.locale)
            for place, (unit, amount) in enumerate(units[:2])
            if amount or not place
        ]
        joined = format_list(said, style="unit-narrow", locale=self.locale)
        return joined.replace(" ", "") if _writes_without_spaces(str(self.locale)) else joined

    def percent(self, number: int) -> str:
        """Say a percentage."""
        return format_percent(number / 100, locale=self.locale)

    def number(self, number: float) -> str:
        """Say a number, without digits after the point."""
        return format_decimal(round(number), locale=self.locale)

    def quoted(self, text: str) -> str:
        """Put a text in the language's quotation marks."""
        return self.say("quoted", text=text)

    def labelled(self, label: str, text: str) -> str:
        """Put a label before a text."""
        return label + self.say("colon") + text

    def moment(self, at: datetime) -> str:
        """Say a day and a time of day, by the clock that `at` carries."""
        pattern = str(get_datetime_format("medium", locale=self.locale)).replace("'", "")
        day = format_skeleton("MMMEd", at, at.tzinfo, locale=self.locale)
        time = format_time(at, "short", tzinfo=at.tzinfo, locale=self.locale)
        # CLDR's narrow space is a box in some mail programs.
        return pattern.replace("{1}", day).replace("{0}", time).replace("\u202f", " ")

    def day(self, at: datetime) -> str:
        """Say a day, by the clock that `at` carries."""
        return format_date(at, "medium", locale=self.locale)

    def listed(self, items: tuple[str, ...]) -> str:
        """Join items as the language does."""
        return format_list(items, locale=self.locale)


@cache
def _writes_without_spaces(locale: str) -> bool:
    """Tell whether units are joined without a space; CLDR's spaces within would tear them apart: "1 分鐘35 秒"."""
    return str(format_list(("1", "2"), style="unit-narrow", locale=locale)) == "12"


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that have a complete set of phrases."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def _table(language: str) -> dict[str, str | dict[str, str]]:
    table: dict[str, str | dict[str, str]] = yaml.safe_load((_FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return table


@lru_cache(maxsize=200)
def phrases_for(tag: str) -> Phrases:
    """Return the phrases of a language tag, by its script and base language, else English.

    Numbers and times follow the tag itself, so that en-GB has its own clock.
    """
    for choice in fallbacks(tag):
        if choice in languages():
            return Phrases(choice, locale_of(tag) or Locale.parse(choice, sep="-"), _table(choice))
    return Phrases(_FALLBACK, Locale.parse(_FALLBACK), _table(_FALLBACK))
