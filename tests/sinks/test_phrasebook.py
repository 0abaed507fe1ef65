"""Every room says everything in each of its languages, and each language says it of the same facts."""

import re
import string
from pathlib import Path
from types import ModuleType

import pytest

from sinks.delivery import phrases as delivery
from sinks.phrasebook import languages_of, nearest_of, table_of
from sinks.report import words as report
from sinks.web import words as web

LANGUAGES = {
    delivery: ("de", "en", "zh-Hans", "zh-Hant"),
    report: ("en", "zh-Hans", "zh-Hant"),
    web: ("en", "zh-Hans", "zh-Hant"),
}
ROOMS = pytest.mark.parametrize("room", LANGUAGES, ids=lambda room: room.__name__)


def folder_of(room: ModuleType) -> Path:
    assert room.__file__
    return Path(room.__file__).parent / "phrases"


def texts_of(phrase: str | dict[str, str]) -> list[str]:
    return [phrase] if isinstance(phrase, str) else list(phrase.values())


def facts_of(phrase: str | dict[str, str]) -> set[str]:
    return {name for text in texts_of(phrase) for _, name, _, _ in string.Formatter().parse(text) if name}


@ROOMS
def test_every_language_has_every_phrase_with_the_same_facts(room: ModuleType) -> None:
    folder = folder_of(room)
    assert languages_of(folder) == room.languages() == LANGUAGES[room]
    english = {key: facts_of(phrase) for key, phrase in table_of(folder, "en").items()}
    for language in LANGUAGES[room]:
        assert {key: facts_of(phrase) for key, phrase in table_of(folder, language).items()} == english, language


@ROOMS
def test_traditional_characters_are_not_the_simplified_ones(room: ModuleType) -> None:
    simplified, traditional = (table_of(folder_of(room), language) for language in ("zh-Hans", "zh-Hant"))
    assert sum(traditional[key] == simplified[key] for key in traditional) < len(traditional) / 3


@ROOMS
def test_no_key_stands_twice_in_a_language(room: ModuleType) -> None:
    for language in LANGUAGES[room]:
        files = [one for one in folder_of(room).rglob("*.yaml") if language in (one.stem, one.parent.name)]
        keys = [key for one in files for key in re.findall(r"^([^\s#][^:]*):", one.read_text(), re.MULTILINE)]
        assert sorted(keys) == sorted(table_of(folder_of(room), language))


def test_a_language_is_the_nearest_that_its_reader_understands() -> None:
    said = {tag: nearest_of(folder_of(report), tag) for tag in ("zh-TW", "zh-HK", "zh", "zh-CN", "de", "en-GB", "?")}
    assert said == {
        "zh-TW": "zh-Hant", "zh-HK": "zh-Hant", "zh": "zh-Hans", "zh-CN": "zh-Hans",
        "de": "en", "en-GB": "en", "?": "en",
    }  # fmt: skip
