"""Why an account was told of, and why not, in plain sentences."""

import json

from readbrief.explain import moment, timeline
from schemas.brief import TriggerKind
from schemas.decision import Decision, Rule, Verdict
from schemas.delivery import OutcomeKind
from sinks.web.words import words_for
from tests.sinks.store_samples import NOW_MS, brief, decision, outcome

WITHOUT_A_BRIEF = Decision(
    decision_id="d0", account_id="a1", verdict=Verdict.withheld, rule=Rule.unripe, at_ms=NOW_MS - 1000, subject="p1"
)


def test_a_timeline_says_what_was_made_decided_and_answered_in_order() -> None:
    decisions = [
        WITHOUT_A_BRIEF,
        decision("brief_1", Verdict.held, Rule.quiet_hours, at=1),
        decision("brief_0", Verdict.merged, Rule.waiting_brief, at=2).model_copy(update={"with_brief_id": "brief_1"}),
        decision("brief_1", Verdict.sent, Rule.digest, at=3),
        decision("brief_1", Verdict.escalated, Rule.unopened, at=9).model_copy(update={"with_brief_id": "brief_m"}),
    ]
    opened = outcome("o2").model_copy(update={"kind": OutcomeKind.opened, "at_ms": NOW_MS + 12, "suspected": True})
    went = outcome().model_copy(update={"at_ms": NOW_MS + 4})
    entries = timeline([brief()], decisions, [opened, went])
    assert [entry.says for entry in entries] == [
        "nobody was told: the account is marketing's while it is not ripe (hand_over.lead_ripe_at)",
        "a brief for r1: a reading session was over (trigger session_end)",
        f"held until {moment(NOW_MS + 1001)}: outside r1's working hours",
        "merged into brief_1, which waited or came while this did: they are told as one",
        "sent to r1 in a digest, with what else had waited",
        "delivered (email to r1)",
        "told to the manager as brief_m: r1 had not opened it (escalation.after_working_h)",
        "opened by r1, perhaps by a machine",
    ]
    json.dumps([entry.as_json() for entry in entries])
    assert all(entry.line().startswith("20") for entry in entries)


def test_every_rule_and_every_trigger_is_said_in_words_of_its_own() -> None:
    verdicts = {
        Verdict.sent: (Rule.free, Rule.at_once, Rule.digest),
        Verdict.merged: (Rule.waiting_brief,),
        Verdict.escalated: (Rule.unopened,),
        Verdict.held: (
            Rule.quiet_hours, Rule.daily_cap, Rule.cooldown, Rule.snoozed, Rule.not_useful, Rule.digest_full,
        ),
        Verdict.withheld: (
            Rule.no_owner, Rule.unripe, Rule.below_minimum, Rule.nothing_new, Rule.not_told, Rule.account_gone,
            Rule.rep_gone, Rule.no_manager,
        ),
    }  # fmt: skip
    pairs = [(verdict, rule) for verdict, rules in verdicts.items() for rule in rules]
    said = {pair: timeline([], [decision("b", *pair)], [])[0].says for pair in pairs}
    assert len(set(said.values())) == len(pairs)
    assert {rule for _, rule in pairs} == set(Rule)
    assert not any("{" in words or f"({pair[1]})" in words for pair, words in said.items())
    table = words_for("en").table
    assert {f"explain.moment.{kind}" for kind in TriggerKind} <= set(table)
    assert {f"explain.outcome.{kind}" for kind in OutcomeKind if not kind.endswith("subscribed")} <= set(table)


def test_a_correction_and_a_managers_brief_say_what_they_are_about() -> None:
    right = brief("b2").model_copy(update={"corrects": "brief_1"})
    above = brief("b3").model_copy(update={"escalates": "brief_1", "escalated_from": "r9"})
    says = {entry.brief_id: entry.says for entry in timeline([right, above], [], [])}
    assert says["b2"] == "a correction for r1: brief brief_1 was wrong, or told less than is known"
    assert says["b3"] == "a brief for r1, as r9 did not open brief_1"
