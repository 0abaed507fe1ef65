"""Every language says everything."""

from datetime import UTC, datetime

import pytest

from schemas.brief import BringReason, CorrectionKind, TriggerKind
from schemas.directory import BuyingRole, Function
from schemas.interest import Temperature
from sinks.delivery.document import ButtonKind, SectionKind
from sinks.delivery.phrases import languages, phrases_for

ENGLISH = phrases_for("en")


@pytest.mark.parametrize("language", languages())
def test_no_phrase_is_empty_and_counts_have_every_form_of_the_language(language: str) -> None:
    forms = {"other", *phrases_for(language).locale.plural_form.tags}
    for key, phrase in phrases_for(language).table.items():
        if isinstance(phrase, dict):
            assert set(phrase) == forms, key
            assert all(phrase.values()), key
        else:
            assert phrase, key


@pytest.mark.parametrize("language", languages())
def test_every_word_of_the_contract_has_a_phrase(language: str) -> None:
    phrases = phrases_for(language)
    keys = [f"function.{each}" for each in Function] + [f"role.{each}" for each in BuyingRole]
    keys += [f"temperature.{each}" for each in Temperature]
    keys += [f"reason.{kind}" for kind in ("reading", "high_intent", "returned", "several_readers")]
    keys += [f"{kind}.{each}" for kind in ("trigger", "change") for each in TriggerKind]
    keys += [f"section.{each}" for each in SectionKind] + [f"button.{each}" for each in ButtonKind]
    keys += [f"bring.{each}" for each in BringReason] + [f"correction.{each}" for each in CorrectionKind]
    assert [key for key in keys if not phrases.has(key)] == []


@pytest.mark.parametrize(
    ("tag", "spoken"),
    [
        ("de-AT", "de"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-Hans-CN", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"),
        ("en-US", "en"),
        ("fr", "en"),
        ("pt-BR", "en"),
    ],
)
def test_a_language_is_spoken_by_its_script_else_its_base_else_in_english(tag: str, spoken: str) -> None:
    assert phrases_for(tag).language == spoken


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 sec"), (45, "45 sec"), (60, "1 min"), (130, "2 min 10 sec"), (3600, "1 hr"), (3900, "1 hr 5 min")],
)
def test_durations_are_said_as_people_say_them(seconds: int, said: str) -> None:
    assert ENGLISH.duration(seconds) == said


def test_durations_and_moments_follow_the_language() -> None:
    at = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    assert phrases_for("de").duration(130) == "2 Min., 10 Sek."
    assert phrases_for("zh").duration(130) == "2分钟10秒"
    assert [phrases_for("zh-TW").duration(seconds) for seconds in (130, 60)] == ["2分鐘10秒", "1分鐘"]
    assert ENGLISH.moment(at) == "Sun, Nov 22, 2:05 PM"
    assert phrases_for("en-GB").moment(at) == "Sun 22 Nov, 14:05"
    assert phrases_for("de").moment(at) == "So., 22. Nov., 14:05"
    assert phrases_for("zh-CN").moment(at) == "11月22日周日 14:05"
    assert phrases_for("zh-TW").moment(at) == "11月22日週日 下午2:05"


def test_a_count_chooses_singular_or_plural() -> None:
    assert ENGLISH.say("read.more", n=1) == "and 1 more read"
    assert ENGLISH.say("read.more", n=2) == "and 2 more reads"
