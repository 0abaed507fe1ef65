"""What the stages tell each other about known people."""

from typing import Annotated

from pydantic import Field

from schemas.brief import Brief, Trigger
from schemas.certainty import CERTAIN
from schemas.directory import Lifecycle
from schemas.envelope import Envelope
from schemas.events import IdentifyMethod
from schemas.interest import Temperature
from schemas.message import Id, Message, Model, Percent, Reader, UnixMs


class OwnedSpan(Model):
    """A stretch of time in which a visitor was one reader of an account; open-ended if `until_ms` is None."""

    from_ms: UnixMs
    until_ms: UnixMs | None = None
    contact_id: Reader
    method: IdentifyMethod
    evidence_ms: UnixMs
    confidence: Percent = CERTAIN

    def covers(self, at_ms: int) -> bool:
        """Tell whether a moment, in Unix milliseconds, lies in the span."""
        return self.from_ms <= at_ms and (self.until_ms is None or at_ms < self.until_ms)


class Ownership(Model):
    """When one visitor was a reader of one account, as far as is known: of several, the highest rank stands.

    The rank grows with what is known of the visitor; spans in which it was nobody's, or another account's, are missing.
    """

    visitor_id: Id
    facts: Annotated[int, Field(ge=0, description="How many pieces of evidence and withdrawals it rests on")]
    turn: Annotated[int, Field(ge=0, description="Grows with each change; at least the offset of the event that told")]
    changed_ms: Annotated[UnixMs, Field(description="When the newest event it rests on occurred")]
    spans: tuple[OwnedSpan, ...] = ()

    @property
    def rank(self) -> tuple[int, int]:
        """What orders the ownerships of one visitor."""
        return self.facts, self.turn

    def span_at(self, at_ms: int) -> OwnedSpan | None:
        """Return the span that a moment, in Unix milliseconds, lies in; None if the visitor was not the account's."""
        return next((span for span in self.spans if span.covers(at_ms)), None)


class Identified(Message):
    """A visitor became known as a reader of an account, for events from one time up to another.

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
    confidence: Percent = CERTAIN
    withdrawn: Annotated[bool, Field(description="It turned out to be wrong: the span is nobody's, or another's")] = (
        False
    )
    stitch: Annotated[bool, Field(description="The account has not had the visitor's history")] = True
    ownership: Annotated[Ownership | None, Field(description="Goes with the history that is stitched")] = None


class ActivityItem(Model):
    """One event of a known person."""

    contact_id: Reader
    known: Annotated[bool, Field(description="The visitor was known when it happened")] = True
    envelope: Envelope


class Said(Model):
    """Whom a brief named as the reader of a page view, and of what page."""

    contact_id: Reader
    url: str


class Told(Model):
    """What a brief has told already, and whom: the active milliseconds per page view that it reported."""

    brief_id: Id
    rep_id: Id
    decided_ms: UnixMs
    reads: dict[str, int]
    temperature: Temperature | None = None
    lifecycle: Lifecycle | None = None
    forms: Annotated[tuple[Id, ...], Field(description="Forms that it told of")] = ()
    trigger: Trigger | None = None
    said: Annotated[dict[str, Said], Field(description="By page view, of those that it listed")] = Field(
        default_factory=dict
    )
    corrects: Annotated[Reader, Field(description="The brief that it put right; empty if it was news")] = ""


def told_by(brief: Brief) -> Told:
    """Return what a brief has told, for the account to remember."""
    return Told(
        brief_id=brief.brief_id,
        rep_id=brief.rep_id,
        decided_ms=brief.decided_ms,
        reads=brief.told,
        temperature=brief.interest.temperature,
        lifecycle=brief.lifecycle,
        forms=brief.told_forms,
        trigger=brief.trigger,
        said={read.page_view_id: Said(contact_id=read.contact_id, url=read.url) for read in brief.reads},
        corrects=brief.corrects,
    )


class Forgotten(Model):
    """Who is forgotten: nothing an account knows of them stays, as if they had never been."""

    visitors: tuple[Id, ...] = ()
    contacts: tuple[Id, ...] = ()
    page_views: Annotated[tuple[Id, ...], Field(description="What they read, as briefs told of it")] = ()
    account: Annotated[bool, Field(description="The account itself, with all that it has")] = False


class Activity(Message):
    """What known people of one account did: live, stitched from the store, or replayed with what was told."""

    account_id: Id
    items: tuple[ActivityItem, ...] = ()
    owners: Annotated[
        tuple[Ownership, ...],
        Field(description="When the visitors were the account's; a visitor without one is by item"),
    ] = ()
    stitched: Annotated[bool, Field(description="Read back from the store, not live")] = False
    told: tuple[Told, ...] = ()
    emptied_ms: Annotated[
        UnixMs, Field(description="The account was deleted then: what was read before no longer counts")
    ] = 0
    came_ms: Annotated[UnixMs, Field(description="When the oldest of it came into the pipeline; 0: not known")] = 0
    forgotten: Annotated[Forgotten | None, Field(description="Goes before all else in the message")] = None
