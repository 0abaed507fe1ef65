"""What the snippet posts, and what the collector makes of it."""

from typing import Annotated

from pydantic import Field

from schemas.events import Event, ReportedEvent
from schemas.message import Id, Message, Model, UnixMs

MAX_EVENTS_PER_REPORT = 100


class Report(Message):
    """One beacon of the snippet: some events of one visitor of one site."""

    site: Id
    visitor_id: Id
    sent_ms: Annotated[UnixMs, Field(description="The client's clock when the beacon left")]
    events: Annotated[tuple[ReportedEvent, ...], Field(min_length=1, max_length=MAX_EVENTS_PER_REPORT)]


class Envelope(Model):
    """One event as accepted: by which site, of which visitor, and when by the collector's clock."""

    site: Id
    visitor_id: Id
    sent_ms: UnixMs
    received_ms: UnixMs
    occurred_ms: Annotated[
        UnixMs, Field(description="The event's time by the collector's clock: received - (sent - occurred)")
    ]
    event: Event
    automated: Annotated[bool, Field(description="Sent by a known bot or automation: kept, but never briefed")] = False
    client_network: Annotated[
        str | None, Field(max_length=50, description="The client's address, truncated to /24 or /48")
    ] = None


class Bundle(Message):
    """Envelopes of visitors that share a partition, in the order they were accepted."""

    envelopes: tuple[Envelope, ...]
