"""When to tell the rep: working hours, cooldown, daily cap, digest. The state machine of the third stage.

What leaves is written before it is sent: a release is put into the state as `leaving`, and goes out when the state is
looked at next. A crash in between sends the same messages, under the same ids, again; never the same brief in another.
"""

from collections.abc import Collection, Iterable
from typing import Annotated

from pydantic import Field

from schemas.brief import Brief, BringReason, Colleague
from schemas.decision import Decision, Rule, Verdict
from schemas.delivery import Delivery, Outcome, OutcomeKind
from schemas.directory import Account, Directory, Rep
from schemas.ids import derived_id
from schemas.message import Id, Message, Model
from schemas.playbook import EscalationRules, OutboxRules
from schemas.rep_mail import Released, RepMail
from streams.holding import NOTHING_SAID, Answers, Desk
from streams.merging import may_merge, merged

MEMORY_MS = 30 * 86_400_000
GAP_MS = 1000
ESCALATION_PATH = "escalation.after_working_h"
SEEN = frozenset(
    {
        OutcomeKind.opened, OutcomeKind.clicked, OutcomeKind.useful, OutcomeKind.not_useful, OutcomeKind.objection,
        OutcomeKind.snoozed, OutcomeKind.call_made,
    }
)  # fmt: skip
"""Outcomes that show that the rep has seen the brief."""


class OutboxState(Message):
    """What waits for one rep, what is leaving, what has left, and what the rep said of it, by account.

    `held` is the rule by which each waiting brief was last said to be held.
    """

    rep_id: Id
    pending: tuple[Brief, ...] = ()
    leaving: tuple[Delivery, ...] = ()
    released: tuple[Released, ...] = ()
    held: dict[Id, Rule] = Field(default_factory=dict)
    answers: dict[Id, Answers] = Field(default_factory=dict)
    manager_id: Annotated[Id | None, Field(description="The rep's manager when the directory last had the rep")] = None


class OutboxStep(Model):
    """What follows from mail or a wake-up."""

    state: OutboxState
    deliveries: tuple[Delivery, ...] = ()
    due_ms: int | None = None
    decisions: tuple[Decision, ...] = ()


class OutboxSettled(Model):
    """What is left to a rep, and what goes to others."""

    state: OutboxState
    handed: tuple[RepMail, ...] = ()
    decisions: tuple[Decision, ...] = ()


def receive(state: OutboxState, mail: RepMail, now_ms: int) -> OutboxStep:
    """Return the state with new briefs waiting, each merged into what waits on its account, and answers heeded.

    A brief that waits, is part of one that does, or has left already is not taken twice.
    """
    released = {gone.brief_id: gone for gone in state.released}
    for gone in mail.released:  # in a replay: what may have to go to a manager comes after all that has left
        if gone.brief_id not in released or gone.unopened:
            released[gone.brief_id] = gone
    known = {*released, *(name for brief in state.pending for name in (brief.brief_id, *brief.merges))}
    pending, decisions = [brief for brief in state.pending if brief.brief_id not in released], []
    for brief in mail.briefs:
        if brief.brief_id in known or released.keys() & set(brief.merges):
            continue
        known.add(brief.brief_id)
        pending, said = _taken_in(pending, _aimed(brief, pending, released), now_ms)
        decisions += said
    after = state.model_copy(
        update={
            "pending": tuple(sorted(pending, key=lambda brief: (brief.decided_ms, brief.brief_id))),
            "released": tuple(
                sorted(
                    (gone for gone in released.values() if gone.at_ms > now_ms - MEMORY_MS),
                    key=lambda gone: (gone.at_ms, gone.brief_id),
                )
            ),
        }
    )
    for outcome in mail.outcomes:
        after = answered(after, outcome)
    if mail.forgotten or mail.forgotten_accounts:
        after = forget(after, mail.forgotten, mail.forgotten_accounts)
    return OutboxStep(state=after, decisions=tuple(decisions))


def _taken_in(pending: list[Brief], brief: Brief, now_ms: int) -> tuple[list[Brief], list[Decision]]:
    """Put a brief among those that wait: into one on the same account, or in place of the one that it corrects."""
    wrong = next((one for one in pending if one.brief_id == brief.corrects), None)
    if wrong:
        rest = [one for one in pending if one is not wrong]
        if not brief.reads:  # nothing of it was true, and nobody has seen it
            return rest, [decision(wrong, Verdict.withheld, Rule.nothing_new, now_ms)]
        right = {"brief_id": wrong.brief_id, "corrects": "", "correction": None, "merges": wrong.merges}
        return [*rest, brief.model_copy(update=right)], []
    other = next((one for one in pending if may_merge(one, brief)), None)
    if other is None:
        return [*pending, brief], []
    both = merged(other, brief)
    older = other if both.brief_id == brief.brief_id else brief
    said = decision(older, Verdict.merged, Rule.waiting_brief, now_ms, with_brief_id=both.brief_id)
    return [*(one for one in pending if one is not other), both], [said]


def _aimed(brief: Brief, pending: list[Brief], released: dict[str, Released]) -> Brief:
    """Return a correction aimed at the brief that the rep saw, or will see, of those that were merged."""
    if not brief.corrects:
        return brief
    within = released[brief.corrects].within if brief.corrects in released else ""
    within = within or next((one.brief_id for one in pending if brief.corrects in one.merges), "")
    return brief.model_copy(update={"corrects": within}) if within else brief


def answered(state: OutboxState, outcome: Outcome) -> OutboxState:
    """Return the state with what a rep did with a message, or said of it, by the accounts that it was about."""
    if outcome.kind not in SEEN or outcome.suspected:
        return state
    about = {*outcome.account_ids}
    if not about:
        about = {gone.account_id for gone in state.released if gone.brief_id in outcome.brief_ids}
    seen = [
        gone.model_copy(update={"unopened": None, "escalated_to": ""})
        if (gone.unopened or gone.escalated_to) and gone.account_id in about and gone.at_ms <= outcome.at_ms
        else gone
        for gone in state.released
    ]
    field: str = {
        OutcomeKind.not_useful: "not_useful_ms", OutcomeKind.useful: "useful_ms", OutcomeKind.snoozed: "snoozed_ms",
    }.get(outcome.kind, "")  # fmt: skip
    answers = dict(state.answers)
    for account_id in sorted(about) if field else ():
        said = answers.get(account_id, NOTHING_SAID)
        answers[account_id] = said.model_copy(update={field: max(outcome.at_ms, getattr(said, field))})
    return state.model_copy(update={"released": tuple(seen), "answers": answers})


def forget(state: OutboxState, brief_ids: Collection[str], account_ids: Collection[str]) -> OutboxState:
    """Return the state without briefs that name somebody who is forgotten, and without forgotten accounts.

    What waits does not go out any more. That it has left is remembered by its id alone, so that it never goes twice.
    """

    def names(brief: Brief) -> bool:
        return brief.account_id in account_ids or not {brief.brief_id, *brief.merges}.isdisjoint(brief_ids)

    return state.model_copy(
        update={
            "pending": tuple(brief for brief in state.pending if not names(brief)),
            "released": tuple(
                gone.model_copy(update={"unopened": None}) if gone.unopened and names(gone.unopened) else gone
                for gone in state.released
                if gone.account_id not in account_ids
            ),
            "answers": {key: said for key, said in state.answers.items() if key not in account_ids},
        }
    )


def settle(state: OutboxState, directory: Directory, new: Collection[str], now_ms: int = 0) -> OutboxSettled:
    """Return the state without what can't reach this rep any more, and what goes to others instead.

    A brief on an account that is gone is dropped. If the rep is gone, a brief goes to who looks after the account now,
    or else to the rep's manager; if neither is there it stays. What is `new`, by brief_id, is left alone: this worker's
    directory may be a moment behind that of the one who sent it.
    """
    rep = directory.reps.get(state.rep_id)
    kept, handed, decisions = [], [], []
    for brief in state.pending:
        account = directory.accounts.get(brief.account_id)
        if brief.brief_id in new:
            kept.append(brief)
        elif account is None:
            decisions.append(decision(brief, Verdict.withheld, Rule.account_gone, now_ms))
        elif rep is None and (heir := _heir(state, account, directory)):
            handed.append(RepMail(rep_id=heir, briefs=(brief.model_copy(update={"rep_id": heir}),)))
            decisions.append(decision(brief, Verdict.withheld, Rule.rep_gone, now_ms))
        else:
            kept.append(brief)
    manager_id = rep.manager_id if rep else state.manager_id
    after = state.model_copy(update={"pending": tuple(kept), "manager_id": manager_id})
    return OutboxSettled(state=after, handed=tuple(handed), decisions=tuple(decisions))


def _heir(state: OutboxState, account: Account, directory: Directory) -> str | None:
    candidates = (account.owners.get(account.lifecycle), account.rep_id, state.manager_id)
    return next((each for each in candidates if each in directory.reps), None)


def release(
    state: OutboxState, rep: Rep, rules: OutboxRules, now_ms: int, escalation: EscalationRules | None = None
) -> OutboxStep:
    """Let go what may reach the rep now, on every channel of theirs; say when to look again for the rest, and why.

    Several briefs that may go at the same moment go as one digest, those of most worth first.
    """
    if not state.pending:
        return OutboxStep(state=state.model_copy(update={"held": {}}) if state.held else state)
    desk = Desk(rep, rules, state.released, state.answers, now_ms)
    holds = {brief.brief_id: desk.hold(brief) for brief in state.pending}
    free = [brief for brief in state.pending if holds[brief.brief_id] is None]
    free.sort(key=lambda brief: (-desk.worth(brief), brief.decided_ms, brief.brief_id))
    ready, over = free[: rules.max_briefs_in_digest], free[rules.max_briefs_in_digest :]
    rest = [brief for brief in state.pending if brief not in ready]
    reasons = {brief.brief_id: holds[brief.brief_id] for brief in rest}
    dues = [hold.until_ms for hold in reasons.values() if hold] + ([now_ms + GAP_MS] if over else [])
    held = {name: hold.rule if hold else Rule.digest_full for name, hold in reasons.items()}
    decisions = [_sent(brief, desk, len(ready), now_ms) for brief in ready]
    for brief in rest:
        if state.held.get(brief.brief_id) is not (rule := held[brief.brief_id]):
            hold = reasons[brief.brief_id]
            until_ms = hold.until_ms if hold else now_ms + GAP_MS
            decisions.append(decision(brief, Verdict.held, rule, now_ms, until_ms=until_ms))
    # Messages are told apart, and counted, by when they left: no two leave in one millisecond.
    left_ms = max([now_ms, *(one.at_ms + 1 for one in state.released)])
    told = [_with_manager(brief, state.released) for brief in ready]
    watched = escalation.temperatures if escalation and escalation.after_working_h is not None else ()
    gone = [one for brief in told for one in _released(brief, left_ms, is_watched=_is_watched(brief, watched))]
    after = state.model_copy(
        update={"pending": tuple(rest), "released": (*state.released, *gone), "held": held},
    )
    deliveries = _deliveries(told, rep, left_ms) if ready else ()
    due_ms = min(dues, default=None)
    return OutboxStep(state=after, deliveries=deliveries, due_ms=due_ms, decisions=tuple(decisions))


def decision(brief: Brief, verdict: Verdict, rule: Rule, at_ms: int, **more: object) -> Decision:
    """Return the record of what was decided of a brief."""
    return Decision(
        decision_id=derived_id("decision", brief.brief_id, brief.rep_id, verdict, rule),
        account_id=brief.account_id,
        rep_id=brief.rep_id,
        brief_id=brief.brief_id,
        verdict=verdict,
        rule=rule,
        trigger=brief.trigger.kind,
        at_ms=at_ms,
        **more,
    )


def _sent(brief: Brief, desk: Desk, together: int, now_ms: int) -> Decision:
    rule = Rule.digest if together > 1 else Rule.at_once if desk.is_urgent(brief) else Rule.free
    return decision(brief, Verdict.sent, rule, now_ms)


def _is_watched(brief: Brief, temperatures: Collection[str]) -> bool:
    return brief.interest.temperature in temperatures and not brief.escalates and not brief.corrects


def _with_manager(brief: Brief, released: Iterable[Released]) -> Brief:
    """Return a brief that names the manager among those to bring, if they had to hear of what the rep left unopened."""
    heard = [one.escalated_to for one in released if one.account_id == brief.account_id and one.escalated_to]
    if not heard or any(one.rep_id == heard[-1] for one in brief.advice.bring):
        return brief
    manager = Colleague(reason=BringReason.silent_rep, rep_id=heard[-1], path=ESCALATION_PATH)
    advice = brief.advice.model_copy(update={"bring": (*brief.advice.bring, manager)})
    return brief.model_copy(update={"advice": advice})


def _released(brief: Brief, now_ms: int, *, is_watched: bool) -> list[Released]:
    told = Released(brief_id=brief.brief_id, account_id=brief.account_id, at_ms=now_ms)
    parts = [told.model_copy(update={"brief_id": name, "within": brief.brief_id}) for name in brief.merges]
    return [told.model_copy(update={"unopened": brief}) if is_watched else told, *parts]


def _deliveries(briefs: list[Brief], rep: Rep, now_ms: int) -> tuple[Delivery, ...]:
    """Return one delivery for the rep's first channel, the rest standing by, and one for each that is `also` told."""
    ids = sorted(brief.brief_id for brief in briefs)
    kinds = [rep.channels[0].kind, *(channel.kind for channel in rep.channels[1:] if channel.also)]
    return tuple(
        Delivery(
            delivery_id=derived_id("delivery", kind, *ids, *([] if kind not in kinds[:number] else [str(number)])),
            rep_id=rep.rep_id,
            channel=kind,
            briefs=tuple(briefs),
            released_ms=now_ms,
            copy_number=number,
        )
        for number, kind in enumerate(kinds)
    )
