"""What to send, and what became of it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.brief import Brief
from schemas.channel import ChannelKind
from schemas.message import Id, Label, Line, Message, Model, UnixMs

__all__ = ["ENDS", "ChannelKind", "Delivery", "Outcome", "OutcomeKind", "Returned"]


class Returned(Model):
    """Why a mail came back after its server had taken it, and when that was told."""

    reason: Line
    at_ms: UnixMs


class Delivery(Message):
    """One message to send now: one brief, or several as a digest, on one channel."""

    delivery_id: Id
    rep_id: Id
    channel: ChannelKind
    briefs: Annotated[tuple[Brief, ...], Field(min_length=1)]
    released_ms: UnixMs
    copy_number: Annotated[
        int,
        Field(ge=0, description="Which of the rep's `also` channels it is for, from 1; 0: the first, else a fallback"),
    ] = 0
    returned: Annotated[
        Returned | None,
        Field(description="Its mail came back: it goes by the rep's other channels, whatever `channel` says"),
    ] = None

    @property
    def leaves_ms(self) -> int:
        """When it was let go, or, of one whose mail came back, let go again."""
        return self.returned.at_ms if self.returned else self.released_ms

    @property
    def newest(self) -> Brief:
        """The brief that was decided last; they stand in the order of their worth."""
        return max(self.briefs, key=lambda brief: (brief.decided_ms, brief.brief_id))

    @property
    def is_digest(self) -> bool:
        """Tell whether it holds more than one brief."""
        return len(self.briefs) > 1


class OutcomeKind(StrEnum):
    """What became of a delivery, and what the rep did with it or said of it."""

    sent = "sent"
    failed = "failed"
    uncertain = "uncertain"
    bounced = "bounced"  # the mail came back after it was sent
    opened = "opened"
    clicked = "clicked"
    useful = "useful"
    not_useful = "not_useful"
    objection = "objection"
    snoozed = "snoozed"
    call_made = "call_made"
    unsubscribed = "unsubscribed"
    subscribed = "subscribed"

    @property
    def is_end(self) -> bool:
        """Tell whether it says how the sending ended, and not what the rep did."""
        return self in ENDS


ENDS = frozenset({OutcomeKind.sent, OutcomeKind.failed, OutcomeKind.uncertain, OutcomeKind.bounced})


class Outcome(Message):
    """What became of one delivery, or one answer of the rep to it; a failure says why."""

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
    account_ids: Annotated[tuple[Id, ...], Field(description="The accounts of these briefs")] = ()
    text: Annotated[str, Field(max_length=1000, description="The objection as the rep wrote it; outside text")] = ""
    url: Annotated[str, Field(max_length=2000, description="What was clicked")] = ""
    suspected: Annotated[bool, Field(description="It may have been a machine: a scanner, a proxy, a preview")] = False
