"""What the streams must come to, computed in one go over all events: no state, no joins, no code of the streams."""

from collections import defaultdict
from typing import Any

from schemas.envelope import Envelope
from tests.streams.journeys import CONTACTS

DAY = 86_400_000


def canonical(url: str) -> str:
    """Cut fragment and campaign parameters, as the journeys have them."""
    return url.split("#", maxsplit=1)[0].split("?", maxsplit=1)[0]


def contact_of(events: list[Envelope]) -> dict[str, tuple[str, int]]:
    """Return contact and time of evidence per visitor."""
    return {e.visitor_id: (e.event.contact_id, e.occurred_ms) for e in events if e.event.type == "identify"}


def reads_by_account(events: list[Envelope]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return, per account and page view, what can be known of the read."""
    known = contact_of(events)
    groups: dict[str, list[Envelope]] = defaultdict(list)
    for one in {e.event.event_id: e for e in events}.values():
        if one.event.type != "identify":
            groups[one.event.page_view_id].append(one)
    accounts: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for page_view_id, group in groups.items():
        visitor = group[0].visitor_id
        if visitor not in known:
            continue
        contact, since = known[visitor]
        progress = [e for e in group if e.event.type == "page_progress"]
        # Counters only grow, so the one that happened last holds them all.
        last = max(progress, key=lambda e: (e.occurred_ms, e.event.event_id), default=None)
        accounts[CONTACTS[contact]][page_view_id] = {
            "contact_id": contact,
            "url": canonical(group[0].event.url),
            "started_ms": min(e.occurred_ms for e in group),
            "last_ms": max(e.occurred_ms for e in group),
            "left_ms": max((e.occurred_ms for e in progress if e.event.left), default=0),
            "active_ms": last.event.active_ms if last else 0,
            "depth_pct": last.event.depth_pct if last else 0,
            "bands": last.event.bands if last else (0,) * 10,
            "sections": {s.key: s.active_ms for s in last.event.sections} if last else {},
            "clicks": {e.event.event_id for e in group if e.event.type == "click"},
            "forms": {e.event.form for e in group if e.event.type == "form_submit"},
            "known": any(e.occurred_ms >= since for e in group),
        }
    for account_id, reads in accounts.items():
        newest = max(read["last_ms"] for read in reads.values())
        accounts[account_id] = {key: read for key, read in reads.items() if read["last_ms"] >= newest - 90 * DAY}
    return accounts


def topic_minutes(reads: dict[str, dict[str, Any]], now_ms: int, half_life_days: float) -> dict[str, float]:
    """Return the weight of each topic: minutes read, at most twice the expected minute, halved per half-life."""
    weights: dict[str, float] = defaultdict(float)
    for read in reads.values():
        path = read["url"].removeprefix("https://www.example.com")
        if path == "/unlisted" or not read["active_ms"]:
            continue
        age_days = max(0, now_ms - read["last_ms"]) / DAY
        minutes = min(read["active_ms"] / 60_000, 2.0) * 0.5 ** (age_days / half_life_days)
        weights["sensors"] += minutes
        weights[path[1:]] += minutes
    return weights
