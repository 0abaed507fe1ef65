"""The rows of `events`: one for each envelope of a bundle, and the envelope again from its row.

An envelope stands in its columns alone. What they can't hold exactly, because it is odd or because it is newer than
they are, stands in one more column as JSON, whole.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from schemas.envelope import Bundle, Envelope
from schemas.events import Click, PageProgress
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
from sinks.clickhouse.event_shapes import shaped_rows
from sinks.clickhouse.table import Row, Table, UnreadableRecordError, value_of
from sinks.consumer import Record

_PLACE = {name: place for place, name in enumerate(COLUMNS)}
_BLANK = [*(None for _ in OF_ENVELOPE), *DEFAULTS.values(), *(None for _ in LAST)]
_OTHERWISE_HELD = frozenset({"type", "event_id", "occurred_ms"})
_HELD_OF_ENVELOPE = frozenset(
    {"site", "visitor_id", "sent_ms", "received_ms", "occurred_ms", "event", "automated", "client_network"}
)
# By kind of event: which fields stand in which place, and what stands there without them.
_PLACES = {
    name: [(field, _PLACE[column], default_of(kind, field)) for field, column in PLAIN[kind].items()]
    for name, kind in KINDS.items()
}
# Fields that have a column. An event that brings another one, of a newer contract, is kept as JSON too.
_HELD = {
    name: _OTHERWISE_HELD | PLAIN[kind].keys() | ({"url", "bands", "sections"} & kind.model_fields.keys())
    for name, kind in KINDS.items()
}
_URL, _URL_AS_SENT, _BANDS = _PLACE["url"], _PLACE["url_as_sent"], _PLACE["bands"]
_FLOAT_PLACES = tuple(_PLACE[name] for name in FLOATS)
_OF_PAGES = frozenset(
    name
    for name, kind in KINDS.items()
    if kind.model_fields.get("url", None) is not None and kind.model_fields["url"].is_required()
)
_SECTIONS, _SECTION_TITLES = _PLACE["sections"], _PLACE["section_titles"]


def rows(record: Record) -> list[Row]:
    """Return one row per envelope of a bundle.

    What the edge has checked is not checked again: only a bundle that does not look like one is read with care, which
    says what is wrong.
    """
    value = value_of(record)
    usual = shaped_rows(value, record.partition, record.offset)
    return _odd_rows(value, record) if usual is None else usual


def _odd_rows(value: bytes, record: Record) -> list[Row]:
    try:
        bundle = msgspec.json.decode(value)
        if bundle.get("v", 1) == 1:
            return [_row(envelope, record.partition, record.offset) for envelope in bundle["envelopes"]]
    except (ValueError, TypeError, KeyError, AttributeError, msgspec.MsgspecError):
        pass  # said by what follows, field by field
    return [row_of(one, record.partition, record.offset) for one in Bundle.from_bytes(value).envelopes]


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


EVENTS = Table("events", COLUMNS, rows, parts, blank_by_default=True)

STORED_COLUMNS = COLUMNS
"""What `envelope_of` is to be given, in this order; times in Unix milliseconds."""


def row_of(envelope: Envelope, partition: int, offset: int) -> Row:
    """Return an envelope's row, which stood at a partition and offset of `events`."""
    return _row(envelope.model_dump(mode="json", exclude_none=True), partition, offset)


def _row(envelope: dict[str, Any], partition: int, offset: int) -> Row:
    """Return the row of an envelope as it stands in JSON. Raises KeyError, TypeError or the like if it is none."""
    event = envelope["event"]
    kind, own_ms, received_ms = event["type"], event["occurred_ms"], envelope["received_ms"]
    skew_ms = envelope["occurred_ms"] - own_ms
    row = _BLANK.copy()
    row[:8] = (
        envelope["visitor_id"], envelope["site"], kind, event["event_id"], own_ms, skew_ms, received_ms,
        received_ms - envelope["sent_ms"] - skew_ms,
    )  # fmt: skip
    for field, place, default in _PLACES[kind]:
        value = event.get(field, default)
        if value is REQUIRED:
            raise KeyError(field)
        row[place] = "" if value is None else value
    network = envelope.get("client_network")
    is_held = _put_the_rest(row, event) and network != "" and envelope.keys() <= _HELD_OF_ENVELOPE
    row[-5:] = (
        envelope.get("automated", False), network or "", partition, offset,
        "" if is_held else msgspec.json.encode(envelope).decode(),
    )  # fmt: skip
    return tuple(row)


def _put_the_rest(row: list[Any], event: dict[str, Any]) -> bool:
    """Put what is no plain value into its columns; tells whether the columns hold the whole event exactly."""
    kind = event["type"]
    is_held = event.keys() <= _HELD[kind] or _says_no_more(kind, event)
    if url := event.get("url"):
        row[_URL] = canonical(url)
        if row[_URL] != url:
            row[_URL_AS_SENT] = url
    elif kind in _OF_PAGES:
        raise KeyError("url")
    if kind == "page_progress":
        row[_BANDS] = dict(enumerate(event.get("bands", ())))
        sections = event.get("sections", ())
        row[_SECTIONS] = {each["key"]: each["active_ms"] for each in sections}
        row[_SECTION_TITLES] = {each["key"]: each.get("title", "") for each in sections}
        return is_held and len(row[_SECTIONS]) == len(sections)
    if kind == "click":
        return is_held and all(round(row[place], DECIMALS) == row[place] for place in _FLOAT_PLACES)
    return is_held


def _says_no_more(kind: str, event: dict[str, Any]) -> bool:
    """Tell whether all that an event has no column for is what it would be anyway."""
    unheld = event.keys() - _HELD[kind]
    fields = KINDS[kind].model_fields
    return all(name in fields and event[name] == fields[name].default for name in unheld)


def envelope_of(row: Sequence[Any]) -> Envelope:
    """Return the envelope that a row of `STORED_COLUMNS` was made of.

    Raises:
        pydantic.ValidationError: no envelope makes such a row.
    """
    said = dict(zip(COLUMNS, row, strict=True))
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
    kind = KINDS[said["type"]]
    event = {"type": said["type"], "event_id": said["event_id"], "occurred_ms": said["happened"]}
    optional = kind.model_fields
    for field, column in PLAIN[kind].items():
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
        event |= {name: round(event[name], DECIMALS) for name in FLOATS}
    return event
