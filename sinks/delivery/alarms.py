"""Tells the operator of a channel that has refused for good: once for each, however often it is met."""

import hashlib
import threading
from dataclasses import dataclass, field

import structlog

from schemas.channel import ChannelKind
from schemas.directory import Channel, Rep
from schemas.errors import UnavailableError
from schemas.ids import derived_id
from schemas.settings import Settings
from sinks.delivery.document import BriefDocument, Line, MessageDocument, Section, SectionKind
from sinks.delivery.ledger import DeliveryLedger, LedgerState
from sinks.delivery.mail import compose_notice, envelope_sender, send_mail
from sinks.delivery.render import Rendered
from sinks.delivery.send_errors import SendError
from sinks.delivery.senders import Letter, Senders
from sinks.delivery.ways import Way

_log = structlog.get_logger()
_PURPOSE = "alarm-target"


@dataclass(frozen=True)
class Alarms:
    """Threads may share it. The ledger remembers what was told, beyond this process."""

    settings: Settings
    senders: Senders
    ledger: DeliveryLedger
    _met: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, way: Way, reason: str, at_ms: int) -> None:
        """Tell that a way is closed; what goes wrong in it is logged, and it is told when the way is met again."""
        alarm_id = self._id(way)
        with self._lock:
            if alarm_id in self._met:
                return
            self._met.add(alarm_id)
        _log.error("channel_refused", alarm_id=alarm_id, channel=way.name, rep_id=way.rep.rep_id, reason=reason)
        if not self.settings.admin_channel:
            return
        try:
            self._told_once(alarm_id, way, reason, at_ms)
        except (SendError, UnavailableError) as error:
            with self._lock:
                self._met.discard(alarm_id)
            _log.warning("alarm_not_told", alarm_id=alarm_id, reason=str(error))

    def _told_once(self, alarm_id: str, way: Way, reason: str, at_ms: int) -> None:
        if alarm_id in self.ledger.standings([alarm_id]):
            return
        claim = self.ledger.claim(alarm_id, at_ms)
        if claim is None:
            return
        try:
            self._send(alarm_id, way, reason)
        except SendError:
            self.ledger.record(claim.ended(LedgerState.released, at_ms, 1, "", ""))
            raise
        self.ledger.record(claim.ended(LedgerState.sent, at_ms, 1, reason[:500], "admin"))

    def _send(self, alarm_id: str, way: Way, reason: str) -> None:
        title = f"readbrief: the channel {way.name} of rep {way.rep.rep_id} takes no messages"
        advice = (
            "Briefs go by the rep's other channels, if there are any. Mend the directory or READBRIEF_CHAT_TARGETS."
        )
        admin = self.settings.admin_channel
        if "@" in admin:
            mail = compose_notice(alarm_id, (title, f"{reason}\n\n{advice}\n"), admin, self.settings.mail_from)
            send_mail(self.settings, mail, envelope_sender(self.settings.mail_from), admin)
            return
        lines = (Line(reason), Line(advice))
        section = Section(SectionKind.why, "", 1, lines)
        document = MessageDocument(alarm_id, "en", title, (BriefDocument(alarm_id, "", Line(title), (section,)),))
        rendered = Rendered(subject=title, html="", text="", chat=f"{reason}\n\n{advice}", document=document)
        channel = Channel(kind=ChannelKind.chat, target=admin)
        admin_way = Way(Rep(rep_id="admin", name="admin", channels=(channel,)), channel, self.settings)
        self.senders.send(admin_way, Letter(None, document, rendered))

    def _id(self, way: Way) -> str:
        """Return what names a channel as it is now: with another address, it is another, and may be told of again."""
        secret = self.settings.chat_targets.get(way.channel.target) if way.kind is ChannelKind.chat else None
        address = secret.get_secret_value() if secret else way.channel.target
        key = self.settings.signing_key(_PURPOSE)
        return derived_id("alarm", way.kind, hashlib.blake2b(address.encode(), key=key, digest_size=16).hexdigest())
