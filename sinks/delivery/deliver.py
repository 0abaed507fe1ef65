"""Delivers one message: claims it, sends it, notes how it ended, and says so."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from schemas.delivery import ChannelKind, Delivery, Outcome, OutcomeKind
from schemas.directory import Channel, Directory, Rep
from schemas.errors import UnavailableError
from schemas.ids import derived_id
from schemas.settings import Settings
from sinks.delivery.attempts import Attempted, attempt, pauses
from sinks.delivery.chat import send_chat
from sinks.delivery.ledger import DeliveryLedger, Entry, LedgerState
from sinks.delivery.mail import compose, envelope_sender, send_mail
from sinks.delivery.render import render
from sinks.delivery.send_errors import PermanentSendError

_log = structlog.get_logger()

_LOST_SIGHT = "the process ended while it was being sent; it may have arrived, and is not sent again"


@dataclass(frozen=True)
class _Prepared:
    """A message ready to go, and the name of the channel it goes by."""

    send: Callable[[], None]
    target: str


@dataclass(frozen=True)
class Courier:
    """Delivers messages; threads may share it. `now_ms` gives Unix milliseconds; `stop` cuts waiting short."""

    settings: Settings
    directory: Directory
    ledger: DeliveryLedger
    now_ms: Callable[[], int]
    stop: threading.Event

    def deliver(self, delivery: Delivery, known: Entry | None) -> Outcome | None:
        """Send a delivery of which the ledger says `known`; return its outcome, or None if it is left for later.

        Raises:
            UnavailableError: the ledger can't be reached.
        """
        entry = self._sent_once(delivery) if known is None else known
        if entry is None:
            return None
        if entry.state is LedgerState.claimed:
            entry = entry.ended(LedgerState.uncertain, self.now_ms(), 1, _LOST_SIGHT, "")
            self._note(entry)
        outcome = _outcome(delivery, entry)
        self._tell(delivery, outcome, is_repeat=known is not None)
        return outcome

    def _sent_once(self, delivery: Delivery) -> Entry | None:
        """Claim and send; return the entry that stands then, or None if nothing was sent and all is left for later."""
        prepared = self._prepared(delivery)
        claim = self.ledger.claim(delivery.delivery_id, self.now_ms())
        if claim is None:
            return self.ledger.standings([delivery.delivery_id]).get(delivery.delivery_id)
        if isinstance(prepared, PermanentSendError):
            done, target = Attempted(LedgerState.failed, 0, str(prepared)), ""
        else:
            done, target = attempt(prepared.send, self._pauses(), self.stop.wait), prepared.target
        entry = claim.ended(done.state, self.now_ms(), done.attempts, done.reason[:500], target)
        self._note(entry)
        return None if done.state is LedgerState.released else entry

    def _pauses(self) -> list[float]:
        return pauses(self.settings.delivery_attempts, self.settings.delivery_backoff_s)

    def _prepared(self, delivery: Delivery) -> _Prepared | PermanentSendError:
        try:
            rep = self._rep(delivery.rep_id)
            channel = _channel(rep, delivery.channel)
            rendered = render(delivery, self.directory)
            if channel.kind is ChannelKind.chat:
                return _Prepared(lambda: send_chat(self.settings, channel.target, rendered), channel.target)
            sender = self.settings.mail_from
            at = datetime.fromtimestamp(self.now_ms() / 1000, UTC)
            mail = compose(delivery, rendered, (rep.name, channel.target), sender, at)
        except PermanentSendError as error:
            return error
        return _Prepared(
            lambda: send_mail(self.settings, mail, envelope_sender(sender), channel.target), str(ChannelKind.email)
        )

    def _rep(self, rep_id: str) -> Rep:
        rep = self.directory.reps.get(rep_id)
        if rep is None:
            raise PermanentSendError(f"rep {rep_id} is not in the directory")
        return rep

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


def _channel(rep: Rep, kind: ChannelKind) -> Channel:
    for channel in rep.channels:
        if channel.kind is kind:
            return channel
    raise PermanentSendError(f"rep {rep.rep_id} has no {kind} channel in the directory")


def _outcome(delivery: Delivery, entry: Entry) -> Outcome:
    kind = OutcomeKind(entry.state.value)
    return Outcome(
        outcome_id=derived_id("outcome", delivery.delivery_id, kind),
        delivery_id=delivery.delivery_id,
        rep_id=delivery.rep_id,
        channel=delivery.channel,
        brief_ids=tuple(brief.brief_id for brief in delivery.briefs),
        kind=kind,
        at_ms=entry.at_ms,
        attempts=entry.attempts,
        reason=entry.reason,
        target=entry.target,
    )
