"""The little that decides whether an envelope concerns anybody known, read without reading the rest.

Nine of ten events are of people nobody knows. Whole envelopes are read for the others alone.
"""

from typing import Literal

import msgspec


class EventHead(msgspec.Struct):
    """What kind of event it is."""

    type: str


class EnvelopeHead(msgspec.Struct):
    """Whose event it is, of what kind, and from where."""

    visitor_id: str
    event: EventHead
    automated: bool = False
    client_network: str | None = None


class _Bundle(msgspec.Struct):
    envelopes: tuple[msgspec.Raw, ...]
    v: Literal[1] = 1


_BUNDLE = msgspec.json.Decoder(_Bundle)
_HEAD = msgspec.json.Decoder(EnvelopeHead)


def envelopes_in(bundle: bytes) -> list[tuple[EnvelopeHead, msgspec.Raw]]:
    """Return the envelopes of a `Bundle` as they stand in it, each with its head.

    Raises:
        msgspec.MsgspecError: it is no bundle; the error names the field.
    """
    return [(_HEAD.decode(raw), raw) for raw in _BUNDLE.decode(bundle).envelopes]
