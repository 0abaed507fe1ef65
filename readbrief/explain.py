"""Why an account was told of, and why not: what was decided and what came of it, in plain sentences."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from schemas.brief import Brief, TriggerKind
from schemas.decision import Decision, Rule, Verdict
from schemas.delivery import Outcome, OutcomeKind
from schemas.settings import Settings
from sinks.clickhouse import queries
from sinks.clickhouse.client import connect

MOMENTS = {
    TriggerKind.session_end: "a reading session was over",
    TriggerKind.campaign_click: "somebody came by a campaign's link, and read",
    TriggerKind.returned_after_silence: "the account read again after a long silence",
    TriggerKind.temperature_up: "the account became warmer",
    TriggerKind.several_functions: "several functions of the company have read within days",
    TriggerKind.high_intent: "a page of high intent was read",
    TriggerKind.renewal_or_leaving: "a customer read about renewing or leaving",
    TriggerKind.form_sent: "a form was sent",
    TriggerKind.hand_over: "the account became this rep's",
}
SENT = {
    Rule.at_once: "sent to {rep} at once: what it says does not wait",
    Rule.digest: "sent to {rep} in a digest, with what else had waited",
}
HELD = {
    Rule.quiet_hours: "held until {until}: outside {rep}'s working hours",
    Rule.daily_cap: "held until {until}: {rep} has had the day's briefs (daily_cap in the directory)",
    Rule.cooldown: "held until {until}: {rep} was told of the account a short while ago (outbox.cooldown_s)",
    Rule.snoozed: "held until {until}: {rep} snoozed the account (outbox.snooze_days)",
    Rule.not_useful: "held until {until}, for the morning digest: {rep} found an earlier brief not useful "
    "(outbox.not_useful_days)",
    Rule.digest_full: "held for the next digest: the one before was full (outbox.max_briefs_in_digest)",
}
WITHHELD = {
    Rule.no_owner: "nobody was told: the account has no rep whom the directory knows",
    Rule.unripe: "nobody was told: the account is marketing's while it is not ripe (hand_over.lead_ripe_at)",
    Rule.below_minimum: "nobody was told: too little was read (triggers.min_session_active_s)",
    Rule.nothing_new: "nobody was told: there was nothing that an earlier brief had not told",
    Rule.not_told: "nobody was told: what was true of the moment is not in triggers.told",
    Rule.account_gone: "not sent: the account is no longer in the directory",
    Rule.rep_gone: "not sent to {rep}, who is no longer in the directory: it goes to whoever looks after the account",
    Rule.no_manager: "left unopened by {rep}, who has no manager in the directory to tell",
}
OUTCOMES = {
    OutcomeKind.sent: "delivered",
    OutcomeKind.failed: "could not be delivered",
    OutcomeKind.uncertain: "may or may not have been delivered",
    OutcomeKind.opened: "opened",
    OutcomeKind.clicked: "a link in it was followed",
    OutcomeKind.useful: "called useful",
    OutcomeKind.not_useful: "called not useful",
    OutcomeKind.objection: "answered with an objection that was heard",
    OutcomeKind.snoozed: "answered by snoozing the account",
    OutcomeKind.call_made: "answered by a call to the customer",
}


class Entry(NamedTuple):
    """One thing that happened: when, of which brief, in words, and the record that says so."""

    at_ms: int
    brief_id: str
    says: str
    record: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values; times in Unix milliseconds."""
        return {"at_ms": self.at_ms, "brief_id": self.brief_id, "says": self.says, **self.record}

    def line(self) -> str:
        """Return it as a line of text, by UTC."""
        about = f"  [{self.brief_id}]" if self.brief_id else ""
        return f"{moment(self.at_ms)}  {self.says}{about}"


def explain(settings: Settings, account_id: str) -> list[Entry]:
    """Return what was decided about an account and what came of it, in order.

    Raises:
        UnavailableError: ClickHouse does not answer.
    """
    with connect(settings) as client:
        briefs = list(queries.briefs_on(client, account_id))
        decisions = list(queries.decisions_on(client, account_id))
        return timeline(briefs, decisions, list(queries.outcomes_on(client, account_id)))


def timeline(briefs: Iterable[Brief], decisions: Iterable[Decision], outcomes: Iterable[Outcome]) -> list[Entry]:
    """Return what the records say, in order of time; of one moment, the brief, what was decided, what came of it."""
    made = {brief.brief_id: brief for brief in briefs}
    entries = [_made(brief) for brief in made.values()]
    entries += [_decided(one) for one in decisions]
    entries += [
        _became(outcome, brief_id) for outcome in outcomes for brief_id in outcome.brief_ids if brief_id in made
    ]
    return sorted(entries, key=lambda entry: entry.at_ms)


def moment(at_ms: int) -> str:
    """Return a moment as date and time of day, by UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _made(brief: Brief) -> Entry:
    if brief.corrects:
        says = f"a correction for {brief.rep_id}: brief {brief.corrects} was wrong, or told less than is known"
    elif brief.escalates:
        says = f"a brief for {brief.rep_id}, as {brief.escalated_from} did not open {brief.escalates}"
    else:
        says = f"a brief for {brief.rep_id}: {MOMENTS[brief.trigger.kind]} (trigger {brief.trigger.kind})"
    return Entry(brief.decided_ms, brief.brief_id, says, {"kind": "brief", "trigger": brief.trigger.kind.value})


def _decided(one: Decision) -> Entry:
    facts = {"rep": one.rep_id, "until": moment(one.until_ms) if one.until_ms else "later", "other": one.with_brief_id}
    match one.verdict:
        case Verdict.sent:
            says = SENT.get(one.rule, "sent to {rep}: nothing held it")
        case Verdict.held:
            says = HELD.get(one.rule, f"held until {{until}} ({one.rule})")
        case Verdict.merged:
            says = "merged into {other}, which waited or came while this did: they are told as one"
        case Verdict.escalated:
            says = "told to the manager as {other}: {rep} had not opened it (escalation.after_working_h)"
        case Verdict.withheld:
            says = WITHHELD.get(one.rule, f"withheld ({one.rule})")
    record = {"kind": "decision", **one.model_dump(mode="json", exclude={"v", "at_ms", "brief_id", "account_id"})}
    return Entry(one.at_ms, one.brief_id, says.format(**facts), record)


def _became(outcome: Outcome, brief_id: str) -> Entry:
    says = OUTCOMES.get(outcome.kind, outcome.kind.replace("_", " "))
    who = f" ({outcome.channel} to {outcome.rep_id})" if outcome.kind.is_end else f" by {outcome.rep_id}"
    may_be = ", perhaps by a machine" if outcome.suspected else ""
    return Entry(outcome.at_ms, brief_id, says + who + may_be, {"kind": "outcome", "outcome": outcome.kind.value})
