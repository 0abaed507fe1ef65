"""The three stages in simulated time, over what was stored: who would have been told what, and when. Sends nothing.

stored events ─> visitors ─> accounts ─> reps ─> deliveries, kept
                    └─ identified ─> stitch ─┘
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.activity import Activity, Identified
from schemas.delivery import Delivery, Outcome
from schemas.directory import Directory
from schemas.envelope import Bundle, Envelope
from schemas.message import Message
from schemas.playbook import Playbook
from schemas.rep_mail import RepMail
from schemas.topics import ACTIVITY, BRIEFS, DELIVERIES, EVENTS, IDENTIFIED, OUTCOMES, Topic
from streams.account_stage import AccountStage
from streams.records import MemoryTable
from streams.rep_stage import RepStage
from streams.stage import Incoming, Send, Stage, Work, Written
from streams.visitor_stage import VisitorStage
from streams.wakes import DueQueue

TOGETHER_MS = 100  # what the collector and Kafka's consumer put into one batch

Stitch = Callable[[Identified, Sequence[Envelope]], Iterable[Activity]]
"""Makes an account's messages of a visitor's history."""


class Known(NamedTuple):
    """What the streams knew when the rehearsal begins: what had been told, and what each outbox held and had let go."""

    told: Sequence[Activity]
    outboxes: Sequence[RepMail]


@dataclass
class _Keyed:
    """One stage with its state, and when its keys are due."""

    stage: Stage
    table: MemoryTable = field(default_factory=MemoryTable)
    due: DueQueue = field(default_factory=DueQueue)

    def handle(self, messages: Sequence[Incoming], now_ms: int, keys: Sequence[str] = ()) -> list[Send]:
        work: Work = self.stage.handle(messages, self.table, now_ms, keys)
        self.table.apply(work.changes)
        for key, due_ms in work.due.items():
            self.due.put(key, due_ms)
        for key, made in work.decoded.items():
            self.table.keep_decoded(key, made)
        return work.sends


class Rehearsal:
    """One run over the events of a stretch of time; `deliveries` is what would have been sent so far."""

    def __init__(self, directory: Directory, playbook: Playbook, history_days: int, stitch: Stitch) -> None:
        """Take the directory and the rules to run by; how a visitor's history is stitched is the caller's."""
        self._visitors = _Keyed(VisitorStage(directory))
        self._accounts = _Keyed(AccountStage(directory, playbook, history_days))
        self._reps = _Keyed(RepStage(directory, playbook))
        self._stitch = stitch
        self._history: dict[str, list[Envelope]] = defaultdict(list)
        self._offset = 0
        self.deliveries: list[Delivery] = []

    def begin(self, before: Iterable[Sequence[Envelope]], known: Known, start_ms: int) -> None:
        """Bring the stages to what they knew at the start; what the rules would have told before it is left out."""
        activity = [Send(ACTIVITY, one.account_id, one) for one in known.told]
        for envelopes in before:
            activity += self._identify(envelopes, start_ms)
        sends = self._accounts.handle(_incoming(activity), start_ms)
        late = [send for send in sends if send.topic is BRIEFS and _is_news(send.message, start_ms)]
        mails = [Send(BRIEFS, mail.rep_id, mail) for mail in known.outboxes]
        self._tell([*mails, *late], start_ms)

    def run(self, envelopes: Iterable[Envelope], until_ms: int, answers: Sequence[Outcome] = ()) -> Iterator[int]:
        """Go through events in the order in which they were received, up to a moment; yields how many are done.

        What reps answered at the time, in order, is heard at the time it was said.
        """
        done = 0
        waiting = deque(answers)
        for batch in _batches(envelopes):
            now_ms = batch[-1].received_ms
            self._hear(waiting, now_ms)
            self._wake(now_ms)
            self._judge(self._identify(batch, now_ms), now_ms)
            done += len(batch)
            yield done
        self._hear(waiting, until_ms)
        self._wake(until_ms)

    def _hear(self, waiting: deque[Outcome], until_ms: int) -> None:
        """Let the outboxes hear what was answered up to a moment, each answer at its own time."""
        while waiting and waiting[0].at_ms <= until_ms:
            said = waiting.popleft()
            self._wake(said.at_ms)
            self._tell([Send(OUTCOMES, said.rep_id, said)], said.at_ms)

    def _identify(self, envelopes: Sequence[Envelope], now_ms: int) -> list[Send]:
        """Have the visitors' stage look at events, and return the accounts' messages, stitched history among them."""
        for envelope in envelopes:
            self._history[envelope.visitor_id].append(envelope)
        bundle = Bundle(envelopes=tuple(envelopes))
        sends = self._visitors.handle([Incoming(EVENTS.name, 0, self._offset, bundle.to_bytes())], now_ms)
        self._offset += 1
        found = [send for send in sends if send.topic is ACTIVITY]
        for send in sends:
            if send.topic is IDENTIFIED and isinstance(said := send.message, Identified):
                found += self._stitched(said)
        return found

    def _stitched(self, said: Identified) -> list[Send]:
        if not said.stitch or said.withdrawn:
            return []
        history = sorted(self._history[said.visitor_id], key=lambda one: (one.occurred_ms, one.event.event_id))
        return [Send(ACTIVITY, one.account_id, one) for one in self._stitch(said, history)]

    def _judge(self, activity: Sequence[Send], now_ms: int, keys: Sequence[str] = ()) -> None:
        if activity or keys:
            self._tell(self._accounts.handle(_incoming(activity), now_ms, keys), now_ms)

    def _tell(self, sends: Sequence[Send], now_ms: int, keys: Sequence[str] = ()) -> None:
        """Have the outboxes look; what one of them hands to another rep goes round once more."""
        mails = [send for send in sends if send.topic in {BRIEFS, OUTCOMES}]
        while mails or keys:
            released = self._reps.handle(_incoming(mails), now_ms, keys)
            self.deliveries += [
                message
                for send in released
                if send.topic is DELIVERIES and isinstance(message := send.message, Delivery)
            ]
            mails, keys = [send for send in released if send.topic is BRIEFS], ()

    def _wake(self, until_ms: int) -> None:
        """Look at what is due up to a moment, each at its own time."""
        while True:
            moments = [stage.due.next_ms() for stage in (self._accounts, self._reps)]
            due = [moment for moment in moments if moment is not None and moment <= until_ms]
            if not due:
                return
            now_ms = min(due)
            self._judge((), now_ms, [key for key, _ in self._accounts.due.pop_due(now_ms)])
            self._tell((), now_ms, [key for key, _ in self._reps.due.pop_due(now_ms)])


def _batches(envelopes: Iterable[Envelope]) -> Iterator[list[Envelope]]:
    batch: list[Envelope] = []
    for envelope in envelopes:
        if batch and envelope.received_ms > batch[0].received_ms + TOGETHER_MS:
            yield batch
            batch = []
        batch.append(envelope)
    if batch:
        yield batch


def _incoming(sends: Iterable[Send]) -> list[Incoming]:
    return [_message(send.topic, send.message) for send in sends]


def _message(topic: Topic, message: Message | Written) -> Incoming:
    return Incoming(topic.name, 0, 0, message.to_bytes())


def _is_news(message: Message | Written, start_ms: int) -> bool:
    return isinstance(message, RepMail) and any(brief.trigger.met_ms >= start_ms for brief in message.briefs)
