"""Delivers one message: claims it, sends it by the first way that takes it, notes how it ended, and says so."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import structlog

from schemas.channel import ChannelKind
from schemas.delivery import Delivery, Outcome, OutcomeKind
from schemas.directory import Directory
from schemas.errors import UnavailableError
from schemas.feedback import FeedbackLinks, MailMarks
from schemas.ids import derived_id
from schemas.settings import Settings
from sinks.delivery.alarms import Alarms
from sinks.delivery.attempts import Attempted, attempt, pauses
from sinks.delivery.channels.answers import Sent
from sinks.delivery.ledger import DeliveryLedger, Entry, LedgerState
from sinks.delivery.memory import DeliveryMemory
from sinks.delivery.send_errors import PermanentSendError
from sinks.delivery.senders import INLINE_WAIT_S, Letter, Senders
from sinks.delivery.spreading import leaves_ms
from sinks.delivery.ways import EMAIL, Way, mail_way, ways_of

_log = structlog.get_logger()

_LOST_SIGHT = "the process ended while it was being sent; it may have arrived, and is not sent again"
_MOST_PATIENCE_S = 900.0  # with a channel that asks to wait, where another stands by


@dataclass(frozen=True)
class Later:
    """A delivery was not sent, and is to be looked at again after so many seconds."""

    wait_s: float


@dataclass(frozen=True)
class _Progress:
    """How far a delivery has come that is left for later: which way, after how many tries, and why not before."""

    since_ms: int
    way: int = 0
    tried: int = 0
    tries: int = 0
    reasons: tuple[str, ...] = ()
    unsure: bool = False

    def passed_on(self, done: Attempted, way: Way) -> "_Progress":
        """Return the progress with the next way on turn."""
        return _Progress(
            self.since_ms,
            self.way + 1,
            tries=self.tries + done.attempts,
            reasons=(*self.reasons, f"{way.name}: {done.reason}"),
            unsure=self.unsure or done.state is LedgerState.uncertain,
        )


@dataclass(frozen=True)
class Courier:
    """Delivers messages; threads may share it. `now_ms` gives Unix milliseconds; `stop` cuts waiting short."""

    settings: Settings
    directory: Directory
    ledger: DeliveryLedger
    now_ms: Callable[[], int]
    stop: threading.Event
    memory: DeliveryMemory | None = None
    links: FeedbackLinks | None = None
    given_senders: Senders | None = None
    marks: MailMarks | None = None
    _progress: dict[str, _Progress] = field(default_factory=dict)

    @cached_property
    def senders(self) -> Senders:
        """All ways out."""
        return self.given_senders or Senders(self.settings, self.now_ms, self.stop, self.links, marks=self.marks)

    @cached_property
    def alarms(self) -> Alarms:
        """Where closed ways are told."""
        return Alarms(self.settings, self.senders, self.ledger)

    def deliver(self, delivery: Delivery, known: Entry | None) -> Outcome | Later | None:
        """Send a delivery of which the ledger says `known`; return its outcome, or None if a stop came first.

        Raises:
            UnavailableError: the ledger can't be reached.
        """
        entry = self._sent_once(delivery) if known is None else known
        if entry is None or isinstance(entry, Later):
            return entry
        if entry.state is LedgerState.claimed:
            entry = entry.ended(LedgerState.uncertain, self.now_ms(), 1, _LOST_SIGHT, "")
            self._note(entry)
        self._progress.pop(delivery.delivery_id, None)
        outcome = _outcome(delivery, entry)
        self._tell(delivery, outcome, is_repeat=known is not None)
        return outcome

    def _sent_once(self, delivery: Delivery) -> Entry | Later | None:
        """Claim and send; return the entry that stands then, or that nothing was sent and all is left for later."""
        progress = self._progress.setdefault(delivery.delivery_id, _begun(delivery, self.now_ms()))
        self._tell_that_mail_came_back(delivery)
        try:
            ways = self._ways(delivery)
        except PermanentSendError as error:
            ways, progress = [], replace(progress, reasons=(str(error),))
        if ways:
            progress = replace(progress, way=min(progress.way, len(ways) - 1))  # the directory may have changed
            way = ways[progress.way]
            if wait_s := self._ahead_s(way, delivery):
                return Later(wait_s)
        # What can't be said is no delivery, and is not claimed.
        letter = self.senders.letter(ways[progress.way], delivery, self.directory) if ways else None
        claim = self.ledger.claim(delivery.delivery_id, self.now_ms())
        if claim is None:
            return self.ledger.standings([delivery.delivery_id]).get(delivery.delivery_id)
        return self._by_first_that_takes_it(delivery, ways, progress, claim, letter)

    def _by_first_that_takes_it(
        self, delivery: Delivery, ways: list[Way], progress: _Progress, claim: Entry, letter: Letter | None
    ) -> Entry | Later | None:
        while progress.way < len(ways):
            way = ways[progress.way]
            letter = letter or self.senders.letter(way, delivery, self.directory)
            done = self._by(way, delivery, letter, progress.tried)
            if done.state is LedgerState.sent:
                told = f"not by {'; '.join(progress.reasons)}" if progress.reasons else ""
                return self._end(claim, done.state, progress.tries + done.attempts, told, way.name)
            if done.state is LedgerState.released and not self._gives_up(progress, done, ways):
                self._note(claim.ended(LedgerState.released, self.now_ms(), done.attempts, done.reason[:500], ""))
                self._progress[delivery.delivery_id] = replace(progress, tried=done.attempts)
                return Later(done.wait_s) if done.wait_s else None
            if done.is_final:
                self.alarms.tell(way, done.reason, self.now_ms())
            progress, letter = progress.passed_on(done, way), None
        state = LedgerState.uncertain if progress.unsure else LedgerState.failed
        return self._end(claim, state, progress.tries, "; ".join(progress.reasons), ways[0].name if ways else "")

    def _by(self, way: Way, delivery: Delivery, letter: Letter, tried: int) -> Attempted:
        edited = self._corrected(way, delivery)
        sent: list[Sent] = []
        done = attempt(
            lambda: sent.append(self.senders.send(way, letter, edited)), self._pauses(), self.stop.wait, tried
        )
        if sent and sent[0].message:
            self._remember(letter, way, sent[0])
        return done

    def _tell_that_mail_came_back(self, delivery: Delivery) -> None:
        rep = self.directory.reps.get(delivery.rep_id)
        way = mail_way(delivery, rep, self.settings) if rep and delivery.returned else None
        if way and delivery.returned:
            self.alarms.tell(way, f"a mail came back: {delivery.returned.reason}", self.now_ms())

    def _gives_up(self, progress: _Progress, done: Attempted, ways: list[Way]) -> bool:
        waited_s = (self.now_ms() - progress.since_ms) / 1000 + done.wait_s
        return done.wait_s > 0 and waited_s > _MOST_PATIENCE_S and progress.way + 1 < len(ways)

    def _ways(self, delivery: Delivery) -> list[Way]:
        rep = self.directory.reps.get(delivery.rep_id)
        asks = self.memory is not None and delivery.is_digest
        takes = self.memory.takes_mail_digests(delivery.rep_id) if self.memory and asks else True
        return ways_of(delivery, rep, self.settings, takes_mail_digests=takes)

    def _ahead_s(self, way: Way, delivery: Delivery) -> float:
        """Return the seconds to leave a delivery alone: a digest is not due, or a target takes no more now."""
        if delivery.is_digest:
            is_feishu = way.chat is not None and way.chat.service.name == "feishu"
            spread_s = self.settings.digest_spread_s
            leaves = leaves_ms(delivery.released_ms, delivery.rep_id, spread_s, avoids_half_hours=is_feishu)
            if (ahead_ms := leaves - self.now_ms()) > 0:
                return ahead_ms / 1000
        wait_s = self.senders.wait_s(way)
        return wait_s if wait_s > INLINE_WAIT_S else 0.0

    def _corrected(self, way: Way, delivery: Delivery) -> Sent | None:
        """Return where the brief stands that this one corrects, if it is to be edited there."""
        corrects = delivery.briefs[0].corrects
        if delivery.is_digest or not corrects or self.memory is None or way.chat is None or not way.chat.can_edit:
            return None
        return self.memory.sent(corrects, way.name)

    def _remember(self, letter: Letter, way: Way, sent: Sent) -> None:
        if self.memory is None or letter.delivery is None or letter.delivery.is_digest:
            return  # a digest is about more than a correction is
        try:
            self.memory.note_sent(letter.delivery.briefs[0].brief_id, way.name, sent, self.now_ms())
        except UnavailableError as error:
            # It was sent; only a correction will follow it instead of taking its place.
            _log.warning("sent_message_not_noted", delivery_id=letter.delivery.delivery_id, reason=str(error))

    def _end(self, claim: Entry, state: LedgerState, attempts: int, reason: str, target: str) -> Entry:
        entry = claim.ended(state, self.now_ms(), attempts, reason[:500], target)
        self._note(entry)
        return entry

    def _pauses(self) -> list[float]:
        return pauses(self.settings.delivery_attempts, self.settings.delivery_backoff_s)

    def _note(self, entry: Entry) -> None:
        """Note an end; it is worth some patience, since without it a message that was sent counts as uncertain."""
        for pause_s in self._pauses():
            try:
                self.ledger.record(entry)
            except UnavailableError as error:
                _log.warning("delivery_end_not_noted", delivery_id=entry.delivery_id, reason=str(error))
                self.stop.wait(pause_s)
            else:
                return
        self.ledger.record(entry)

    def _tell(self, delivery: Delivery, outcome: Outcome, *, is_repeat: bool) -> None:
        met_ms = max(brief.trigger.met_ms for brief in delivery.briefs)
        _log.info(
            "delivery_ended",
            delivery_id=delivery.delivery_id,
            rep_id=delivery.rep_id,
            channel=str(delivery.channel),
            target=outcome.target,
            outcome=str(outcome.kind),
            reason=outcome.reason,
            attempts=outcome.attempts,
            briefs=len(delivery.briefs),
            latency_ms=outcome.at_ms - met_ms,
            repeat=is_repeat,
        )


def _begun(delivery: Delivery, now_ms: int) -> _Progress:
    reasons = (f"{EMAIL}: came back, {delivery.returned.reason}",) if delivery.returned else ()
    return _Progress(now_ms, reasons=reasons)


def _outcome(delivery: Delivery, entry: Entry) -> Outcome:
    kind = OutcomeKind(entry.state.value)
    by_target = ChannelKind.email if entry.target == EMAIL else ChannelKind.chat
    return Outcome(
        outcome_id=derived_id("outcome", delivery.delivery_id, kind),
        delivery_id=delivery.delivery_id,
        rep_id=delivery.rep_id,
        channel=by_target if entry.target else delivery.channel,
        brief_ids=tuple(brief.brief_id for brief in delivery.briefs),
        account_ids=tuple(dict.fromkeys(brief.account_id for brief in delivery.briefs)),
        kind=kind,
        at_ms=entry.at_ms,
        attempts=entry.attempts,
        reason=entry.reason,
        target=entry.target,
    )
