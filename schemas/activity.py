"""What the stages tell each other about known people."""

from typing import Annotated

from pydantic import Field

from schemas.brief import Brief
from schemas.directory import Lifecycle
from schemas.envelope import Envelope
from schemas.events import IdentifyMethod
from schemas.interest import Temperature
from schemas.message import Id, Message, Model, Reader, UnixMs


class Identified(Message):
    """A visitor became known as a contact of an account, for events from one time up to another.

    `partition` and `offset` are those of the event that told: once the store holds `events` up to there, it
    holds all that the visitor did before.
    """

    visitor_id: Id
    contact_id: Reader
    account_id: Id
    method: IdentifyMethod
    evidence_ms: Annotated[
        UnixMs, Field(description="When the evidence was given; what was read before is newly known")
    ]
    from_ms: UnixMs
    until_ms: UnixMs | None = None
    partition: int
    offset: int


class ActivityItem(Model):
    """One event of a known person."""

    contact_id: Reader
    known: Annotated[bool, Field(description="The visitor was known when it happened")] = True
    envelope: Envelope


class Told(Model):
    """What a brief has told already, and whom: the active milliseconds per page view that it reported."""

    brief_id: Id
    rep_id: Id
    decided_ms: UnixMs
    reads: dict[str, int]
    temperature: Temperature | None = None
    lifecycle: Lifecycle | None = None


def told_by(brief: Brief) -> Told:
    """Return what a brief has told, for the account to remember."""
    return Told(
        brief_id=brief.brief_id,
        rep_id=brief.rep_id,
        decided_ms=brief.decided_ms,
        reads=brief.told,
        temperature=brief.interest.temperature,
        lifecycle=brief.lifecycle,
    )


class Activity(Message):
    """What known people of one account did: live, stitched from the store, or replayed with what was told."""

    account_id: Id
    items: tuple[ActivityItem, ...] = ()
    stitched: Annotated[bool, Field(description="Read back from the store, not live")] = False
    told: tuple[Told, ...] = ()


class Wake(Message):
    """A stage's note to itself: look at this key again, as if it were `due_ms`."""

    key: Id
    due_ms: UnixMs
