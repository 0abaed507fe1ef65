"""What to send, and what became of it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.brief import Brief
from schemas.channel import ChannelKind
from schemas.message import Id, Label, Line, Message, UnixMs

__all__ = ["ChannelKind", "Delivery", "Outcome", "OutcomeKind"]


class Delivery(Message):
    """One message to send now: one brief, or several as a digest, on one channel."""

    delivery_id: Id
    rep_id: Id
    channel: ChannelKind
    briefs: Annotated[tuple[Brief, ...], Field(min_length=1)]
    released_ms: UnixMs


class OutcomeKind(StrEnum):
    """What became of a delivery."""

    sent = "sent"
    failed = "failed"
    uncertain = "uncertain"


class Outcome(Message):
    """What became of one delivery; a failure says why."""

    outcome_id: Id
    delivery_id: Id
    rep_id: Id
    channel: ChannelKind
    brief_ids: tuple[Id, ...]
    kind: OutcomeKind
    at_ms: UnixMs
    attempts: int = 1
    reason: Line = ""
    target: Annotated[Label, Field(description="The channel's name, never its address or secret")] = ""
