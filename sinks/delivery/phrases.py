"""The words of a brief, per language, and how numbers and moments are said in it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import yaml

_FOLDER = Path(__file__).parent / "phrases"
_FALLBACK = "en"
_HOUR_S = 3600
_MINUTE_S = 60


@dataclass(frozen=True)
class Phrases:
    """One language's words: phrases by key (singular and plural where a count decides), and names by kind."""

    language: str
    table: dict[str, str | dict[str, str]]
    names: dict[str, list[str]]

    def say(self, key: str, **facts: object) -> str:
        """Return one phrase with its facts filled in; the fact `n` chooses between singular and plural.

        Raises:
            KeyError: there is no such phrase, or it needs a fact that isn't given.
        """
        phrase = self.table[key]
        if isinstance(phrase, dict):
            phrase = phrase["one" if facts["n"] == 1 else "other"]
        return phrase.format(**facts)

    def has(self, key: str) -> bool:
        """Tell whether there is such a phrase."""
        return key in self.table

    def duration(self, seconds: int) -> str:
        """Say a number of seconds as a person would: "45 s", "2 min 10 s", "1 h 5 min"."""
        if seconds < _MINUTE_S:
            return self.say("seconds", s=seconds)
        if seconds < _HOUR_S:
            minutes, rest = divmod(seconds, _MINUTE_S)
            return self.say("minutes_seconds", m=minutes, s=rest) if rest else self.say("minutes", m=minutes)
        hours, rest = divmod(seconds, _HOUR_S)
        return self.say("hours_minutes", h=hours, m=rest // _MINUTE_S)

    def percent(self, number: int) -> str:
        """Say a percentage."""
        return self.say("percent", n=number)

    def quoted(self, text: str) -> str:
        """Put a text in the language's quotation marks."""
        return self.say("quoted", text=text)

    def labelled(self, label: str, text: str) -> str:
        """Put a label before a text."""
        return label + self.say("colon") + text

    def moment(self, at: datetime) -> str:
        """Say a day and a time of day, by the clock that `at` carries."""
        return self.say(
            "moment",
            weekday=self.names["weekdays"][at.weekday()],
            month=self.names["months"][at.month - 1],
            day=at.day,
            time=f"{at:%H:%M}",
        )

    def listed(self, items: tuple[str, ...]) -> str:
        """Join items as the language does."""
        return self.say("list_comma").join(items)


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that have a complete set of phrases."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def _load(language: str) -> Phrases:
    raw = yaml.safe_load((_FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    names = {key: value for key, value in raw.items() if isinstance(value, list)}
    return Phrases(language, {key: value for key, value in raw.items() if key not in names}, names)


def phrases_for(language: str) -> Phrases:
    """Return the phrases of a language tag, else of its base language, else English."""
    for choice in (language.lower(), language.lower().split("-", maxsplit=1)[0]):
        if choice in languages():
            return _load(choice)
    return _load(_FALLBACK)
