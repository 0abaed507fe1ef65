"""Sends one message by one way: to a chat service in its own terms, to others by Apprise, or by mail."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from schemas.channel import ChannelKind
from schemas.delivery import Delivery
from schemas.directory import Directory
from schemas.feedback import FeedbackLinks, MailMarks
from schemas.settings import Settings
from sinks.delivery.attempts import HeldBackError
from sinks.delivery.channels.answers import Sent
from sinks.delivery.channels.posting import Poster
from sinks.delivery.channels.rates import Rates
from sinks.delivery.channels.targets import ChatTarget
from sinks.delivery.chat import send_chat
from sinks.delivery.document import MessageDocument
from sinks.delivery.feedback import Feedback
from sinks.delivery.mail import MailLinks, compose, envelope_sender, send_mail
from sinks.delivery.render import Rendered, render
from sinks.delivery.send_errors import PermanentSendError, TransientSendError
from sinks.delivery.ways import Way

INLINE_WAIT_S = 5.0  # a longer wait for a turn is spent on other deliveries


@dataclass(frozen=True)
class Letter:
    """A delivery as one channel has it."""

    delivery: Delivery | None
    document: MessageDocument
    rendered: Rendered
    mail_links: MailLinks = MailLinks()  # noqa: RUF009 - it is frozen


@dataclass(frozen=True)
class Senders:
    """All ways out; threads may share it. `clock_s` is any clock that only goes forward, in seconds."""

    settings: Settings
    now_ms: Callable[[], int]
    stop: threading.Event
    links: FeedbackLinks | None = None
    rates: Rates = field(default_factory=Rates)
    poster: Poster = field(default_factory=Poster)
    clock_s: Callable[[], float] = time.monotonic
    marks: MailMarks | None = None

    def letter(self, way: Way, delivery: Delivery, directory: Directory) -> Letter:
        """Say a delivery for a way."""
        mark = self.marks(delivery.delivery_id, self.now_ms()) if self.marks and way.kind is ChannelKind.email else ""
        if self.links is None:
            rendered = render(delivery, directory)
            return Letter(delivery, rendered.document, rendered, MailLinks(mark=mark))
        feedback = Feedback(self.links, delivery, way.kind, self.settings.account_page)
        rendered = render(delivery, directory, feedback.button_url, feedback.followed)
        document = rendered.document
        if way.chat is not None and way.chat.service.takes_long_links:
            document = feedback.followed(document)
        unsubscribe = feedback.unsubscribe if delivery.is_digest else ""
        return Letter(delivery, document, rendered, MailLinks(feedback.pixel, unsubscribe, mark))

    def wait_s(self, way: Way) -> float:
        """Return the seconds until a way's next turn, without taking it."""
        return self._turn_s(way, -1.0)

    def send(self, way: Way, letter: Letter, edited: Sent | None = None) -> Sent:
        """Send a letter, in the place of an earlier one where it can be; return where it stands.

        Raises:
            SendError: it was not sent, or it is not sure that it was.
        """
        self._take_turn(way)
        if way.kind is ChannelKind.email:
            return self._mail(way, letter)
        try:
            if way.chat is None:
                return self._apprise(way, letter)
            return self._post(way.chat, letter, edited)
        except TransientSendError as error:
            if error.retry_after_s:
                self.rates.hold(way.lane, self.clock_s() + error.retry_after_s)
            raise

    def _post(self, chat: ChatTarget, letter: Letter, edited: Sent | None) -> Sent:
        if edited is not None and chat.can_edit:
            try:
                return chat.service.judge(self.poster.post(chat.request(letter.document, self.now_ms(), edited)))
            except PermanentSendError:
                pass  # too old to be edited, or deleted: then it follows as a message of its own
        return chat.service.judge(self.poster.post(chat.request(letter.document, self.now_ms())))

    def _apprise(self, way: Way, letter: Letter) -> Sent:
        send_chat(self.settings, way.channel.target, letter.rendered)
        return Sent()

    def _mail(self, way: Way, letter: Letter) -> Sent:
        if letter.delivery is None:
            raise PermanentSendError("the message has no form for mail")
        sender = self.settings.mail_from
        at = datetime.fromtimestamp(self.now_ms() / 1000, UTC)
        address = way.channel.target
        mail = compose(letter.delivery, letter.rendered, (way.rep.name, address), sender, at, letter.mail_links)
        send_mail(self.settings, mail, envelope_sender(sender), address)
        return Sent()

    def _take_turn(self, way: Way) -> None:
        wait_s = self._turn_s(way, INLINE_WAIT_S)
        if wait_s > INLINE_WAIT_S or (wait_s > 0 and self.stop.wait(wait_s)):
            raise HeldBackError(f"target {way.name!r} takes nothing yet", wait_s if wait_s > INLINE_WAIT_S else 0.0)

    def _turn_s(self, way: Way, patience_s: float) -> float:
        windows = way.chat.service.windows if way.chat else ()
        return self.rates.turn(way.lane, windows, self.clock_s(), patience_s)
