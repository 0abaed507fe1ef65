"""The three keyed stages, each from one message's bytes to what is to be sent and written.

A stage reads its keys' states from a table, but leaves sending and writing to the caller, who does them in this
order: send, then write, then commit. So a crash in between repeats work, and loses none.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from schemas.activity import Activity, ActivityItem, Wake
from schemas.directory import Directory
from schemas.envelope import Bundle, Envelope
from schemas.message import Message
from schemas.playbook import Playbook
from schemas.rep_mail import RepMail
from schemas.topics import ACCOUNT_WAKES, ACTIVITY, BRIEFS, DELIVERIES, IDENTIFIED, INTEREST, REP_WAKES, Topic
from streams.accounts import AccountState, advance, take_in
from streams.identity import VisitorState, observe
from streams.outbox import OutboxState, receive, release
from streams.triggers import next_due_ms

Table = Mapping[bytes, bytes]


class Send(NamedTuple):
    """One message to send; without a partition, the key's hash chooses it."""

    topic: Topic
    key: str
    message: Message
    partition: int | None = None


@dataclass
class Work:
    """What is to be sent, then written, and which keys are to be looked at again."""

    sends: list[Send] = field(default_factory=list)
    writes: dict[str, Message] = field(default_factory=dict)
    due: dict[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Incoming:
    """One message of a topic, as it came."""

    topic: str
    partition: int
    offset: int
    value: bytes

    @property
    def origin(self) -> str:
        """Where it stood, for a dead letter."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Stage(Protocol):
    """One keyed stage of the pipeline."""

    def handle(self, incoming: Incoming, table: Table, now_ms: int) -> Work:
        """Return what one message calls for.

        Raises:
            pydantic.ValidationError: the message, or the state under its key, can't be read.
        """

    def due_of(self, value: bytes) -> tuple[str, int | None]:
        """Return the key of a stored state, and when it wants to be looked at again."""


class VisitorStage:
    """Who is this? From bundles of events to the activity of known people."""

    def __init__(self, directory: Directory) -> None:
        """Take the living directory, which says which account a contact belongs to."""
        self._directory = directory

    def handle(self, incoming: Incoming, table: Table, now_ms: int) -> Work:  # noqa: ARG002 - identity knows no time
        """Work through a whole bundle; each visitor's state is written at most once, each account told once."""
        by_visitor: dict[str, list[Envelope]] = defaultdict(list)
        for envelope in Bundle.from_bytes(incoming.value).envelopes:
            if envelope.automated:
                continue  # a machine is nobody, and reads nothing
            by_visitor[envelope.visitor_id].append(envelope)
        work = Work()
        by_account: dict[str, list[ActivityItem]] = defaultdict(list)
        for visitor_id, envelopes in by_visitor.items():
            stored = table.get(visitor_id.encode())
            state = VisitorState.from_bytes(stored) if stored else VisitorState(visitor_id=visitor_id)
            seen = observe(
                state,
                envelopes,
                self._account_of,
                incoming.partition,
                incoming.offset,
                self._directory.contact_named,
            )
            for account_id, item in seen.activity:
                by_account[account_id].append(item)
            # Stitching waits for the store to hold the same partition of `events`, so the news must be on it, too.
            work.sends += [Send(IDENTIFIED, visitor_id, news, incoming.partition) for news in seen.identified]
            if seen.changed:
                work.writes[visitor_id] = seen.state
        for account_id, items in by_account.items():
            work.sends.append(Send(ACTIVITY, account_id, Activity(account_id=account_id, items=tuple(items))))
        return work

    def due_of(self, value: bytes) -> tuple[str, int | None]:
        """Say that identity waits for nothing."""
        return VisitorState.from_bytes(value).visitor_id, None

    def _account_of(self, contact_id: str) -> str | None:
        account = self._directory.account_of(contact_id)
        return account.account_id if account else None


class AccountStage:
    """What interests them? From activity to interest summaries and briefs."""

    def __init__(self, directory: Directory, playbook: Playbook, history_days: int) -> None:
        """Take the living directory, marketing's playbook, and how many days of reads count."""
        self._directory = directory
        self._playbook = playbook
        self._history_days = history_days

    def handle(self, incoming: Incoming, table: Table, now_ms: int) -> Work:
        """Join an account's activity, or wake it up, and tell what follows."""
        if incoming.topic == ACCOUNT_WAKES.name:
            activity = Activity(account_id=Wake.from_bytes(incoming.value).key)
        else:
            activity = Activity.from_bytes(incoming.value)
        key = activity.account_id
        stored = table.get(key.encode())
        before = AccountState.from_bytes(stored) if stored else AccountState(account_id=key)
        step = advance(take_in(before, activity, self._history_days), self._directory, self._playbook, now_ms, before)
        work = Work(due={key: step.due_ms})
        mails = [RepMail(rep_id=brief.rep_id, briefs=(brief,)) for brief in step.briefs]
        work.sends += [Send(BRIEFS, mail.rep_id, mail) for mail in mails]
        if step.interest:
            work.sends.append(Send(INTEREST, key, step.interest))
        if step.changed:
            work.writes[key] = step.state
        return work

    def due_of(self, value: bytes) -> tuple[str, int | None]:
        """Return when the account's reading session ends."""
        state = AccountState.from_bytes(value)
        return state.account_id, next_due_ms(
            state.reads.values(), state.told, self._playbook.triggers, state.arrived_ms
        )


class RepStage:
    """When to tell? From briefs to deliveries."""

    def __init__(self, directory: Directory, playbook: Playbook) -> None:
        """Take the living directory, which knows the reps, and the playbook's rules."""
        self._directory = directory
        self._rules = playbook.outbox

    def handle(self, incoming: Incoming, table: Table, now_ms: int) -> Work:
        """Put briefs into the rep's outbox, or wake it up, and let go what may be sent now."""
        if incoming.topic == REP_WAKES.name:
            mail = RepMail(rep_id=Wake.from_bytes(incoming.value).key)
        else:
            mail = RepMail.from_bytes(incoming.value)
        key = mail.rep_id
        stored = table.get(key.encode())
        before = OutboxState.from_bytes(stored) if stored else OutboxState(rep_id=key)
        state = receive(before, mail, now_ms)
        rep = self._directory.reps.get(key)
        if rep is None:  # gone from the directory: keep what waits, look again in a minute
            return Work(writes={key: state}, due={key: now_ms + 60_000})
        step = release(state, rep, self._rules, now_ms)
        work = Work(due={key: step.due_ms})
        work.sends += [Send(DELIVERIES, key, delivery) for delivery in step.deliveries]
        if step.state != before:
            work.writes[key] = step.state
        return work

    def due_of(self, value: bytes) -> tuple[str, int | None]:
        """Return 0 if anything waits: the stage then works out when."""
        state = OutboxState.from_bytes(value)
        return state.rep_id, 0 if state.pending else None
