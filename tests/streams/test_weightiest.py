"""One brief per moment, under the weightiest name that fits.

summary  |--read--|grace|brief    the account's session ends: session_end, or more
cooling  |--read--|...............|below stay_share: a new summary, no brief
"""

from schemas.brief import TriggerKind
from schemas.interest import Temperature, TrendWord
from schemas.playbook import InterestRules, Playbook, TemperatureRules, TriggerRules
from streams.account_state import AccountState
from streams.accounts import advance
from tests.streams.journeys import START_MS, directory
from tests.streams.test_accounts import progress
from tests.streams.test_ownership import DAY_MS, Account, people

RULES = Playbook(
    company="Example",
    temperature=TemperatureRules(warm_at=3, hot_at=12, points_high_intent_read=5, points_returning_reader=0),
    triggers=TriggerRules(min_session_active_s=5, high_intent_active_s=10),
)


def opportunity(playbook: Playbook = RULES) -> Account:
    return Account(directory(), playbook)


def without(*kinds: TriggerKind) -> Playbook:
    told = tuple(kind for kind in TriggerKind if kind not in kinds)
    return RULES.model_copy(update={"triggers": RULES.triggers.model_copy(update={"told": told})})


def test_a_session_that_warms_the_account_is_told_by_that_and_the_next_one_that_does_not_is_not() -> None:
    account = opportunity()
    (cold,) = account.reads(progress("a", "/problem", 10, START_MS))
    (warm,) = account.reads(progress("b", "/problem", 60, START_MS + 3_600_000))
    (still,) = account.reads(progress("c", "/solution", 20, START_MS + 7_200_000))
    assert [brief.trigger.kind for brief in (cold, warm, still)] == [
        TriggerKind.session_end, TriggerKind.temperature_up, TriggerKind.session_end,
    ]  # fmt: skip
    assert warm.interest.rise
    assert (warm.interest.rise.before, warm.interest.rise.after) == (Temperature.cold, Temperature.warm)


def test_a_rise_that_was_told_is_not_told_by_more_of_the_same_read() -> None:
    account = opportunity()
    (warm,) = account.reads(progress("a", "/problem", 70, START_MS))
    (more,) = account.reads(progress("a", "/problem", 90, START_MS + 60_000))
    assert (warm.trigger.kind, more.trigger.kind) == (TriggerKind.temperature_up, TriggerKind.session_end)


def test_who_reads_again_after_long_silence_is_told_by_that_and_the_silence_has_its_length() -> None:
    account = opportunity()
    account.reads(progress("a", "/problem", 20, START_MS))
    (early,) = account.reads(progress("b", "/problem", 20, START_MS + 29 * DAY_MS))
    (late,) = account.reads(progress("c", "/problem", 20, START_MS + 60 * DAY_MS))
    assert (early.trigger.kind, late.trigger.kind) == (TriggerKind.session_end, TriggerKind.returned_after_silence)
    assert late.interest.silence
    assert (late.interest.silence.days, late.interest.silence.page_view_id) == (31, "c")


def test_a_price_page_that_also_warms_is_one_brief_by_the_price_page() -> None:
    account = opportunity()
    briefs = account.reads(progress("a", "/pricing", 60, START_MS))
    assert [brief.trigger.kind for brief in briefs] == [TriggerKind.high_intent]
    assert account.reads() == []


def test_a_hand_over_outweighs_all() -> None:
    (brief,) = Account(people(directory().accounts["acme"].lifecycle.lead), RULES).reads(
        progress("a", "/pricing", 60, START_MS)
    )
    assert brief.trigger.kind is TriggerKind.hand_over


def test_what_is_not_to_be_told_waits_for_what_is() -> None:
    account = opportunity(without(TriggerKind.session_end))
    assert account.reads(progress("a", "/problem", 20, START_MS)) == []
    (brief,) = account.reads(progress("b", "/problem", 60, START_MS + 60_000))
    assert brief.trigger.kind is TriggerKind.temperature_up
    assert [read.page_view_id for read in brief.reads] == ["a", "b"]


def test_what_is_not_told_is_not_looked_at_again_and_again() -> None:
    account = opportunity(without(TriggerKind.session_end))
    account.reads(progress("a", "/problem", 20, START_MS))
    step = advance(account.state, account.directory, account.playbook, account.now_ms, account.state)
    assert step.due_ms is None
    assert not step.changed


def test_a_high_intent_page_that_is_not_told_as_such_waits_for_the_end_of_the_session() -> None:
    account = opportunity(without(TriggerKind.high_intent))
    assert account.reads(progress("a", "/pricing", 12, START_MS, left=False)) == []
    account.now_ms = START_MS + 120_000
    assert [brief.trigger.kind for brief in account.reads()] == [TriggerKind.temperature_up]


def test_an_account_that_cools_has_a_new_summary_and_no_brief() -> None:
    account = opportunity()
    (warm,) = account.reads(progress("a", "/problem", 60, START_MS))
    cools_ms, state = warm.interest.cools_ms, account.state
    assert cools_ms
    for now_ms, expected in ((cools_ms - 1, None), (cools_ms, Temperature.cold), (cools_ms + DAY_MS, Temperature.cold)):
        step = advance(state, account.directory, RULES, now_ms, state)
        assert (step.interest.temperature if step.interest else None) is expected
        assert step.briefs == ()
        if step.interest:
            assert step.interest.as_of_ms == cools_ms
            assert step.due_ms is None
            assert not step.changed
        else:
            assert step.due_ms == cools_ms


def test_a_summary_of_old_reads_waits_for_quiet_before_it_is_renewed() -> None:
    account, now_ms = opportunity(), START_MS + 300 * DAY_MS
    account.reads(progress("a", "/problem", 60, START_MS))
    fresh = AccountState(account_id="acme", reads=account.state.reads)
    step = advance(fresh, account.directory, RULES, now_ms, AccountState(account_id="acme"))
    assert step.interest
    assert step.interest.temperature is Temperature.warm
    assert step.due_ms == now_ms + 60_000


def test_this_week_is_measured_against_the_accounts_own_weeks() -> None:
    account = opportunity(RULES.model_copy(update={"interest": InterestRules(trend_factor=2)}))
    words = []
    for week, active_s in enumerate((60, 100, 170, 30)):
        at_ms = START_MS + week * 7 * DAY_MS
        (brief,) = account.reads(progress(f"w{week}", "/problem", active_s, at_ms))
        assert brief.interest.trend
        words.append(brief.interest.trend.word)
    assert words == [TrendWord.new, TrendWord.steady, TrendWord.rising, TrendWord.falling]


def test_a_rise_that_nobody_could_be_told_and_that_is_over_is_not_told_later() -> None:
    account = opportunity()
    rep = account.directory.reps["rita"]
    account.directory.remove("rep:rita")
    assert account.reads(progress("a", "/problem", 60, START_MS)) == []
    account.directory.put(rep)
    (brief,) = account.reads(progress("b", "/problem", 10, START_MS + 40 * DAY_MS))
    assert brief.interest.rise
    assert brief.interest.rise.page_view_id in brief.told
    assert brief.interest.temperature is Temperature.cold
    assert brief.trigger.kind is TriggerKind.returned_after_silence
