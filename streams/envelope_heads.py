"""The little of an envelope that a stage asks for, read without building the rest.

Nine of ten events are of people nobody knows. So who did what, and when, is read in one pass over the bundle; what
known people did goes on as it came.
"""

from typing import Literal

import msgspec


class EventHead(msgspec.Struct, gc=False):
    """What kind of event it is, and of which page view, if it is of any."""

    type: str
    page_view_id: str | None = None


class EnvelopeHead(msgspec.Struct, gc=False):
    """Whose event it is, of what kind, when and from where."""

    visitor_id: str
    occurred_ms: int
    event: EventHead
    automated: bool = False
    client_network: str | None = None


class _Heads(msgspec.Struct):
    envelopes: tuple[EnvelopeHead, ...]
    v: Literal[1] = 1


class _Raws(msgspec.Struct):
    envelopes: tuple[msgspec.Raw, ...]
    v: Literal[1] = 1


_HEADS = msgspec.json.Decoder(_Heads)
_RAWS = msgspec.json.Decoder(_Raws)


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
