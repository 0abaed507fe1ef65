"""The ways a delivery may go, the best first: which of the rep's channels it is for, and which stand by."""

from dataclasses import dataclass
from functools import cached_property

from schemas.channel import ChannelKind
from schemas.delivery import Delivery
from schemas.directory import Channel, Rep
from schemas.settings import Settings
from sinks.delivery.channels.targets import ChatTarget, chat_target
from sinks.delivery.send_errors import PermanentSendError

EMAIL = "email"


@dataclass(frozen=True)
class Way:
    """One channel of one rep."""

    rep: Rep
    channel: Channel
    settings: Settings

    @property
    def kind(self) -> ChannelKind:
        """Mail or chat."""
        return self.channel.kind

    @property
    def name(self) -> str:
        """What it is called where its address must not stand."""
        return EMAIL if self.kind is ChannelKind.email else self.channel.target

    @property
    def lane(self) -> str:
        """What shares one rate."""
        return EMAIL if self.kind is ChannelKind.email else f"chat {self.channel.target}"

    @cached_property
    def chat(self) -> ChatTarget | None:
        """The chat service, if it is one that is spoken to in its own way."""
        url = self.settings.chat_targets.get(self.channel.target) if self.kind is ChannelKind.chat else None
        return chat_target(url.get_secret_value()) if url else None


def ways_of(delivery: Delivery, rep: Rep | None, settings: Settings, *, takes_mail_digests: bool = True) -> list[Way]:
    """Return the ways of a delivery.

    Raises:
        PermanentSendError: there is none.
    """
    if rep is None:
        raise PermanentSendError(f"rep {delivery.rep_id} is not in the directory")
    if delivery.returned is not None:
        return _ways_around_mail(delivery, rep, settings)
    channels = _channels(delivery, rep)
    if delivery.is_digest and not takes_mail_digests:
        channels = [channel for channel in channels if channel.kind is not ChannelKind.email]
        if not channels:
            raise PermanentSendError(f"rep {rep.rep_id} has ended digests by mail and has no other channel for them")
    return [Way(rep, channel, settings) for channel in channels]


def mail_way(delivery: Delivery, rep: Rep, settings: Settings) -> Way | None:
    """Return the way by which a delivery's mail goes, None if there is none any more."""
    copies = _copies(rep)
    mine = copies[delivery.copy_number - 1 : delivery.copy_number] if delivery.copy_number else rep.channels
    return next((Way(rep, channel, settings) for channel in mine if channel.kind is ChannelKind.email), None)


def _ways_around_mail(delivery: Delivery, rep: Rep, settings: Settings) -> list[Way]:
    """Return the ways of what came back as mail; it went as mail already, so `channel` says nothing any more."""
    copies = _copies(rep)
    others = [] if delivery.copy_number else [channel for channel in rep.channels if channel not in copies]
    ways = [Way(rep, channel, settings) for channel in others if channel.kind is not ChannelKind.email]
    if not ways and delivery.returned is not None:
        reason = f"the mail came back ({delivery.returned.reason})"
        raise PermanentSendError(f"{reason}, and no other channel of rep {rep.rep_id} stands by for it")
    return ways


def _copies(rep: Rep) -> list[Channel]:
    return [channel for channel in rep.channels[1:] if channel.also]


def _channels(delivery: Delivery, rep: Rep) -> list[Channel]:
    copies = _copies(rep)
    if delivery.copy_number:
        named = copies[delivery.copy_number - 1 : delivery.copy_number]
        if named and named[0].kind is delivery.channel:
            return named
    for channel in rep.channels:
        if channel.kind is delivery.channel:
            # What a copy's channel fails to bring comes by the first one's.
            standing_by = [] if channel in copies else [each for each in rep.channels if each not in (channel, *copies)]
            return [channel, *standing_by]
    raise PermanentSendError(f"rep {rep.rep_id} has no {delivery.channel} channel in the directory")
