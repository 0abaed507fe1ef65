"""Reports as a snippet would post them."""

import json
from typing import Any

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
