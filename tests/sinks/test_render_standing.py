"""How an account stands: facts on top, who hands it over, who has not read, what this week is against others."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

import pytest

from schemas.brief import Brief, HandOver, HandOverReason, Trigger, TriggerKind
from schemas.directory import Contact, Directory, Function, Lifecycle, Stage
from schemas.interest import (
    Committee,
    FunctionCoverage,
    Interest,
    Rise,
    Silence,
    Temperature,
    Trend,
    TrendWord,
)
from sinks.delivery.phrases import languages, phrases_for
from sinks.delivery.render import render
from tests.sinks.delivery_samples import MET_MS, a_brief, a_delivery, a_directory, a_read, an_interest
from tests.sinks.test_render import Page

COMMITTEE = Committee(
    functions=(
        FunctionCoverage(function=Function.executive, contacts=0),
        FunctionCoverage(function=Function.department_head, contacts=1, readers=1),
        FunctionCoverage(function=Function.user, contacts=0),
        FunctionCoverage(function=Function.purchasing_head, contacts=1, unread_contacts=("sam",)),
    ),
    missing=(Function.executive, Function.user, Function.purchasing_head),
    unread_contacts=("sam",),
)


def standing(**changes: object) -> Interest:
    facts: dict[str, object] = {
        "unknown_visitors": 2,
        "committee": COMMITTEE,
        "trend": Trend(word=TrendWord.rising, week_ms=610_000, usual_week_ms=95_000, past_weeks=6),
        "silence": Silence(days=45, ended_ms=MET_MS, page_view_id="pv-1"),
        "rise": Rise(before=Temperature.warm, after=Temperature.hot, at_ms=MET_MS, page_view_id="pv-1"),
        "buying_stage": Stage.price,
    }
    return an_interest().model_copy(update=facts | changes)


def handed(language: str = "en", reason: HandOverReason = HandOverReason.lifecycle, by: str = "rep-1") -> Brief:
    return a_brief(
        language=language,
        interest=standing(),
        lifecycle=Lifecycle.won,
        trigger=Trigger(kind=TriggerKind.hand_over, met_ms=MET_MS, page_view_id="pv-1", url="https://x.example/"),
        hand_over=HandOver(from_rep_id=by, reason=reason),
    )


def people() -> Directory:
    directory = a_directory()
    directory.put(Contact(contact_id="sam", account_id="acme", name="Sam Buyer", function=Function.purchasing_head))
    return directory


def forms(brief: Brief, directory: Directory | None = None) -> dict[str, str]:
    rendered = render(a_delivery(briefs=(brief,)), directory or people())
    return {
        "html": Page(rendered.html).text,
        "text": " ".join(rendered.text.split()),
        "chat": rendered.chat.replace("**", ""),
    }


SAID = {
    "en": (
        "stage: price · reading more than usual · back after 45 days",
        "From Jo Müller: the account has come to “won”",
        "2 colleagues have read whose names are not known",
        "Sam Buyer (head of purchasing)",
        "executive and user (nobody known)",
        "handed over, Sun, Nov 22, 3:05 PM",
    ),
    "de": (
        "Phase: Preis · liest mehr als sonst · zurück nach 45 Tagen",
        "Von Jo Müller: das Unternehmen steht jetzt bei „gewonnen“",
        "2 Personen haben gelesen, deren Namen nicht bekannt sind",
        "Sam Buyer (Einkaufsleitung)",
        "Geschäftsleitung und Anwendung (niemand bekannt)",
        "übergeben, So., 22. Nov., 15:05",
    ),
    "zh": (
        "采购阶段：了解价格 · 阅读多于平时 · 沉寂 45 天后再次来访",
        "来自Jo Müller：客户已进入“成交”阶段",
        "对方另有 2 人读过，姓名未知",
        "Sam Buyer（采购负责人）",
        "企业高管和使用者（尚无联系人）",
        "移交，11月22日周日 15:05",
    ),
}


@pytest.mark.parametrize("language", SAID)
def test_every_form_says_how_the_account_stands_in_the_reps_language(language: str) -> None:
    for name, form in forms(handed(language)).items():
        assert [words for words in SAID[language] if words not in form] == [], name


def test_the_weeks_figures_stand_beside_a_usual_one() -> None:
    assert "10 min 10 sec of reading in the last 7 days, 1 min 35 sec in a usual week" in forms(handed())["html"]
    first = standing(trend=Trend(word=TrendWord.new, week_ms=610_000, usual_week_ms=0, past_weeks=0))
    assert "in the last 7 days, the first week" in forms(a_brief(interest=first))["text"]


def test_marketing_and_a_colleague_who_has_left_hand_over_without_a_name() -> None:
    assert "From marketing: the lead is warm enough" in forms(handed(reason=HandOverReason.ripe, by=""))["text"]
    assert "From a colleague: the account is yours" in forms(handed(reason=HandOverReason.owner, by="gone"))["text"]


def test_a_committee_of_which_the_directory_knows_nothing_is_not_said_to_be_missing() -> None:
    unknown = Committee(functions=(FunctionCoverage(function=Function.user, contacts=0),), missing=(Function.user,))
    assert "Not reading yet" in forms(handed())["text"]
    assert "Not reading yet" not in forms(a_brief(interest=standing(committee=unknown)))["text"]


def test_silence_that_ended_before_what_the_brief_tells_is_not_said_again() -> None:
    old = standing(silence=Silence(days=45, ended_ms=MET_MS, page_view_id="long-ago"))
    assert "back after 45" not in forms(a_brief(interest=old))["html"]


def test_the_trigger_says_from_which_temperature_to_which_and_how_long_the_silence_was() -> None:
    trigger = Trigger(kind=TriggerKind.temperature_up, met_ms=MET_MS, page_view_id="pv-1", url="https://x.example/")
    said = forms(a_brief(trigger=trigger, interest=standing()))["text"]
    assert "went from warm to hot, Sun, Nov 22, 3:05 PM" in said
    back = trigger.model_copy(update={"kind": TriggerKind.returned_after_silence})
    assert "back after 45 days of silence, Sun" in forms(a_brief(trigger=back, interest=standing()))["text"]


def test_a_reader_whose_name_is_not_known_is_an_unknown_colleague() -> None:
    rendered = render(a_delivery(briefs=(a_brief(reads=(a_read(contact_id=""),)),)), people())
    assert "someone there read “Pricing”" in rendered.subject
    one = a_brief(reads=(a_read(contact_id=""),), interest=standing(unknown_visitors=1))
    assert "names are not known" not in forms(one)["text"]
    assert "whose name is not known" in forms(a_brief(interest=standing(unknown_visitors=1)))["text"]


@pytest.mark.parametrize("language", languages())
def test_every_stage_reason_and_trend_has_a_phrase(language: str) -> None:
    phrases = phrases_for(language)
    keys = [f"stage.{each}" for each in Stage] + [f"lifecycle.{each}" for each in Lifecycle]
    keys += [f"hand_over.{each}" for each in HandOverReason] + [f"fact.{each}" for each in TrendWord]
    assert [key for key in keys if not phrases.has(key)] == []
