"""Phrases by key, one set per language, and how numbers and lists are said in it (by CLDR, through Babel).

A set is a YAML file named by its language, or a folder of them that together are one set. Each room of the sinks has
a folder of sets beside its code, and adds what it alone says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from babel import Locale
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from schemas.languages import fallbacks

_FALLBACK = "en"

Table = dict[str, str | dict[str, str]]
"""Phrases by key; by plural form where a count decides."""


@dataclass(frozen=True)
class Phrasebook:
    """One language's phrases; `locale` says numbers and times, and may be of one region of it."""

    language: str
    locale: Locale
    table: Table

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

    def number(self, value: float) -> str:
        """Say a number."""
        return str(format_decimal(value, locale=self.locale))

    def share(self, value: float) -> str:
        """Say a share of one as a percentage."""
        return str(format_percent(value, locale=self.locale))

    def listed(self, items: Sequence[str]) -> str:
        """Join items as the language does."""
        return str(format_list(items, locale=self.locale))


@cache
def languages_of(folder: Path) -> tuple[str, ...]:
    """Return the languages that a folder has a set of phrases in."""
    return tuple(sorted(path.stem for path in folder.iterdir() if path.is_dir() or path.suffix == ".yaml"))


def nearest_of(folder: Path, tag: str) -> str:
    """Return a folder's language that a reader of `tag` understands best, by script and base language, else English."""
    return next((choice for choice in fallbacks(tag) if choice in languages_of(folder)), _FALLBACK)


@cache
def table_of(folder: Path, language: str) -> Table:
    """Return a language's set of phrases."""
    whole = folder / f"{language}.yaml"
    table: Table = {}
    for path in [whole] if whole.exists() else sorted((folder / language).glob("*.yaml")):
        table |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return table
