"""The little of an envelope that a stage asks for, read without building the rest.

Nine of ten events are of people nobody knows. So one pass over the bundle reads who sent what, and no more; what known
people did is looked at again, and goes on as it came.
"""

from typing import Literal

import msgspec


class _Kind(msgspec.Struct, gc=False):
    type: str


class Sender(msgspec.Struct, gc=False):
    """Whose event it is, of what kind and from where: what tells whether anybody cares."""

    visitor_id: str
    event: _Kind
    automated: bool = False
    client_network: str | None = None


class EventHead(msgspec.Struct, gc=False):
    """What kind of event it is, and of which page view, if it is of any."""

    type: str
    page_view_id: str | None = None


class EnvelopeHead(msgspec.Struct, gc=False):
    """Whose event it is, of what kind, when and from where."""

    visitor_id: str
    occurred_ms: int
    event: EventHead
    client_network: str | None = None


class _Senders(msgspec.Struct):
    envelopes: tuple[Sender, ...]
    v: Literal[1] = 1


class _Raws(msgspec.Struct):
    envelopes: tuple[msgspec.Raw, ...]
    v: Literal[1] = 1


_SENDERS = msgspec.json.Decoder(_Senders)
_HEAD = msgspec.json.Decoder(EnvelopeHead)
_RAWS = msgspec.json.Decoder(_Raws)


def senders_in(bundle: bytes) -> tuple[Sender, ...]:
    """Return who sent a `Bundle`'s envelopes.

    Raises:
        msgspec.MsgspecError: it is no bundle; the error names the field.
    """
    return _SENDERS.decode(bundle).envelopes


def envelopes_in(bundle: bytes) -> tuple[msgspec.Raw, ...]:
    """Return the envelopes of a `Bundle` as they stand in it.

    Raises:
        msgspec.MsgspecError: it is no bundle; the error names the field.
    """
    return _RAWS.decode(bundle).envelopes


def head_of(envelope: msgspec.Raw) -> EnvelopeHead:
    """Return the head of one envelope.

    Raises:
        msgspec.MsgspecError: it is none; the error names the field.
    """
    return _HEAD.decode(envelope)
