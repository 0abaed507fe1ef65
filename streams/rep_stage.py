"""When to tell? From briefs, and what reps answered to earlier ones, to deliveries."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from schemas.decision import Decision
from schemas.delivery import Outcome
from schemas.directory import Directory
from schemas.playbook import Playbook
from schemas.rep_mail import RepMail
from schemas.topics import BRIEFS, DECISIONS, DELIVERIES, OUTCOMES
from streams.escalation import escalate
from streams.outbox import OutboxState, receive, release, settle
from streams.records import HEAD, Change, Records, Table
from streams.stage import Incoming, Send, Work

GONE_RETRY_MS = 60_000


class RepStage:
    """The stage with one state per rep: the outbox."""

    def __init__(self, directory: Directory, playbook: Playbook) -> None:
        """Take the living directory, which knows the reps, and the playbook's rules."""
        self._directory = directory
        self._playbook = playbook

    def use(self, playbook: Playbook) -> None:
        """Release by another playbook's rules from the next batch on."""
        self._playbook = playbook

    def handle(self, messages: Sequence[Incoming], table: Table, now_ms: int, due: Collection[str] = ()) -> Work:
        """Put briefs into outboxes, look at those that are due, and let go what may be sent now."""
        mails: dict[str, list[RepMail]] = defaultdict(list)
        for message in messages:
            mail = _mail_of(message)
            mails[mail.rep_id].append(mail)
        for key in due:
            mails[key].append(RepMail(rep_id=key))
        work = Work()
        for key, new in mails.items():
            self._release(work, key, new, table, now_ms)
        return work

    def _release(self, work: Work, key: str, new: list[RepMail], table: Table, now_ms: int) -> None:
        records = table.get(key)
        before = _state_of(key, records)
        # What was written as leaving goes now. If this is done again after a crash, it is the same, under the same ids.
        work.sends += [Send(DELIVERIES, key, delivery) for delivery in before.leaving]
        state = before.model_copy(update={"leaving": ()})
        decisions: list[Decision] = []
        for mail in new:
            received = receive(state, mail, now_ms)
            state = received.state
            decisions += received.decisions
        fresh = {brief.brief_id for mail in new for brief in mail.briefs}
        settled = settle(state, self._directory, fresh, now_ms)
        work.sends += [Send(BRIEFS, handed.rep_id, handed) for handed in settled.handed]
        decisions += settled.decisions
        state = settled.state
        rep = self._directory.reps.get(key)
        if rep is None:  # not in the directory: look again later
            work.due[key] = now_ms + GONE_RETRY_MS if state.pending else None
        else:
            escalated = escalate(state, rep, self._directory, self._playbook, now_ms)
            step = release(escalated.state, rep, self._playbook.outbox, now_ms, self._playbook.escalation)
            state = step.state.model_copy(update={"leaving": step.deliveries}) if step.deliveries else step.state
            dues = [due_ms for due_ms in (step.due_ms, escalated.due_ms) if due_ms is not None]
            work.due[key] = now_ms if state.leaving else min(dues, default=None)
            work.sends += [Send(BRIEFS, mail.rep_id, mail) for mail in escalated.mails]
            decisions += [*escalated.decisions, *step.decisions]
        work.sends += [Send(DECISIONS, one.account_id, one) for one in decisions]
        if state != before:
            work.changes.append(Change(key, HEAD, state.to_bytes()))
        work.decoded[key] = state


def _state_of(rep_id: str, records: Records | None) -> OutboxState:
    if records is None:
        return OutboxState(rep_id=rep_id)
    return records.decoded if isinstance(records.decoded, OutboxState) else OutboxState.from_bytes(records[HEAD])


def _mail_of(message: Incoming) -> RepMail:
    if message.topic == OUTCOMES.name:
        outcome = Outcome.from_bytes(message.value)
        return RepMail(rep_id=outcome.rep_id, outcomes=(outcome,))
    return RepMail.from_bytes(message.value)
