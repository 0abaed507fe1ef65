"""What the streams must come to, computed in one go over all events: no state, no joins, no code of the streams."""

from collections import defaultdict
from typing import Any

from schemas.envelope import Envelope
from tests.streams.journeys import CONTACTS

DAY = 86_400_000

SURE = {"site_token": 95, "email_link": 90, "segment": 85, "snowplow": 85, "form": 65}


def canonical(url: str) -> str:
    """Cut fragment and campaign parameters, as the journeys have them."""
    return url.split("#", maxsplit=1)[0].split("?", maxsplit=1)[0]


Sign = dict[str, Any]


def reads_by_account(
    envelopes: list[Envelope], account_of: dict[str, str] = CONTACTS
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return, per account and page view, what can be known of the read."""
    events: dict[str, dict[str, Any]] = {}
    for one in envelopes:
        here = {"visitor_id": one.visitor_id, "at": one.occurred_ms, "network": one.client_network}
        events[one.event.event_id] = one.event.model_dump() | here
    by_visitor: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events.values():
        by_visitor[event["visitor_id"]].append(event)
    signs = {visitor: standing(own) for visitor, own in by_visitor.items()}
    views: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events.values():
        if event["type"] not in {"identify", "withdraw"}:
            views[event["page_view_id"]].append(event)
    accounts: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    newest: dict[str, int] = defaultdict(int)
    for page_view_id, group in views.items():
        visitor = group[0]["visitor_id"]
        begun, ended = min(e["at"] for e in group), max(e["at"] for e in group)
        for account in {account_of[sign["contact_id"]] for sign in signs[visitor]}:
            newest[account] = max(newest[account], ended)
        if signs[visitor]:
            named = at_moment(signs[visitor], begun)
            run = run_of(signs[visitor], named)
            read = one_read(group, named["contact_id"], run[0]["at"])
            sure = max(SURE[sign["method"]] for sign in run)
            accounts[account_of[named["contact_id"]]][page_view_id] = read | {"confidence": sure}
    for account_id, reads in accounts.items():
        kept = {key: read for key, read in reads.items() if read["last_ms"] >= newest[account_id] - 90 * DAY}
        visitors = {views[key][0]["visitor_id"] for key in reads}
        tell_apart(kept, views, {visitor: signs[visitor] for visitor in sorted(visitors)})
        accounts[account_id] = kept
    return {account_id: reads for account_id, reads in accounts.items() if reads}


def standing(own: list[dict[str, Any]]) -> list[Sign]:
    """Return a visitor's signs that nothing takes back, by time."""
    backs = [e for e in own if e["type"] == "withdraw"]

    def stands(sign: Sign) -> bool:
        for back in backs:
            if back["evidence_id"]:
                hit = back["evidence_id"] == sign["event_id"]
            else:
                hit = sign["at"] <= back["at"] and back["contact_id"] in {None, sign["contact_id"]}
            if hit:
                return False
        return True

    signs = [e for e in own if e["type"] == "identify" and stands(e)]
    return sorted(signs, key=lambda e: (e["at"], e["event_id"]))


def at_moment(signs: list[Sign], at: int) -> Sign:
    """Return the last sign up to a moment, else the first of all."""
    return [signs[0], *(sign for sign in signs if sign["at"] <= at)][-1]


def run_of(signs: list[Sign], one: Sign) -> list[Sign]:
    """Return the unbroken run of signs for one contact that a sign stands in."""
    place = next(i for i, sign in enumerate(signs) if sign is one)
    begin = end = place
    while begin and signs[begin - 1]["contact_id"] == one["contact_id"]:
        begin -= 1
    while end + 1 < len(signs) and signs[end + 1]["contact_id"] == one["contact_id"]:
        end += 1
    return signs[begin : end + 1]


def tell_apart(
    reads: dict[str, dict[str, Any]], views: dict[str, list[dict[str, Any]]], signs: dict[str, list[Sign]]
) -> None:
    """Take from a contact the reads of visitors that only a forwarded link can have named so."""
    reads_of: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, read in reads.items():
        reads_of[read["contact_id"], views[key][0]["visitor_id"]].append(key)
    for contact in {read["contact_id"] for read in reads.values()}:
        claims = []
        for visitor, known in signs.items():
            runs = [run_of(known, sign) for sign in known if sign["contact_id"] == contact]
            if runs:
                by_link = all(sign["method"] == "email_link" for run in runs for sign in run)
                claims.append((by_link, min(run[0]["at"] for run in runs), visitor))
        genuine: list[list[str]] = []
        for by_link, _, visitor in sorted(claims):
            theirs = reads_of.get((contact, visitor), [])
            if by_link and any(somebody_else(theirs, other, reads, views) for other in genuine):
                for key in theirs:
                    reads[key] |= {"contact_id": "", "via": contact, "confidence": 40}
            else:
                genuine.append(theirs)


def somebody_else(
    a: list[str], b: list[str], reads: dict[str, dict[str, Any]], views: dict[str, list[dict[str, Any]]]
) -> bool:
    """Tell whether the readers of two lists of page views can't be one."""

    def seen(keys: list[str], what: str) -> set[Any]:
        # What a page view's events disagree on is settled for the greatest.
        each = [max((str(e[what]) for e in views[key] if e.get(what)), default="") for key in keys]
        return {value.partition("-")[0] if what == "lang" else value for value in each if value}

    def apart(what: str) -> bool:
        return bool(seen(a, what) and seen(b, what) and not seen(a, what) & seen(b, what))

    met = False
    for x in (reads[key] for key in a):
        for y in (reads[key] for key in b):
            if max(x["started_ms"], y["started_ms"]) < min(x["last_ms"], y["last_ms"]):
                met = True
                clock = max(x["last_ms"], y["last_ms"]) - min(x["started_ms"], y["started_ms"])
                if x["active_ms"] + y["active_ms"] > clock + 10_000:
                    return True
    return apart("network") and (apart("lang") or (met and apart("viewport")))


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
        "via": "",
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
