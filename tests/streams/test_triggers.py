"""When an account is worth a brief.

open page, still open   |--read--|........quiet........> end
page left               |--read--|..grace..> end
"""

from schemas.brief import TriggerKind
from schemas.playbook import TriggerRules
from schemas.reads import Read
from streams.triggers import decide, next_due_ms, session_end_ms
from tests.streams.journeys import SITE, START_MS, directory

RULES = TriggerRules(session_grace_s=10, session_quiet_s=120, min_session_active_s=10, high_intent_active_s=8)


def read(name: str, path: str, active_s: float, *, last_s: float = 0, left: bool = False) -> Read:
    last_ms = START_MS + round(last_s * 1000)
    return Read(
        page_view_id=name,
        visitor_id="v",
        site="docs",
        contact_id="dana",
        url=SITE + path,
        started_ms=START_MS,
        last_ms=last_ms,
        left_ms=last_ms if left else 0,
        active_ms=round(active_s * 1000),
    )


def decided(reads: list[Read], now_s: float, told: dict[str, int] | None = None) -> TriggerKind | None:
    trigger = decide(reads, told or {}, directory(), RULES, START_MS + round(now_s * 1000))
    return trigger.kind if trigger else None


def test_a_left_page_ends_the_session_after_the_grace() -> None:
    reads = [read("a", "/problem", 30, last_s=30, left=True)]
    assert decided(reads, 39.9) is None
    assert decided(reads, 40) is TriggerKind.session_end


def test_an_open_page_holds_the_session_until_it_has_been_quiet() -> None:
    reads = [read("a", "/problem", 30, last_s=30, left=True), read("b", "/solution", 0, last_s=31)]
    assert decided(reads, 60) is None
    assert decided(reads, 151) is TriggerKind.session_end


def test_reading_too_short_is_not_worth_a_brief() -> None:
    reads = [read("a", "/problem", 9.9, last_s=30, left=True)]
    assert next_due_ms(reads, {}, RULES) is None
    assert decided(reads, 1000) is None


def test_a_high_intent_page_does_not_wait_for_the_end() -> None:
    assert decided([read("a", "/pricing", 7.9, last_s=8)], 8) is None
    assert decided([read("a", "/pricing", 8, last_s=8)], 8) is TriggerKind.high_intent


def test_high_intent_reading_of_long_ago_waits_for_the_end_of_the_session() -> None:
    reads = [read("a", "/pricing", 20, last_s=20, left=True), read("b", "/problem", 5, last_s=2000)]
    assert decided(reads, 2001) is None


def test_what_was_told_is_not_told_again_but_more_of_it_is() -> None:
    reads = [read("a", "/problem", 30, last_s=30, left=True)]
    assert decided(reads, 60, {"a": 30_000}) is None
    assert decided(reads, 60, {"a": 15_000}) is TriggerKind.session_end


def test_nothing_read_has_no_end() -> None:
    assert session_end_ms([], RULES) is None
