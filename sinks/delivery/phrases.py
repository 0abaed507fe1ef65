"""The words of a brief, per language, and how times and stretches of time are said in it (by CLDR, through Babel)."""

from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format
from babel.lists import format_list
from babel.units import format_unit

from schemas.languages import locale_of
from sinks.phrasebook import Phrasebook, languages_of, nearest_of, table_of

_FOLDER = Path(__file__).parent / "phrases"
_HOUR_S = 3600
_MINUTE_S = 60


class Phrases(Phrasebook):
    """One language's phrases; numbers and times are said as the reader's own region does."""

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
        return self.share(number / 100)

    def number(self, value: float) -> str:
        """Say a number, without digits after the point."""
        return super().number(round(value))

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


@cache
def _writes_without_spaces(locale: str) -> bool:
    """Tell whether units are joined without a space; CLDR's spaces within would tear them apart: "1 分鐘35 秒"."""
    return str(format_list(("1", "2"), style="unit-narrow", locale=locale)) == "12"


def languages() -> tuple[str, ...]:
    """Return the languages that have a complete set of phrases."""
    return languages_of(_FOLDER)


@lru_cache(maxsize=200)
def phrases_for(tag: str) -> Phrases:
    """Return the phrases of a language tag, by its script and base language, else English.

    Numbers and times follow the tag itself, so that en-GB has its own clock.
    """
    chosen = nearest_of(_FOLDER, tag)
    own = locale_of(tag)
    # Of a language that there are no phrases in, its numbers would stand between English words.
    locale = own if own and own.language == chosen.split("-", maxsplit=1)[0] else Locale.parse(chosen, sep="-")
    return Phrases(chosen, locale, table_of(_FOLDER, chosen))
