"""Every language says everything."""

import string
from datetime import UTC, datetime

import pytest

from schemas.brief import TriggerKind
from schemas.directory import BuyingRole, Function
from schemas.interest import Temperature
from sinks.delivery.phrases import Phrases, languages, phrases_for

ENGLISH = phrases_for("en")


def placeholders(phrases: Phrases, key: str) -> set[str]:
    phrase = phrases.table[key]
    texts = phrase.values() if isinstance(phrase, dict) else [phrase]
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", ["en", "de", "zh"])
def test_a_complete_language_has_every_phrase_with_the_same_facts(language: str) -> None:
    phrases = phrases_for(language)
    assert phrases.language == language
    assert phrases.table.keys() == ENGLISH.table.keys()
    for key in ENGLISH.table:
        assert placeholders(phrases, key) == placeholders(ENGLISH, key), key
    assert {name: len(words) for name, words in phrases.names.items()} == {"weekdays": 7, "months": 12}


@pytest.mark.parametrize("language", languages())
def test_no_phrase_is_empty_and_counts_have_both_forms(language: str) -> None:
    for key, phrase in phrases_for(language).table.items():
        if isinstance(phrase, dict):
            assert set(phrase) == {"one", "other"}, key
            assert all(phrase.values()), key
        else:
            assert phrase, key


@pytest.mark.parametrize("language", languages())
def test_every_word_of_the_contract_has_a_phrase(language: str) -> None:
    phrases = phrases_for(language)
    keys = [f"function.{each}" for each in Function] + [f"role.{each}" for each in BuyingRole]
    keys += [f"temperature.{each}" for each in Temperature]
    keys += [f"reason.{kind}" for kind in ("reading", "high_intent", "returned", "several_readers")]
    keys += [f"trigger.{each}" for each in TriggerKind]
    assert [key for key in keys if not phrases.has(key)] == []


@pytest.mark.parametrize(
    ("tag", "spoken"), [("de-AT", "de"), ("zh-Hans-CN", "zh"), ("EN-us", "en"), ("fr", "en"), ("pt-BR", "en")]
)
def test_a_language_falls_back_to_its_base_then_to_english(tag: str, spoken: str) -> None:
    assert phrases_for(tag).language == spoken


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (45, "45 s"), (60, "1 min"), (130, "2 min 10 s"), (3600, "1 h 0 min"), (3900, "1 h 5 min")],
)
def test_durations_are_said_as_people_say_them(seconds: int, said: str) -> None:
    assert ENGLISH.duration(seconds) == said


def test_durations_and_moments_follow_the_language() -> None:
    at = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    assert phrases_for("de").duration(130) == "2 Min. 10 Sek."
    assert phrases_for("zh").duration(130) == "2 分 10 秒"
    assert ENGLISH.moment(at) == "Sun 22 Nov, 14:05"
    assert phrases_for("de").moment(at) == "So 22.11., 14:05"
    assert phrases_for("zh").moment(at) == "11月22日 周日 14:05"


def test_a_count_chooses_singular_or_plural() -> None:
    assert ENGLISH.say("read.more", n=1) == "and 1 more read"
    assert ENGLISH.say("read.more", n=2) == "and 2 more reads"
