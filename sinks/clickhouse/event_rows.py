"""The rows of `events`: one for each envelope of a bundle, and the whole envelope beside its columns."""

from functools import lru_cache
from typing import Any

from schemas.envelope import Bundle, Envelope
from schemas.events import (
    Click,
    Copy,
    Custom,
    EmailBounce,
    EmailClick,
    EmailComplaint,
    EmailDelivered,
    EmailOpen,
    EmailUnsubscribe,
    Event,
    FormSubmit,
    Identify,
    PagePing,
    PageProgress,
    PageView,
    Withdraw,
)
from schemas.urls import canonical_url
from sinks.clickhouse.table import Row, Table, value_of
from sinks.consumer import Record

_canonical = lru_cache(maxsize=10_000)(canonical_url)  # few pages are read by many

# What a column holds when the event has nothing for it.
_SAID_BY_EVENT: dict[str, Any] = {
    "page_view_id": "",
    "url": "",
    "title": "",
    "referrer": "",
    "viewport": "",
    "active_ms": 0,
    "beat_ms": 0,
    "depth_pct": 0,
    "bands": {},
    "sections": {},
    "section_titles": {},
    "left_page": False,
    "element": "",
    "text": "",
    "href": "",
    "element_x": 0.0,
    "element_y": 0.0,
    "page_x": 0.0,
    "page_y": 0.0,
    "download": False,
    "outbound": False,
    "rage": False,
    "dead": False,
    "copied_chars": 0,
    "form": "",
    "name": "",
    "contact_id": "",
    "campaign_id": "",
    "method": "",
    "domain": "",
}
_SAID_BY_ENVELOPE = ("visitor_id", "site", "event_id", "type", "occurred", "received")
_SAID_BY_RECORD = ("kafka_partition", "kafka_offset", "envelope")
_SAID_OF_CLIENT = ("automated", "client_network")


def rows(record: Record) -> list[Row]:
    """Return one row per envelope of a bundle."""
    bundle = Bundle.from_bytes(value_of(record))
    return [_row(envelope, record.partition, record.offset) for envelope in bundle.envelopes]


EVENTS = Table("events", (*_SAID_BY_ENVELOPE, *_SAID_BY_EVENT, *_SAID_BY_RECORD, *_SAID_OF_CLIENT), rows)


def _row(envelope: Envelope, partition: int, offset: int) -> Row:
    event = envelope.event
    said = {**_SAID_BY_EVENT, **_said_by(event)}
    return (
        envelope.visitor_id,
        envelope.site,
        event.event_id,
        event.type,
        envelope.occurred_ms,
        envelope.received_ms,
        *said.values(),
        partition,
        offset,
        envelope.model_dump_json(exclude_none=True),
        envelope.automated,
        envelope.client_network or "",
    )


def _said_by(event: Event) -> dict[str, Any]:
    match event:
        case PageView() | PageProgress() | PagePing() | Click() | Copy() | FormSubmit():
            page = {"page_view_id": event.page_view_id, "url": _canonical(event.url)}
            return page | _said_by_page_event(event)
        case Custom():
            return {"name": event.name, "url": _canonical(event.url) if event.url else ""}
        case EmailOpen() | EmailDelivered() | EmailBounce() | EmailComplaint() | EmailUnsubscribe():
            return {"contact_id": event.contact_id, "campaign_id": event.campaign_id}
        case EmailClick():
            return {
                "contact_id": event.contact_id,
                "campaign_id": event.campaign_id,
                "url": _canonical(event.url),
            }
        case Identify():
            return {
                "contact_id": event.contact_id,
                "campaign_id": event.campaign_id or "",
                "method": event.method.value,
                "domain": event.domain or "",
            }
        case Withdraw():
            return {"contact_id": event.contact_id or "", "text": event.reason}


def _said_by_page_event(event: PageView | PageProgress | PagePing | Click | Copy | FormSubmit) -> dict[str, Any]:
    match event:
        case PageView():
            return {"title": event.title, "referrer": event.referrer, "viewport": event.viewport.value}
        case PageProgress():
            return {
                "title": event.title,
                "active_ms": event.active_ms,
                "depth_pct": event.depth_pct,
                "bands": dict(enumerate(event.bands)),
                "sections": {section.key: section.active_ms for section in event.sections},
                "section_titles": {section.key: section.title for section in event.sections},
                "left_page": event.left,
            }
        case PagePing():
            return {"title": event.title, "beat_ms": event.beat_ms, "depth_pct": event.depth_pct}
        case Click():
            return {
                "viewport": event.viewport.value,
                "element": event.element,
                "text": event.text,
                "href": event.href,
                "element_x": event.element_x,
                "element_y": event.element_y,
                "page_x": event.page_x,
                "page_y": event.page_y,
                "download": event.download,
                "outbound": event.outbound,
                "rage": event.rage,
                "dead": event.dead,
            }
        case Copy():
            return {"copied_chars": event.chars}
        case FormSubmit():
            return {"form": event.form}
