"""The little of an envelope that a stage asks for, read without building the rest.

Nine of ten events are of people nobody knows: of those, who and what is read in one pass over the bundle. Of what
known people read, the visitors' stage needs when it was and of which page view; the envelope goes on as it came.
"""

from typing import Literal

import msgspec


class EventHead(msgspec.Struct, gc=False):
    """What kind of event it is."""

    type: str


class EnvelopeHead(msgspec.Struct, gc=False):
    """Whose event it is, of what kind, and from where."""

    visitor_id: str
    event: EventHead
    automated: bool = False
    client_network: str | None = None


class GlancedEvent(msgspec.Struct, gc=False):
    """Which page view an event belongs to, if it does to any."""

    page_view_id: str | None = None


class Glance(msgspec.Struct, gc=False):
    """When and where a visitor was seen doing something that does not say who it is."""

    occurred_ms: int
    event: GlancedEvent
    client_network: str | None = None


class _Heads(msgspec.Struct):
    envelopes: tuple[EnvelopeHead, ...]
    v: Literal[1] = 1


class _Raws(msgspec.Struct):
    envelopes: tuple[msgspec.Raw, ...]
    v: Literal[1] = 1


_HEADS = msgspec.json.Decoder(_Heads)
_RAWS = msgspec.json.Decoder(_Raws)
_GLANCE = msgspec.json.Decoder(Glance)


def heads_in(bundle: bytes) -> tuple[EnvelopeHead, ...]:
    """Return the heads of a `Bundle`'s envelopes.

    Raises:
        msgspec.MsgspecError: it is no bundle; the error names the field.
    """
    return _HEADS.decode(bundle).envelopes


def envelopes_in(bundle: bytes) -> tuple[msgspec.Raw, ...]:
    """Return the envelopes of a `Bundle` as they stand in it.

    Raises:
        msgspec.MsgspecError: it is no bundle; the error names the field.
    """
    return _RAWS.decode(bundle).envelopes


def glance_at(envelope: msgspec.Raw) -> Glance:
    """Return what an envelope says of when and where.

    Raises:
        msgspec.MsgspecError: it is no envelope; the error names the field.
    """
    return _GLANCE.decode(envelope)
