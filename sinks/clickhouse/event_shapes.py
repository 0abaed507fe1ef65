"""The usual bundle's rows, quickly: read into shapes of exactly the fields that columns hold, and put in their order.

A shape knows no field that its columns don't. What has one, and whatever else is odd, is left to be read with care.
"""

from collections.abc import Callable
from operator import attrgetter, itemgetter
from typing import Any, Literal, NamedTuple, Union

import msgspec
from msgspec.structs import astuple

from sinks.clickhouse.event_columns import (
    COLUMNS,
    DECIMALS,
    DEFAULTS,
    FLOATS,
    KINDS,
    LAST,
    OF_ENVELOPE,
    PLAIN,
    REQUIRED,
    canonical,
    default_of,
)
from sinks.clickhouse.table import Row

_COMPUTED = ("url", "url_as_sent", "bands", "sections", "section_titles")
_GIVEN = (*OF_ENVELOPE, *LAST, *_COMPUTED)
_BLANK = tuple(DEFAULTS.values())


class _Section(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    key: str
    active_ms: int
    title: str = ""


class _Shape(NamedTuple):
    """How a kind's events become rows: `in_order` takes what is given, what is blank and the event's own values."""

    name: str
    has_url: bool
    in_order: Callable[[tuple[Any, ...]], Row]
    unheld: tuple[tuple[str, Any], ...]
    """Fields without a column, and what they are usually."""


_NOT_PLAIN: tuple[tuple[str, Any, Any], ...] = (
    ("url", str, ""),
    ("bands", list[int], []),
    ("sections", list[_Section], []),
)
_ELSEWHERE = frozenset({"type", "event_id", "occurred_ms"}) | {name for name, _, _ in _NOT_PLAIN}


def _unheld(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    names = [name for name in kind.model_fields if name not in _ELSEWHERE and name not in PLAIN[kind]]
    return tuple((name, default_of(kind, name)) for name in names)


def _struct(name: str, kind: type[Any]) -> type[msgspec.Struct]:
    plain = [(field, type(DEFAULTS[column]), default_of(kind, field)) for field, column in PLAIN[kind].items()]
    other = [
        (field, of_type, REQUIRED if kind.model_fields[field].is_required() else blank)
        for field, of_type, blank in _NOT_PLAIN
        if field in kind.model_fields
    ]
    unheld = [(field, type(default), default) for field, default in _unheld(kind)]
    fields: list[Any] = [("event_id", str), ("occurred_ms", int)]
    for field, of_type, default in (*plain, *other, *unheld):
        fields.append((field, of_type) if default is REQUIRED else (field, of_type, default))
    return msgspec.defstruct(
        kind.__name__, fields, tag_field="type", tag=name, kw_only=True, forbid_unknown_fields=True, gc=False
    )


def _shape(name: str, kind: type[Any], struct: type[msgspec.Struct]) -> _Shape:
    columns = [*_GIVEN, *DEFAULTS, *(PLAIN[kind].get(field) for field in struct.__struct_fields__)]
    place = {column: nth for nth, column in enumerate(columns)}  # of a column named twice, the event's own counts
    place |= {column: nth for nth, column in enumerate(_GIVEN)}
    in_order = itemgetter(*(place[column] for column in COLUMNS))
    return _Shape(name, "url" in struct.__struct_fields__, in_order, _unheld(kind))


_STRUCTS = {name: _struct(name, kind) for name, kind in KINDS.items()}
_SHAPES = {struct: _shape(name, KINDS[name], struct) for name, struct in _STRUCTS.items()}
_PROGRESS, _CLICK = _STRUCTS["page_progress"], _STRUCTS["click"]


class _Envelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    site: str
    visitor_id: str
    sent_ms: int
    received_ms: int
    occurred_ms: int
    event: Union[tuple(_STRUCTS.values())]  # type: ignore[valid-type]  # noqa: UP007 - made of what the kinds are
    automated: bool = False
    client_network: str | None = None


class _Bundle(msgspec.Struct, gc=False):
    envelopes: list[_Envelope]
    v: Literal[1] = 1


_NO_ATTENTION: tuple[dict[int, int], dict[str, int], dict[str, str]] = ({}, {}, {})
_positions = attrgetter(*FLOATS)
_decoder = msgspec.json.Decoder(_Bundle)


class _OddError(Exception):
    """The columns can't hold exactly what an envelope says."""


def shaped_rows(value: bytes, partition: int, offset: int) -> list[Row] | None:
    """Return a row of COLUMNS for each envelope of a bundle; None if one of them is to be read with care."""
    try:
        return [_row(envelope, partition, offset) for envelope in _decoder.decode(value).envelopes]
    except (msgspec.MsgspecError, _OddError):
        return None


def _row(envelope: _Envelope, partition: int, offset: int) -> Row:
    event: Any = envelope.event
    kind = type(event)
    shape = _SHAPES[kind]
    url = event.url if shape.has_url else ""
    stored_url = canonical(url) if url else ""
    bands, sections, titles = _attention(event) if kind is _PROGRESS else _NO_ATTENTION
    if (
        envelope.client_network == ""
        or (kind is _CLICK and not all(map(_is_exact, _positions(event))))
        or (shape.unheld and any(getattr(event, name) != usual for name, usual in shape.unheld))
    ):
        raise _OddError
    skew_ms = envelope.occurred_ms - event.occurred_ms
    given = (
        envelope.visitor_id, envelope.site, shape.name, event.event_id, event.occurred_ms, skew_ms,
        envelope.received_ms, envelope.received_ms - envelope.sent_ms - skew_ms,
        envelope.automated, envelope.client_network or "", partition, offset, "",
        stored_url, "" if stored_url == url else url, bands, sections, titles,
    )  # fmt: skip
    return shape.in_order((*given, *_BLANK, *astuple(event)))


def _attention(progress: Any) -> tuple[dict[int, int], dict[str, int], dict[str, str]]:
    sections = {each.key: each.active_ms for each in progress.sections}
    if len(sections) != len(progress.sections):
        raise _OddError
    return dict(enumerate(progress.bands)), sections, {each.key: each.title for each in progress.sections}


def _is_exact(position: float) -> bool:
    return round(position, DECIMALS) == position
