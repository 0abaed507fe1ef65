"""Reads as a join-semilattice: an event that comes twice, late or out of order changes nothing it should not.

`read_of` makes a read of a single event; `join` is idempotent, commutative and associative. Counters join by max,
sets by union (bounded by keeping the smallest keys, which is a join too), first and last times by min and max.
Page pings are no totals: they are a set, and the active time is at least their sum, which only grows with the set.
The reader is whoever the earliest event belongs to, until `attribution` says better.
"""

from collections.abc import Iterable
from typing import TypeVar

from schemas.activity import ActivityItem
from schemas.events import BANDS, Click, Copy, FormSubmit, PagePing, PageProgress, PageView
from schemas.reads import ClickMark, Read
from schemas.urls import canonical_url

MAX_KEYS = 100
MAX_BEATS = 1000
MAX_HREF = 300  # characters; with the bounds of events, no read comes near what a broker takes
PASSED_BY_FROM_MS = 20_000
PASSED_BY_BELOW_MS = 2_000

_DEFAULTS: dict[str, object] = {
    name: field.get_default(call_default_factory=True, validated_data={}) for name, field in Read.model_fields.items()
}
"""Of a read's fields, in their order; the mappings among them are shared, as nobody changes a read's."""

V = TypeVar("V")
W = TypeVar("W", int, str)


def read_of(item: ActivityItem) -> Read | None:
    """Return what one event of a known person says about its page view, or None if it has none."""
    envelope = item.envelope
    event = envelope.event
    if not isinstance(event, PageView | PageProgress | PagePing | Click | Copy | FormSubmit):
        return None
    said: dict[str, object] = {}
    match event:
        case PageView():
            said = {"title": event.title, "viewport": event.viewport, "lang": event.lang}
        case PageProgress():
            said = {
                "title": event.title,
                "active_ms": event.active_ms,
                "depth_pct": event.depth_pct,
                "bands": event.bands or (0,) * BANDS,
                "sections": {section.key: section.active_ms for section in event.sections},
                "section_titles": {section.key: section.title for section in event.sections},
                "left_ms": envelope.occurred_ms if event.left else 0,
            }
        case PagePing():
            said = {
                "title": event.title,
                "active_ms": event.beat_ms,
                "beats": {event.event_id: event.beat_ms},
                "depth_pct": event.depth_pct,
            }
        case Click():
            mark = ClickMark(element=event.element, text=event.text, href=event.href[:MAX_HREF])
            said = {"clicks": {event.event_id: mark}}
        case FormSubmit():
            said = {"submitted_forms": frozenset((event.form,))}
    return made(
        page_view_id=event.page_view_id,
        visitor_id=envelope.visitor_id,
        site=envelope.site,
        contact_id=item.contact_id,
        url=canonical_url(event.url),
        started_ms=envelope.occurred_ms,
        last_ms=envelope.occurred_ms,
        known=item.known,
        network=envelope.client_network or "",
        **said,
    )


def made(**said: object) -> Read:
    """Return the read of an event whose values its own models have checked; it says all that has no default."""
    return Read.trusted({**_DEFAULTS, **said})


def join(a: Read, b: Read) -> Read:
    """Return the least read that holds what both say of one page view."""
    # Run for each event: what both have alike is not worked out, and what most reads have not is not looked at.
    first = _first(a, b)
    beats = _longest({**a.beats, **b.beats}) if a.beats or b.beats else a.beats
    return first.but(
        title=max(a.title, b.title),
        viewport=max(a.viewport, b.viewport) if a.viewport and b.viewport else a.viewport or b.viewport,
        lang=max(a.lang, b.lang),
        network=max(a.network, b.network),
        last_ms=max(a.last_ms, b.last_ms),
        left_ms=max(a.left_ms, b.left_ms),
        active_ms=max(a.active_ms, b.active_ms, sum(beats.values())),
        beats=beats,
        depth_pct=max(a.depth_pct, b.depth_pct),
        bands=tuple(map(max, a.bands, b.bands)),
        sections=max_by_key(a.sections, b.sections),
        section_titles=max_by_key(a.section_titles, b.section_titles),
        clicks=_bounded({**a.clicks, **b.clicks}) if a.clicks or b.clicks else a.clicks,
        submitted_forms=_smallest(a.submitted_forms, b.submitted_forms),
        known=a.known or b.known,
    )


def _first(a: Read, b: Read) -> Read:
    if a.started_ms != b.started_ms:
        return a if a.started_ms < b.started_ms else b
    return min(a, b, key=lambda read: (read.visitor_id, read.site, read.url, read.contact_id))


def _smallest(a: frozenset[str], b: frozenset[str]) -> frozenset[str]:
    return frozenset(sorted(a | b)[:MAX_KEYS]) if a or b else a


def join_all(reads: dict[str, Read], new: Iterable[Read]) -> dict[str, Read]:
    """Return the reads by page view with new ones joined in."""
    joined = dict(reads)
    for read in new:
        known = joined.get(read.page_view_id)
        joined[read.page_view_id] = join(known, read) if known else read
    return joined


def longest_section(read: Read, page_title: str = "") -> tuple[str, int]:
    """Return title and active milliseconds of the section read longest; ("", 0) if none was.

    A section named as the page is its beginning, and to have lingered there says nothing.
    """
    titles = {key: read.section_titles.get(key) or key for key, ms in read.sections.items() if ms}
    named = [key for key, title in titles.items() if title != page_title]
    if not named:
        return "", 0
    key = max(named, key=lambda name: (read.sections[name], name))
    return titles[key], read.sections[key]


def passed_by(read: Read, page_title: str = "") -> tuple[str, ...]:
    """Return the titles of sections that got hardly any of a read's time; none if nothing was read for long.

    A section that was never in view counts if its page told of it: who stops before the terms has not read them.
    """
    if read.active_ms < PASSED_BY_FROM_MS:
        return ()
    limit_ms = min(PASSED_BY_BELOW_MS, read.active_ms // 20)
    keys = [key for key in read.sections if read.sections[key] < limit_ms]
    titles = (read.section_titles.get(key) or key for key in keys)
    return tuple(dict.fromkeys(title for title in titles if title != page_title))


def max_by_key(a: dict[str, W], b: dict[str, W]) -> dict[str, W]:
    """Return what either says of each key, and of what both say, the larger; of too many keys, the smallest."""
    if a == b or not b:
        return a
    if not a:
        return b
    if a.keys() == b.keys():
        return {key: value if value > (other := b[key]) else other for key, value in a.items()}
    return _bounded({key: max(m[key] for m in (a, b) if key in m) for key in a.keys() | b.keys()})


def _longest(beats: dict[str, int]) -> dict[str, int]:
    """Bound the pings by keeping the longest, so that their sum never shrinks."""
    kept = sorted(beats, key=lambda event_id: (-beats[event_id], event_id))[:MAX_BEATS]
    return {event_id: beats[event_id] for event_id in sorted(kept)}


def _bounded(mapping: dict[str, V]) -> dict[str, V]:
    return {key: mapping[key] for key in sorted(mapping)[:MAX_KEYS]}
