"""When to tell? From briefs to deliveries."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from schemas.directory import Directory
from schemas.playbook import Playbook
from schemas.rep_mail import RepMail
from schemas.topics import BRIEFS, DELIVERIES
from streams.outbox import OutboxState, receive, release, settle
from streams.records import HEAD, Change, Table
from streams.stage import Incoming, Send, Work

GONE_RETRY_MS = 60_000


class RepStage:
    """The stage with one state per rep: the outbox."""

    def __init__(self, directory: Directory, playbook: Playbook) -> None:
        """Take the living directory, which knows the reps, and the playbook's rules."""
        self._directory = directory
        self._rules = playbook.outbox

    def use(self, playbook: Playbook) -> None:
        """Release by another playbook's rules from the next batch on."""
        self._rules = playbook.outbox

    def handle(self, messages: Sequence[Incoming], table: Table, now_ms: int, due: Collection[str] = ()) -> Work:
        """Put briefs into outboxes, look at those that are due, and let go what may be sent now."""
        mails: dict[str, list[RepMail]] = defaultdict(list)
        for message in messages:
            mail = RepMail.from_bytes(message.value)
            mails[mail.rep_id].append(mail)
        for key in due:
            mails[key].append(RepMail(rep_id=key))
        work = Work()
        for key, new in mails.items():
            self._release(work, key, new, table, now_ms)
        return work

    def _release(self, work: Work, key: str, new: list[RepMail], table: Table, now_ms: int) -> None:
        records = table.get(key)
        before = OutboxState.from_bytes(records[HEAD]) if records else OutboxState(rep_id=key)
        state = before
        for mail in new:
            state = receive(state, mail, now_ms)
        settled = settle(state, self._directory, {brief.brief_id for mail in new for brief in mail.briefs})
        work.sends += [Send(BRIEFS, handed.rep_id, handed) for handed in settled.handed]
        state = settled.state
        rep = self._directory.reps.get(key)
        if rep is None:  # not in the directory: look again later
            work.due[key] = now_ms + GONE_RETRY_MS if state.pending else None
        else:
            step = release(state, rep, self._rules, now_ms)
            state = step.state
            work.due[key] = step.due_ms
            work.sends += [Send(DELIVERIES, key, delivery) for delivery in step.deliveries]
        if state != before:
            work.changes.append(Change(key, HEAD, state.to_bytes()))
