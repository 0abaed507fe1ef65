"""What a brief's links say, for whom and for how long, and what their outcomes are."""

import pytest

from producers.collector.feedback import outcome_of
from producers.collector.feedback_pages import WORDS, Note, note, question
from producers.feedback_links import (
    FEEDBACK_MAX_AGE_S,
    FORM_MAX_AGE_S,
    check_form,
    feedback_link,
    form_token,
    read_feedback,
)
from producers.links import Fault, TokenError
from schemas.channel import ChannelKind
from schemas.delivery import OutcomeKind
from schemas.feedback import ANSWERS, FeedbackKind, FeedbackRef
from schemas.settings import Settings

NOW_MS = 1_795_356_300_000
SETTINGS = Settings(secret="a-secret-of-the-tests", collector_url="https://read.example/")
ABOUT = FeedbackRef(
    delivery_id="delivery_1", rep_id="rita", channel=ChannelKind.chat, language="zh-Hant", brief_ids=("brief_1",),
    account_ids=("acme",),
)  # fmt: skip


def token(kind: FeedbackKind, url: str = "", settings: Settings = SETTINGS) -> str:
    return feedback_link(settings, kind, ABOUT, url, NOW_MS).rpartition("/")[2]


@pytest.mark.parametrize("kind", list(FeedbackKind))
def test_a_link_says_what_it_was_made_with(kind: FeedbackKind) -> None:
    link = feedback_link(SETTINGS, kind, ABOUT, "https://www.example.com/a?b=(c)", NOW_MS)
    assert link.startswith(f"https://read.example/f/{kind}/")
    said = read_feedback(SETTINGS, kind, link.rpartition("/")[2], now_ms=NOW_MS + 1000)
    assert (said.kind, said.about, said.url, said.signed_ms) == (kind, ABOUT, "https://www.example.com/a?b=(c)", NOW_MS)


@pytest.mark.parametrize("kind", list(FeedbackKind))
def test_a_token_made_for_one_kind_is_no_good_for_any_other(kind: FeedbackKind) -> None:
    made = token(kind)
    for other in set(FeedbackKind) - {kind}:
        with pytest.raises(TokenError):
            read_feedback(SETTINGS, other, made, now_ms=NOW_MS)


def test_a_forged_or_old_token_is_told_apart() -> None:
    elsewhere = Settings(secret="another-secret-entirely")
    made = token(FeedbackKind.useful)
    late_ms = NOW_MS + (FEEDBACK_MAX_AGE_S + 1) * 1000
    for broken, now_ms, fault in (
        (token(FeedbackKind.useful, settings=elsewhere), NOW_MS, Fault.forged),
        (made[:-1] + ("A" if made[-1] != "A" else "B"), NOW_MS, Fault.forged),
        ("", NOW_MS, Fault.forged),
        (made, late_ms, Fault.expired),
    ):
        with pytest.raises(TokenError) as error:
            read_feedback(SETTINGS, FeedbackKind.useful, broken, now_ms=now_ms)
        assert error.value.fault is fault


def test_a_form_is_one_links_alone_and_for_an_hour() -> None:
    mine, other = token(FeedbackKind.useful), token(FeedbackKind.snooze)
    form = form_token(SETTINGS, mine, now_ms=NOW_MS)
    check_form(SETTINGS, form, mine, now_ms=NOW_MS + 1000)
    for link, now_ms in ((other, NOW_MS), (mine, NOW_MS + (FORM_MAX_AGE_S + 1) * 1000)):
        with pytest.raises(TokenError):
            check_form(SETTINGS, form, link, now_ms=now_ms)


def test_the_same_answer_is_the_same_outcome_and_another_is_another() -> None:
    said = read_feedback(SETTINGS, FeedbackKind.objection, token(FeedbackKind.objection), now_ms=NOW_MS)
    first = outcome_of(said, OutcomeKind.objection, NOW_MS, text="too dear")
    again = outcome_of(said, OutcomeKind.objection, NOW_MS + 9_000_000, text="too dear")
    other = outcome_of(said, OutcomeKind.objection, NOW_MS, text="no budget")
    assert first.outcome_id == again.outcome_id != other.outcome_id
    assert (first.rep_id, first.account_ids, first.brief_ids) == ("rita", ("acme",), ("brief_1",))
    machine = outcome_of(said, OutcomeKind.opened, NOW_MS, suspected=True)
    assert machine.outcome_id != outcome_of(said, OutcomeKind.opened, NOW_MS).outcome_id


def test_every_language_has_every_word() -> None:
    assert set(WORDS) == {"en", "de", "zh-Hans", "zh-Hant"}
    for words in WORDS.values():
        assert set(words.questions) == set(ANSWERS)
        assert set(words.notes) == set(Note)
        assert all([*words.notes.values(), *(text for pair in words.questions.values() for text in pair)])
    english = {text for pair in WORDS["en"].questions.values() for text in pair} | set(WORDS["en"].notes.values())
    for language in set(WORDS) - {"en"}:
        assert not english & {text for pair in WORDS[language].questions.values() for text in pair}


def test_what_was_written_is_escaped_where_it_is_shown_again() -> None:
    html = question("en", FeedbackKind.objection, "form", Note.empty, "</textarea><script>alert(1)</script>")
    assert "<script" not in html
    assert "&lt;/textarea&gt;&lt;script&gt;" in html
    assert "<form" not in note("de", Note.thanks)
    assert 'lang="zh-Hant"' in question("zh-Hant", FeedbackKind.useful, "form")
