"""The little of an envelope that a stage asks for, read without building the rest.

Nine of ten events are of people nobody knows. So who did what, and when, is read in one pass over the bundle; what
known people did goes on as it came.
"""

from typing import Annotated, Literal, get_args

import msgspec

from schemas.envelope import Envelope
from schemas.events import Identify, IdentifyMethod
from schemas.message import MAX_UNIX_MS, Id


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


# In Python, unlike in pydantic, $ lets a line break follow.
_Id = Annotated[str, msgspec.Meta(pattern=get_args(Id)[1].pattern.removesuffix("$") + r"\Z")]
_UnixMs = Annotated[int, msgspec.Meta(ge=0, le=MAX_UNIX_MS)]


class _Named(msgspec.Struct, gc=False):
    type: Literal["identify"]
    event_id: _Id
    occurred_ms: _UnixMs
    contact_id: _Id
    method: IdentifyMethod
    campaign_id: _Id | None = None
    domain: None = None


class _Naming(msgspec.Struct, gc=False):
    site: _Id
    visitor_id: _Id
    sent_ms: _UnixMs
    received_ms: _UnixMs
    occurred_ms: _UnixMs
    event: _Named
    automated: bool = False
    client_network: None = None


_HEADS = msgspec.json.Decoder(_Heads)
_RAWS = msgspec.json.Decoder(_Raws)
_NAMING = msgspec.json.Decoder(_Naming)


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


def envelope_in(raw: msgspec.Raw) -> Envelope:
    """Return all of an envelope.

    Most that are asked for say who came by a link, so these are read without the models, which have the last word.

    Raises:
        pydantic.ValidationError: it is none; the error names the field.
    """
    try:
        said = _NAMING.decode(raw)
    except msgspec.ValidationError:
        return Envelope.model_validate_json(bytes(raw))
    event = Identify.made(**{name: getattr(said.event, name) for name in _Named.__struct_fields__})
    others = {name: getattr(said, name) for name in _Naming.__struct_fields__}
    return Envelope.made(**(others | {"event": event}))
