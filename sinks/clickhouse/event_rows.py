"""The rows of `events`: one for each envelope of a bundle, and the envelope again from its row.

An envelope stands in its columns alone. What they can't hold exactly, because it is odd or because it is newer than
they are, stands in one more column as JSON, whole.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from schemas.envelope import Bundle, Envelope
from schemas.events import (
    Click,
    Copy,
    Custom,
    EmailClick,
    EmailOpen,
    Event,
    FormSubmit,
    Identify,
    PagePing,
    PageProgress,
    PageView,
    Withdraw,
)
from schemas.urls import canonical_url
from sinks.clickhouse.table import Row, Table, UnreadableRecordError, value_of
from sinks.consumer import Record

canonical = lru_cache(maxsize=10_000)(canonical_url)  # few pages are read by many

DECIMALS = 4
"""So many of a click's position are kept exactly by a Float32; the snippet sends no more."""

# What a column holds when the event has nothing for it. None is the empty string, as no id or address is empty.
_DEFAULTS: Mapping[str, Any] = MappingProxyType({
    "page_view_id": "", "url": "", "url_as_sent": "", "title": "", "referrer": "", "viewport": "", "lang": "",
    "active_ms": 0, "beat_ms": 0, "depth_pct": 0, "bands": {}, "sections": {}, "section_titles": {},
    "left_page": False, "element": "", "text": "", "href": "", "element_x": 0.0, "element_y": 0.0, "page_x": 0.0,
    "page_y": 0.0, "download": False, "outbound": False, "rage": False, "dead": False, "copied_chars": 0,
    "form": "", "fields": {}, "name": "", "contact_id": "", "campaign_id": "", "method": "", "domain": "",
    "evidence_id": "",
})  # fmt: skip
_OF_ENVELOPE = ("visitor_id", "site", "type", "event_id", "happened", "skew_ms", "received", "sent_off_ms")
_LAST = ("automated", "client_network", "kafka_partition", "kafka_offset", "envelope")
_COLUMNS = (*_OF_ENVELOPE, *_DEFAULTS, *_LAST)
_PLACE = {name: place for place, name in enumerate(_COLUMNS)}
_BLANK = [*(None for _ in _OF_ENVELOPE), *_DEFAULTS.values(), *(None for _ in _LAST)]

# Fields that stand in a column as they are, by kind of event: (field, column, of `None` too).
_PAGE = ("page_view_id",)
_PLAIN: dict[type[Any], Mapping[str, str]] = {
    PageView: {name: name for name in (*_PAGE, "title", "referrer", "viewport", "lang")},
    PageProgress: {**{name: name for name in (*_PAGE, "title", "active_ms", "depth_pct")}, "left": "left_page"},
    PagePing: {name: name for name in (*_PAGE, "title", "beat_ms", "depth_pct")},
    Click: {name: name for name in (
        *_PAGE, "element", "text", "href", "element_x", "element_y", "page_x", "page_y", "viewport", "download",
        "outbound", "rage", "dead",
    )},
    Copy: {"page_view_id": "page_view_id", "chars": "copied_chars"},
    FormSubmit: {name: name for name in (*_PAGE, "form", "fields")},
    Custom: {"name": "name"},
    EmailOpen: {name: name for name in ("contact_id", "campaign_id")},
    EmailClick: {name: name for name in ("contact_id", "campaign_id")},
    Identify: {name: name for name in ("contact_id", "method", "campaign_id", "domain")},
    Withdraw: {"evidence_id": "evidence_id", "contact_id": "contact_id", "reason": "text"},
}  # fmt: skip
_OTHERWISE_HELD = {"type", "event_id", "occurred_ms", "url", "bands", "sections"}
_FLOATS = ("element_x", "element_y", "page_x", "page_y")
_KINDS: dict[str, type[Any]] = {kind.model_fields["type"].default: kind for kind in _PLAIN}
_PLACES = {kind: [(field, _PLACE[column]) for field, column in plain.items()] for kind, plain in _PLAIN.items()}
# Fields that a newer contract has, and this table no column for: an event that uses one is kept as JSON.
_UNHELD = {
    kind: {name: kind.model_fields[name].get_default() for name in kind.model_fields.keys() - plain.keys() - _OTHERWISE_HELD}
    for kind, plain in _PLAIN.items()
}  # fmt: skip
_UNHELD_OF_ENVELOPE = {
    name: Envelope.model_fields[name].get_default()
    for name in Envelope.model_fields.keys()
    - {"site", "visitor_id", "sent_ms", "received_ms", "occurred_ms", "event", "automated", "client_network"}
}


def rows(record: Record) -> list[Row]:
    """Return one row per envelope of a bundle."""
    bundle = Bundle.from_bytes(value_of(record))
    return [row_of(envelope, record.partition, record.offset) for envelope in bundle.envelopes]


def parts(record: Record) -> list[Record]:
    """Return a record for each envelope of a bundle that can't be read whole; the record itself if it is none."""
    try:
        envelopes = json.loads(value_of(record))["envelopes"]
        values = [json.dumps({"v": 1, "envelopes": [one]}).encode() for one in envelopes]
    except (ValueError, TypeError, KeyError, UnreadableRecordError):
        return [record]
    return [
        Record(record.topic, record.partition, record.offset, record.key, value, record.timestamp_ms)
        for value in values
    ]


EVENTS = Table("events", _COLUMNS, rows, parts)

STORED_COLUMNS = _COLUMNS
"""What `envelope_of` is to be given, in this order; times in Unix milliseconds."""


def row_of(envelope: Envelope, partition: int, offset: int) -> Row:
    """Return an envelope's row, which stood at a partition and offset of `events`."""
    event = envelope.event
    kind = type(event)
    row = _BLANK.copy()
    skew_ms = envelope.occurred_ms - event.occurred_ms
    row[:8] = (
        envelope.visitor_id, envelope.site, event.type, event.event_id, event.occurred_ms, skew_ms,
        envelope.received_ms, envelope.received_ms - envelope.sent_ms - skew_ms,
    )  # fmt: skip
    for field, place in _PLACES[kind]:
        value = getattr(event, field)
        row[place] = "" if value is None else value
    is_held = _put_the_rest(row, event, envelope)
    row[-5:] = (
        envelope.automated, envelope.client_network or "", partition, offset,
        "" if is_held else envelope.model_dump_json(exclude_none=True),
    )  # fmt: skip
    return tuple(row)


def _put_the_rest(row: list[Any], event: Event, envelope: Envelope) -> bool:
    """Put what is no plain value into its columns; tells whether the columns hold the whole envelope exactly."""
    url = getattr(event, "url", None)
    if url is not None:
        row[_PLACE["url"]] = canonical(url)
        if row[_PLACE["url"]] != url:
            row[_PLACE["url_as_sent"]] = url
    is_held = envelope.client_network != "" and not _unheld(event, envelope)
    if isinstance(event, PageProgress):
        row[_PLACE["bands"]] = dict(enumerate(event.bands))
        row[_PLACE["sections"]] = {each.key: each.active_ms for each in event.sections}
        row[_PLACE["section_titles"]] = {each.key: each.title for each in event.sections}
        is_held = is_held and len(row[_PLACE["sections"]]) == len(event.sections)
    elif isinstance(event, Click):
        is_held = is_held and all(
            getattr(event, name) == round(getattr(event, name), DECIMALS) for name in _FLOATS
        )
    return is_held


def _unheld(event: Event, envelope: Envelope) -> bool:
    """Tell whether a field is used that the table has no column for."""
    return any(getattr(event, name) != default for name, default in _UNHELD[type(event)].items()) or any(
        getattr(envelope, name) != default for name, default in _UNHELD_OF_ENVELOPE.items()
    )


def envelope_of(row: Sequence[Any]) -> Envelope:
    """Return the envelope that a row of `STORED_COLUMNS` was made of.

    Raises:
        pydantic.ValidationError: no envelope makes such a row.
    """
    said = dict(zip(_COLUMNS, row, strict=True))
    if said["envelope"]:
        return Envelope.model_validate_json(said["envelope"])
    return Envelope.model_validate(
        {
            "site": said["site"],
            "visitor_id": said["visitor_id"],
            "sent_ms": said["received"] - said["sent_off_ms"] - said["skew_ms"],
            "received_ms": said["received"],
            "occurred_ms": said["happened"] + said["skew_ms"],
            "event": _event_of(said),
            "automated": said["automated"],
            "client_network": said["client_network"] or None,
        }
    )


def _event_of(said: Mapping[str, Any]) -> dict[str, Any]:
    kind = _KINDS[said["type"]]
    event = {"type": said["type"], "event_id": said["event_id"], "occurred_ms": said["happened"]}
    optional = kind.model_fields
    for field, column in _PLAIN[kind].items():
        value = said[column]
        event[field] = None if value == "" and optional[field].default is None else value
    if "url" in kind.model_fields:
        event["url"] = said["url_as_sent"] or said["url"] or None
    if kind is PageProgress:
        bands, titles = said["bands"], said["section_titles"]
        event["bands"] = tuple(bands[place] for place in range(len(bands)))
        event["sections"] = [
            {"key": key, "title": titles[key], "active_ms": active_ms} for key, active_ms in said["sections"].items()
        ]
    elif kind is Click:
        event |= {name: round(event[name], DECIMALS) for name in _FLOATS}
    return event
