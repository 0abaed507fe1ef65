"""Few briefs, and nothing lost: merging, caps, digests, answers, crashes, managers. November 2, 2026 is a Monday."""

from collections import Counter
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.brief import Advice, Brief, BringReason, Colleague, Correction, CorrectionKind, ReadSummary, TriggerKind
from schemas.decision import Decision, Rule, Verdict
from schemas.delivery import ChannelKind, Delivery, Outcome, OutcomeKind
from schemas.directory import Account, Directory, Function, Rep
from schemas.interest import Temperature
from schemas.playbook import OutboxRules, Playbook
from schemas.rep_mail import RepMail
from schemas.topics import BRIEFS, DECISIONS, DELIVERIES, OUTCOMES
from streams.outbox import OutboxState
from streams.records import HEAD, MemoryTable
from streams.rep_stage import RepStage
from streams.retelling import in_language
from streams.stage import Incoming, Work
from tests.streams.test_outbox import brief, ms, rep
from tests.streams.test_working_hours import wall_says_open

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
RULES = Playbook(company="Example", outbox=OutboxRules(cooldown_s=3600))


def news(name: str, account: str, at_ms: int, kind: TriggerKind = TriggerKind.session_end, score: float = 1) -> Brief:
    made = brief(name, account, kind)
    read = ReadSummary(
        page_view_id=f"pv-{name}", contact_id="dana", title=name, url="https://www.example.com/", started_ms=at_ms,
        active_s=30, depth_pct=50,
    )  # fmt: skip
    interest = made.interest.model_copy(update={"score": score})
    facts = {"decided_ms": at_ms, "reads": (read,), "told": {f"pv-{name}": 30_000}, "interest": interest}
    return made.model_copy(update=facts)


def answer(kind: OutcomeKind, account: str, at_ms: int, *, suspected: bool = False) -> Outcome:
    return Outcome(
        outcome_id=f"{kind}-{account}-{at_ms}", delivery_id="d", rep_id="rita", channel=ChannelKind.email, brief_ids=(),
        kind=kind, at_ms=at_ms, account_ids=(account,), suspected=suspected,
    )  # fmt: skip


class Desk:
    """A rep's outbox as the runner works it, woken whenever it is due; it may crash between sending and writing."""

    def __init__(self, one: Rep | None = None, playbook: Playbook = RULES, manager: Rep | None = None) -> None:
        self.rep = one or rep()
        self.directory = Directory()
        for entity in (self.rep, *([manager] if manager else [])):
            self.directory.put(entity)
        for account in ("acme", "bolt", "coil", "dyne"):
            self.directory.put(Account(account_id=account, name=account, rep_id="rita"))
        self.stage, self.table = RepStage(self.directory, playbook), MemoryTable()
        self.due_ms: int | None = None
        self.sent: dict[str, Delivery] = {}
        self.decisions: dict[str, Decision] = {}
        self.mails: list[RepMail] = []

    def give(self, at_ms: int, *messages: Brief | Outcome, crash: bool = False) -> None:
        incoming = []
        for one in messages:
            topic = OUTCOMES if isinstance(one, Outcome) else BRIEFS
            value = one if isinstance(one, Outcome) else RepMail(rep_id="rita", briefs=(one,))
            incoming.append(Incoming(topic.name, 0, 0, value.to_bytes()))
        if crash:
            self._sends(self._handle(incoming, at_ms))
        work = self._handle(incoming, at_ms)
        self._sends(work)
        self.table.apply(work.changes)
        self.due_ms = work.due["rita"]

    def until(self, at_ms: int, *, crash: bool = False) -> None:
        for _ in range(1000):
            if self.due_ms is None or self.due_ms > at_ms:
                return
            self.give(self.due_ms, crash=crash)
        raise AssertionError("it is due again and again")

    def _handle(self, incoming: list[Incoming], at_ms: int) -> Work:
        return self.stage.handle(incoming, self.table, at_ms, ["rita"])

    def _sends(self, work: Work) -> None:
        for send in work.sends:
            if send.topic is DELIVERIES:
                assert isinstance(send.message, Delivery)
                if send.message.copy_number == 0:
                    self.sent.setdefault(send.message.delivery_id, send.message)
            elif send.topic is DECISIONS:
                assert isinstance(send.message, Decision)
                self.decisions.setdefault(send.message.decision_id, send.message)
            elif isinstance(send.message, RepMail):
                self.mails.append(send.message)

    @property
    def state(self) -> OutboxState:
        return OutboxState.from_bytes(self.table.keys["rita"][HEAD])

    def rules_of(self, name: str) -> list[Rule]:
        return [one.rule for one in self.decisions.values() if one.brief_id == name]


def names(delivery: Delivery) -> list[str]:
    return [one.brief_id for one in delivery.briefs]


def test_updates_that_wait_are_one_brief_with_all_they_tell_under_the_weightier_trigger() -> None:
    desk = Desk()
    desk.give(ms(2, 10), news("b0", "acme", ms(2, 10)))
    desk.give(ms(2, 10, 5), news("b1", "acme", ms(2, 10, 5), TriggerKind.temperature_up))
    desk.give(ms(2, 10, 9), news("b2", "acme", ms(2, 10, 9)))
    desk.until(ms(2, 12))
    first, second = desk.sent.values()
    assert (names(first), names(second)) == (["b0"], ["b2"])
    (both,) = second.briefs
    assert (both.merges, set(both.told), both.trigger.kind) == (("b1",), {"pv-b1", "pv-b2"}, TriggerKind.temperature_up)
    assert [read.page_view_id for read in both.reads] == ["pv-b1", "pv-b2"]
    assert second.released_ms == ms(2, 11)
    assert desk.rules_of("b1") == [Rule.cooldown, Rule.waiting_brief]
    desk.give(ms(2, 13), news("b1", "acme", ms(2, 10, 5)))  # what was merged has left, too
    desk.until(ms(2, 20))
    assert len(desk.sent) == 2


def test_a_form_waits_for_the_working_hours_only() -> None:
    desk = Desk(rep(cap=1))
    desk.give(ms(2, 10), news("b0", "acme", ms(2, 10)))
    desk.give(ms(2, 10), answer(OutcomeKind.snoozed, "acme", ms(2, 10)))
    desk.give(ms(2, 10, 1), news("b1", "bolt", ms(2, 10, 1)), news("b2", "acme", ms(2, 10, 1), TriggerKind.form_sent))
    desk.until(ms(2, 11))
    assert [names(one) for one in desk.sent.values()] == [["b0"], ["b2"]]
    assert desk.rules_of("b1") == [Rule.daily_cap]
    desk.give(ms(2, 22), news("b3", "coil", ms(2, 22), TriggerKind.form_sent))
    desk.until(ms(3, 8))
    assert [set(names(one)) for one in desk.sent.values()][2:] == [{"b1", "b3"}]


def test_a_digest_is_ranked_by_worth_and_what_it_can_not_hold_follows() -> None:
    playbook = RULES.model_copy(update={"outbox": OutboxRules(max_briefs_in_digest=2)})
    desk = Desk(playbook=playbook)
    night = ms(2, 22)
    desk.give(night, answer(OutcomeKind.not_useful, "dyne", ms(2, 12)))
    desk.give(
        night, news("low", "acme", night, score=5), news("form", "bolt", night, TriggerKind.form_sent, 1),
        news("high", "coil", night, score=30), news("doubted", "dyne", night, score=50),
    )  # fmt: skip
    desk.until(ms(3, 9))
    assert [names(one) for one in desk.sent.values()] == [["form", "high"], ["doubted", "low"]]
    assert desk.rules_of("low") == [Rule.quiet_hours, Rule.digest_full, Rule.digest]


def test_after_not_useful_an_accounts_news_waits_for_the_morning_until_useful_or_old() -> None:
    desk = Desk()
    desk.give(ms(2, 10), answer(OutcomeKind.not_useful, "acme", ms(2, 10)))
    desk.give(ms(2, 11), news("b1", "acme", ms(2, 11)), news("b2", "bolt", ms(2, 11)))
    desk.until(ms(3, 7))
    assert [names(one) for one in desk.sent.values()] == [["b2"]]
    desk.until(ms(3, 8))
    assert [names(one) for one in desk.sent.values()] == [["b2"], ["b1"]]
    desk.give(ms(3, 12), answer(OutcomeKind.useful, "acme", ms(3, 12)), news("b3", "acme", ms(3, 12)))
    desk.until(ms(3, 12))
    assert names([*desk.sent.values()][-1]) == ["b3"]
    assert desk.rules_of("b1") == [Rule.not_useful, Rule.free]


def test_a_snoozed_account_is_quiet_and_then_tells_all_that_was_held() -> None:
    desk = Desk()
    desk.give(ms(2, 10), answer(OutcomeKind.snoozed, "acme", ms(2, 10)))
    for day in (2, 4, 6):
        desk.give(ms(day, 11), news(f"b{day}", "acme", ms(day, 11), TriggerKind.high_intent))
        desk.until(ms(day, 12))
    assert desk.sent == {}
    desk.until(ms(9, 12))
    (only,) = desk.sent.values()
    assert (only.released_ms, only.briefs[0].merges) == (ms(9, 10), ("b2", "b4"))


def correction(name: str, wrong: Brief, *, of_nothing: bool) -> Brief:
    put_right = Correction(kind=CorrectionKind.withdrawn, told_ms=wrong.decided_ms)
    reads = () if of_nothing else wrong.reads
    facts = {"brief_id": name, "corrects": wrong.brief_id, "correction": put_right, "reads": reads}
    return wrong.model_copy(update=facts)


@pytest.mark.parametrize("of_nothing", [True, False])
def test_what_is_put_right_before_it_left_leaves_right_or_not_at_all(*, of_nothing: bool) -> None:
    desk, wrong = Desk(), news("b1", "acme", ms(2, 20))
    desk.give(ms(2, 20), wrong)
    desk.give(ms(2, 21), correction("c1", wrong, of_nothing=of_nothing))
    desk.until(ms(3, 9))
    assert [one.brief_id for each in desk.sent.values() for one in each.briefs] == ([] if of_nothing else ["b1"])
    assert not any(one.corrects for each in desk.sent.values() for one in each.briefs)


def test_a_correction_of_what_was_merged_is_aimed_at_what_the_rep_saw() -> None:
    desk, wrong = Desk(), news("b1", "acme", ms(2, 20))
    desk.give(ms(2, 20), wrong, news("b2", "acme", ms(2, 21)))
    desk.until(ms(3, 9))
    desk.give(ms(3, 9), correction("c1", wrong, of_nothing=True))
    desk.until(ms(3, 9, 1))
    assert [(one.brief_id, one.corrects) for one in [*desk.sent.values()][-1].briefs] == [("c1", "b2")]


def hot(name: str, at_ms: int) -> Brief:
    made = news(name, "acme", at_ms)
    return made.model_copy(update={"interest": made.interest.model_copy(update={"temperature": Temperature.hot})})


BOSS = rep().model_copy(update={"rep_id": "boss"})
WITH_BOSS = rep().model_copy(update={"manager_id": "boss"})


def test_what_is_hot_and_unopened_for_a_working_day_goes_to_the_manager_once() -> None:
    desk = Desk(WITH_BOSS, manager=BOSS)
    desk.give(ms(6, 15), hot("b1", ms(6, 15)), news("mild", "bolt", ms(6, 15)))
    desk.give(ms(6, 16), answer(OutcomeKind.opened, "acme", ms(6, 16), suspected=True))
    desk.until(ms(9, 12, 59))  # three hours on Friday, and not quite five on Monday
    assert desk.mails == []
    desk.until(ms(20, 0), crash=True)
    assert {mail.briefs[0].brief_id for mail in desk.mails} == {desk.mails[0].briefs[0].brief_id}
    told = desk.mails[0].briefs[0]
    assert (told.rep_id, told.escalates, told.escalated_from, told.decided_ms) == ("boss", "b1", "rita", ms(9, 13))
    assert desk.rules_of("b1")[-1] is Rule.unopened


SPOKEN = RULES.model_copy(
    update={
        "next_steps": {Temperature.hot: {"en": "Call today.", "de": "Heute anrufen."}},
        "concerns": {Function.purchaser: ({"en": "Terms.", "de": "Konditionen."},)},
    }
)
SAID = Advice(
    next_step="Call today.",
    concerns=("Terms.",),
    stress=("Gone from the playbook.",),
    bring=(Colleague(reason=BringReason.hot_and_large, rep_id="boss"), Colleague(reason=BringReason.topic_expert)),
    sources={
        "Call today.": "next_steps.hot",
        "Terms.": "concerns.purchaser.0",
        "Gone from the playbook.": "topics.price.stress.0",
    },
)


def advised(name: str, at_ms: int) -> Brief:
    return hot(name, at_ms).model_copy(update={"language": "en", "advice": SAID})


def test_a_manager_reads_in_their_own_language_whose_account_it_is_and_for_how_long() -> None:
    desk = Desk(WITH_BOSS, SPOKEN, BOSS.model_copy(update={"language": "de-AT"}))
    desk.give(ms(6, 15), advised("b1", ms(6, 15)))
    desk.until(ms(20, 0))
    told = desk.mails[0].briefs[0]
    assert (told.language, told.rep_told_ms, told.unopened_h) == ("de-AT", ms(6, 15), 8)
    advice = told.advice
    assert (advice.next_step, advice.concerns) == ("Heute anrufen.", ("Konditionen.",))
    assert advice.sources["Heute anrufen."] == "next_steps.hot"
    # What the playbook has no more stays as it was said.
    assert advice.stress == ("Gone from the playbook.",)
    assert [(one.reason, one.rep_id) for one in advice.bring] == [
        (BringReason.silent_rep, "rita"), (BringReason.topic_expert, ""),
    ]  # fmt: skip


def test_what_stands_elsewhere_in_the_playbook_now_is_not_put_in_the_place_of_what_was_said() -> None:
    changed = SPOKEN.model_copy(update={"next_steps": {Temperature.hot: {"en": "Wait.", "de": "Warten."}}})
    told = in_language(advised("b1", ms(6, 15)), "de", changed)
    assert (told.advice.next_step, told.advice.concerns) == ("Call today.", ("Konditionen.",))


def test_the_reps_next_brief_names_the_manager_who_heard_of_it_until_the_rep_opens_one() -> None:
    desk = Desk(WITH_BOSS, manager=BOSS)
    desk.give(ms(6, 15), hot("b1", ms(6, 15)))
    desk.until(ms(10, 9))
    desk.give(ms(10, 10), news("b2", "acme", ms(10, 10)), news("b3", "bolt", ms(10, 10)))
    desk.until(ms(10, 12))
    desk.give(ms(10, 13), answer(OutcomeKind.opened, "acme", ms(10, 13)))
    desk.give(ms(11, 10), news("b4", "acme", ms(11, 10)))
    desk.until(ms(12, 0))
    sent = {one.brief_id: one for delivery in desk.sent.values() for one in delivery.briefs}
    brought = {name: [one.rep_id for one in brief.advice.bring] for name, brief in sent.items()}
    assert brought == {"b1": [], "b2": ["boss"], "b3": [], "b4": []}


@pytest.mark.parametrize("kind", [OutcomeKind.opened, OutcomeKind.clicked, OutcomeKind.call_made, OutcomeKind.useful])
def test_who_has_seen_it_is_not_reported(kind: OutcomeKind) -> None:
    desk = Desk(WITH_BOSS, manager=BOSS)
    desk.give(ms(2, 10), hot("b1", ms(2, 10)))
    desk.until(ms(2, 10))
    desk.give(ms(2, 17), answer(kind, "acme", ms(2, 17)))
    desk.until(ms(20, 0))
    assert desk.mails == []


def test_a_mail_that_came_back_was_seen_by_nobody_and_is_still_reported() -> None:
    desk = Desk(WITH_BOSS, manager=BOSS)
    desk.give(ms(2, 10), hot("b1", ms(2, 10)))
    desk.until(ms(2, 10))
    desk.give(ms(2, 17), answer(OutcomeKind.bounced, "acme", ms(2, 17)))
    desk.until(ms(20, 0))
    assert [mail.briefs[0].escalates for mail in desk.mails] == ["b1"]
    assert len(desk.sent) == 1


def test_without_a_manager_it_is_said_that_there_is_none() -> None:
    desk = Desk()
    desk.give(ms(2, 10), hot("b1", ms(2, 10)))
    desk.until(ms(20, 0))
    assert desk.mails == []
    assert desk.rules_of("b1") == [Rule.free, Rule.no_manager]


minutes = st.integers(0, 6 * 1440)
arrivals = st.tuples(
    minutes, st.sampled_from(("acme", "bolt", "coil", "dyne")), st.sampled_from(TriggerKind), st.booleans()
)
said = st.tuples(
    minutes, st.sampled_from(("acme", "bolt")), st.sampled_from((OutcomeKind.snoozed, OutcomeKind.not_useful))
)
shifts = st.sampled_from(((time(8), time(18)), (time(22), time(6)), (time(0), time(0)), (time(1), time(4))))


@settings(max_examples=70, deadline=None)
@given(
    table=st.lists(arrivals, max_size=14),
    answers=st.lists(said, max_size=2),
    shift=shifts,
    cap=st.integers(1, 3),
    crashes=st.booleans(),
    zone=st.sampled_from(("Europe/Berlin", "America/New_York", "UTC")),
)
def test_whatever_comes_and_whenever_it_crashes_all_is_told_once_within_hours_and_cap(
    table: list[tuple[int, str, TriggerKind, bool]],
    answers: list[tuple[int, str, OutcomeKind]],
    shift: tuple[time, time],
    cap: int,
    *,
    crashes: bool,
    zone: str,
) -> None:
    one = rep(zone=zone, start=shift[0], end=shift[1], cap=cap)
    desk, begin_ms = (
        Desk(one),
        round(datetime(2026, 10, 22, tzinfo=UTC).timestamp() * 1000),
    )  # clocks change on the 25th
    events: list[tuple[int, Brief | Outcome, bool]] = []
    for n, (minute, account, kind, crash) in enumerate(table):
        at_ms = begin_ms + minute * 60_000
        events.append((at_ms, news(f"b{n}", account, at_ms, kind), crash))
    for minute, account, outcome in answers:
        events.append((begin_ms + minute * 60_000, answer(outcome, account, begin_ms + minute * 60_000), False))
    for at_ms, event, crash in sorted(events, key=lambda each: each[0]):
        desk.until(at_ms, crash=crashes)
        desk.give(at_ms, event, crash=crash and crashes)
    desk.until(begin_ms + 60 * DAY_MS, crash=crashes)
    told = Counter(name for each in desk.sent.values() for b in each.briefs for name in (b.brief_id, *b.merges))
    assert told == Counter(f"b{n}" for n in range(len(table)))
    reads = Counter(name for each in desk.sent.values() for b in each.briefs for name in b.told)
    assert reads == Counter(f"pv-b{n}" for n in range(len(table)))
    assert all(wall_says_open(each.released_ms, one) for each in desk.sent.values())
    assert max(messages_a_shift(desk, one).values(), default=0) <= cap
    last: dict[str, int] = {}
    for each in sorted(desk.sent.values(), key=lambda each: each.released_ms):
        for b in each.briefs:
            if b.trigger.kind not in RULES.outbox.at_once:
                assert each.released_ms >= last.get(b.account_id, 0) + RULES.outbox.cooldown_s * 1000
            last[b.account_id] = each.released_ms
    sent = Counter(one.brief_id for one in desk.decisions.values() if one.verdict in {Verdict.sent, Verdict.merged})
    assert set(sent) == set(told)
    assert set(sent.values()) <= {1}


def messages_a_shift(desk: Desk, one: Rep) -> Counter[Any]:
    """Count messages by the day on which the shift began, as a clock that is set back by its start shows it."""
    back = one.working_hours.start
    counts: Counter[Any] = Counter()
    for each in desk.sent.values():
        if any(b.trigger.kind is TriggerKind.form_sent for b in each.briefs):
            continue
        local = (
            datetime.fromtimestamp(each.released_ms / 1000, UTC)
            .astimezone(ZoneInfo(one.time_zone))
            .replace(tzinfo=None)
        )
        counts[(local - (datetime.combine(local, back) - datetime.combine(local, time()))).date()] += 1
    return counts
