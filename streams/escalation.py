"""What a rep leaves unopened goes to their manager, once."""

from typing import NamedTuple

from schemas.brief import Brief, BringReason, Colleague
from schemas.decision import Decision, Rule, Verdict
from schemas.directory import Directory, Rep
from schemas.ids import derived_id
from schemas.playbook import Playbook
from schemas.rep_mail import Released, RepMail
from streams.outbox import ESCALATION_PATH, OutboxState, decision
from streams.retelling import in_language
from streams.working_hours import after_working_hours_ms


class Escalated(NamedTuple):
    """What goes to a manager, and when to look again."""

    state: OutboxState
    mails: tuple[RepMail, ...] = ()
    decisions: tuple[Decision, ...] = ()
    due_ms: int | None = None


def escalate(state: OutboxState, rep: Rep, directory: Directory, playbook: Playbook, now_ms: int) -> Escalated:
    """Tell the manager of what has been unopened for so many of the rep's working hours; without one, say so."""
    rules = playbook.escalation
    if rules.after_working_h is None:
        return Escalated(state)
    mails, decisions, dues, released = [], [], [], []
    for gone in state.released:
        if gone.unopened and gone.unopened.interest.temperature not in rules.temperatures:
            released.append(gone.model_copy(update={"unopened": None}))
            continue
        if gone.unopened is None:
            released.append(gone)
            continue
        due_ms = after_working_hours_ms(rep, gone.at_ms, rules.after_working_h)
        if due_ms is None or due_ms > now_ms:
            dues += [] if due_ms is None else [due_ms]
            released.append(gone)
            continue
        released.append(gone.model_copy(update={"unopened": None}))
        manager = directory.reps.get(rep.manager_id or "")
        if manager is None or manager.rep_id == rep.rep_id:
            decisions.append(decision(gone.unopened, Verdict.withheld, Rule.no_manager, due_ms))
            continue
        released[-1] = released[-1].model_copy(update={"escalated_to": manager.rep_id})
        brief = _for_manager(gone, gone.unopened, rep, manager, playbook, due_ms)
        mails.append(RepMail(rep_id=manager.rep_id, briefs=(brief,)))
        said = decision(gone.unopened, Verdict.escalated, Rule.unopened, due_ms, with_brief_id=brief.brief_id)
        decisions.append(said)
    after = state.model_copy(update={"released": tuple(released)}) if tuple(released) != state.released else state
    return Escalated(after, tuple(mails), tuple(decisions), min(dues, default=None))


def _for_manager(gone: Released, brief: Brief, rep: Rep, manager: Rep, playbook: Playbook, due_ms: int) -> Brief:
    """Return the brief as it goes to the manager, in their language: the rep is who belongs to the talk, not they."""
    said = in_language(brief, manager.language, playbook)
    silent = Colleague(reason=BringReason.silent_rep, rep_id=rep.rep_id, path=ESCALATION_PATH)
    others = (one for one in said.advice.bring if one.rep_id not in {rep.rep_id, manager.rep_id})
    return said.model_copy(
        update={
            "brief_id": derived_id("escalation", brief.brief_id),
            "rep_id": manager.rep_id,
            "decided_ms": max(due_ms, brief.decided_ms),
            "advice": said.advice.model_copy(update={"bring": (silent, *others)}),
            "merges": (),
            "escalates": brief.brief_id,
            "escalated_from": rep.rep_id,
            "rep_told_ms": gone.at_ms,
            "unopened_h": playbook.escalation.after_working_h,
        }
    )
