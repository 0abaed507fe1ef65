"""What the streams must come to, computed in one go over all events: no state, no joins, no code of the streams."""

from collections import defaultdict
from typing import Any

from schemas.envelope import Envelope
from tests.streams.journeys import CONTACTS

DAY = 86_400_000


def canonical(url: str) -> str:
    """Cut fragment and campaign parameters, as the journeys have them."""
    return url.split("#", maxsplit=1)[0].split("?", maxsplit=1)[0]


def reads_by_account(envelopes: list[Envelope]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return, per account and page view, what can be known of the read."""
    events: dict[str, dict[str, Any]] = {}
    for one in envelopes:
        flat = one.event.model_dump() | {"visitor_id": one.visitor_id, "at": one.occurred_ms}
        events[flat["event_id"]] = flat
    known = {e["visitor_id"]: (e["contact_id"], e["at"]) for e in events.values() if e["type"] == "identify"}
    views: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events.values():
        if event["type"] != "identify":
            views[event["page_view_id"]].append(event)
    accounts: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for page_view_id, group in views.items():
        if group[0]["visitor_id"] in known:
            contact, since = known[group[0]["visitor_id"]]
            accounts[CONTACTS[contact]][page_view_id] = one_read(group, contact, since)
    for account_id, reads in accounts.items():
        newest = max(read["last_ms"] for read in reads.values())
        accounts[account_id] = {key: read for key, read in reads.items() if read["last_ms"] >= newest - 90 * DAY}
    return accounts


def one_read(group: list[dict[str, Any]], contact: str, since: int) -> dict[str, Any]:
    """Return what the events of one page view say; counters only grow, so the one that came last holds them all."""
    progress = sorted((e for e in group if e["type"] == "page_progress"), key=lambda e: (e["at"], e["event_id"]))
    nothing: dict[str, Any] = {"active_ms": 0, "depth_pct": 0, "bands": (0,) * 10, "sections": ()}
    last = progress[-1] if progress else nothing
    pings = [e for e in group if e["type"] == "page_ping"]
    return {
        "page_view_id": group[0]["page_view_id"],
        "visitor_id": group[0]["visitor_id"],
        "contact_id": contact,
        "title": max(e.get("title", "") for e in group),
        "url": canonical(group[0]["url"]),
        "started_ms": min(e["at"] for e in group),
        "last_ms": max(e["at"] for e in group),
        "left_ms": max((e["at"] for e in progress if e["left"]), default=0),
        "active_ms": max(last["active_ms"], sum(e["beat_ms"] for e in pings)),
        "depth_pct": max(e["depth_pct"] for e in [last, *pings]),
        "bands": last["bands"],
        "sections": {section["key"]: section["active_ms"] for section in last["sections"]},
        "clicks": {e["event_id"] for e in group if e["type"] == "click"},
        "forms": {e["form"] for e in group if e["type"] == "form_submit"},
        "known": any(e["at"] >= since for e in group),
    }
