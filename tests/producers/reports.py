"""Reports as a snippet would post them."""

import json
from typing import Any

from producers.bundling import bundle_bytes
from producers.envelope_bytes import envelopes_bytes
from producers.intake import Client, read_report
from schemas.envelope import Bundle, Envelope
from schemas.settings import Settings

SENT = 1_750_000_000_000


def progress(event_id: str = "e1", **changes: Any) -> dict[str, Any]:
    return {
        "type": "page_progress",
        "event_id": event_id,
        "occurred_ms": SENT - 1000,
        "page_view_id": "pv1",
        "url": "https://www.example.com/pricing",
        "active_ms": 4200,
        "depth_pct": 60,
        "bands": [420] * 10,
        **changes,
    }


def identify(token: str, event_id: str = "i1") -> dict[str, Any]:
    return {"type": "identify", "event_id": event_id, "occurred_ms": SENT, "token": token}


def report(*events: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "v": 1,
        "site": "www",
        "visitor_id": "v-1",
        "sent_ms": SENT,
        "events": list(events) or [progress()],
        **changes,
    }


def body(content: Any) -> bytes:
    return json.dumps(content).encode()


def envelopes_of(
    data: bytes,
    received_ms: int,
    settings: Settings,
    client: Client = Client(),  # noqa: B008 - it is frozen
) -> tuple[Envelope, ...]:
    """Give what readers of the topic find of a report."""
    envelopes = envelopes_bytes(read_report(data), received_ms, settings, client)
    found = Bundle.from_bytes(bundle_bytes([envelopes.data])).envelopes
    assert len(found) == envelopes.number
    return found
