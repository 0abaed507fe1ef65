"""The report of the benchmarks: ten events of one page view, as the snippet sends them."""

import json
import time
from typing import Any

SITE = "www"
ORIGIN = "https://www.example.com"
VISITOR = "000000000000"

_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
_URL = f"{ORIGIN}/guides/cost-of-standstill?utm_source=newsletter#pumps"


def report() -> dict[str, Any]:
    """Return a report with a page view, six progress beacons and three clicks."""
    now_ms = time.time_ns() // 1_000_000
    page = {"occurred_ms": now_ms, "page_view_id": "pv-4711", "url": _URL}
    view = {
        **page, "type": "page_view", "event_id": "e-0", "title": "What an hour of standstill costs",
        "referrer": "https://mail.example.com/", "viewport": "desktop", "lang": "en-GB",
    }  # fmt: skip
    progress = [
        {
            **page, "type": "page_progress", "event_id": f"e-{number}", "title": "What an hour of standstill costs",
            "active_ms": 5000 * number, "depth_pct": 12 * number, "bands": [number * 400] * 10,
            "sections": [
                {"key": f"section-{each}", "title": f"Section number {each}", "active_ms": 900} for each in range(4)
            ],
        }
        for number in range(1, 7)
    ]  # fmt: skip
    clicks = [
        {
            **page, "type": "click", "event_id": f"e-{number}", "element": "main > p > a.more", "text": "Read on",
            "href": f"{ORIGIN}/pricing", "element_x": 0.25, "element_y": 0.5, "page_x": 0.4, "page_y": 0.31,
        }
        for number in range(7, 10)
    ]  # fmt: skip
    return {"v": 1, "site": SITE, "visitor_id": VISITOR, "sent_ms": now_ms, "events": [view, *progress, *clicks]}


def request_parts(port: int) -> tuple[bytes, bytes]:
    """Return a request's bytes before and after the visitor's id, which has twelve characters."""
    body = json.dumps(report(), separators=(",", ":")).encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {ORIGIN}\r\nUser-Agent: {_AGENT}\r\n"
        f"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    before, _, after = body.partition(VISITOR.encode())
    return head + before, after
