"""Reads an `Activity`: what most events say goes into reads at once, without building the models in between.

Nearly all that known people do is to open pages and to read on. These two are read into structs; whatever else there
is, or is not as expected, goes to the models, which have the last word.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from schemas.activity import Activity, ActivityItem, Forgotten, Ownership, Told
from schemas.envelope import Envelope
from schemas.events import BANDS, Viewport
from schemas.reads import Read
from schemas.urls import canonical_url
from streams.reading import made, max_by_key, read_of

_NO_BANDS = (0,) * BANDS
_NULL = b"null"


class News(NamedTuple):
    """What an account hears: what was read, all other events whole, whose its visitors are, and what was told."""

    account_id: str
    reads: Sequence[Read] = ()
    items: Sequence[ActivityItem] = ()
    owners: Sequence[Ownership] = ()
    told: Sequence[Told] = ()
    emptied_ms: int = 0
    forgotten: Forgotten | None = None
    """Goes before all the rest."""
    came_ms: int = 0
    """When the oldest of it came into the pipeline; 0 if not known."""


class _Opened(msgspec.Struct, tag="page_view", gc=False):
    page_view_id: str
    url: str
    title: str = ""
    viewport: Viewport = Viewport.desktop
    lang: str = ""


class _Section(msgspec.Struct, gc=False):
    key: str
    active_ms: int
    title: str = ""


class _Progressed(msgspec.Struct, tag="page_progress", gc=False):
    page_view_id: str
    url: str
    active_ms: int
    depth_pct: int
    title: str = ""
    bands: tuple[int, ...] = ()
    sections: tuple[_Section, ...] = ()
    left: bool = False


class _Envelope(msgspec.Struct, gc=False):
    site: str
    visitor_id: str
    occurred_ms: int
    event: _Opened | _Progressed
    client_network: str | None = None


class _Seen(msgspec.Struct, gc=False):
    """Somebody opened a page or read on."""

    contact_id: str
    known: bool
    envelope: _Envelope


class _Item(msgspec.Struct, gc=False):
    contact_id: str
    envelope: msgspec.Raw
    known: bool = True


class _Activity(msgspec.Struct):
    account_id: str
    items: tuple[_Item, ...] = ()
    owners: tuple[msgspec.Raw, ...] = ()
    told: tuple[msgspec.Raw, ...] = ()
    emptied_ms: int = 0
    forgotten: msgspec.Raw = msgspec.Raw(_NULL)
    came_ms: int = 0
    v: Literal[1] = 1


_ACTIVITY = msgspec.json.Decoder(_Activity)
_ENVELOPE = msgspec.json.Decoder(_Envelope)


def news_in(data: bytes) -> News:
    """Return what the bytes of an `Activity` tell.

    Raises:
        pydantic.ValidationError: it is none; the error names the field.
    """
    try:
        said = _ACTIVITY.decode(data)
    except msgspec.MsgspecError:
        return news_of(Activity.from_bytes(data))
    by_view: dict[str, list[_Seen]] = defaultdict(list)
    items = []
    for one in said.items:
        envelope = _plain(one)
        if envelope is None:
            items.append(_whole(one))
        else:
            by_view[envelope.event.page_view_id].append(_Seen(one.contact_id, one.known, envelope))
    reads = [_read_of(seen) for seen in by_view.values()]
    reads += [read for item in items if (read := read_of(item))]
    owners = [_ownership(bytes(raw)) for raw in said.owners]
    told = [Told.model_validate_json(bytes(raw)) for raw in said.told]
    raw = bytes(said.forgotten)
    forgotten = Forgotten.model_validate_json(raw) if raw != _NULL else None
    return News(said.account_id, reads, items, owners, told, said.emptied_ms, forgotten, said.came_ms)


def news_of(activity: Activity) -> News:
    """Return what an activity tells."""
    reads = [read for item in activity.items if (read := read_of(item))]
    return News(
        activity.account_id,
        reads,
        activity.items,
        activity.owners,
        activity.told,
        activity.emptied_ms,
        activity.forgotten,
        activity.came_ms,
    )


def in_turn(news: Sequence[News]) -> list[News]:
    """Return news of one account as one, but for where somebody is forgotten: what came before is, the rest is not."""
    runs: list[list[News]] = []
    for one in news:
        if one.forgotten or not runs:
            runs.append([])
        runs[-1].append(one)
    return [_together(run) for run in runs]


def _together(news: Sequence[News]) -> News:
    if len(news) == 1:
        return news[0]
    return News(
        news[0].account_id,
        [read for one in news for read in one.reads],
        [item for one in news for item in one.items],
        [owner for one in news for owner in one.owners],
        [mark for one in news for mark in one.told],
        max(one.emptied_ms for one in news),
        news[0].forgotten,
        min(one.came_ms for one in news),
    )


def _plain(item: _Item) -> _Envelope | None:
    """Return an event that opened a page or read on; None if it is none of these."""
    try:
        envelope = _ENVELOPE.decode(item.envelope)
    except msgspec.ValidationError:
        return None
    event = envelope.event
    return envelope if isinstance(event, _Opened) or len(event.bands) in {0, BANDS} else None


def _whole(item: _Item) -> ActivityItem:
    envelope = Envelope.model_validate_json(bytes(item.envelope))
    return ActivityItem(contact_id=item.contact_id, known=item.known, envelope=envelope)


def _read_of(seen: Sequence[_Seen]) -> Read:
    """Return what events of one page view say together: the join of the reads that each would make by itself."""
    first = _first(seen)
    # One pass, as nearly all that known people do comes by here.
    title, lang, network, viewport = "", "", "", None
    last_ms = left_ms = active_ms = depth_pct = 0
    bands: list[tuple[int, ...]] = []
    sections: dict[str, int] = {}
    titles: dict[str, str] = {}
    known = False
    for one in seen:
        envelope = one.envelope
        event, at_ms = envelope.event, envelope.occurred_ms
        title, last_ms = max(title, event.title), max(last_ms, at_ms)
        network, known = max(network, envelope.client_network or ""), known or one.known
        if isinstance(event, _Opened):
            viewport = event.viewport if viewport is None else max(viewport, event.viewport)
            lang = max(lang, event.lang)
            continue
        active_ms, depth_pct = max(active_ms, event.active_ms), max(depth_pct, event.depth_pct)
        left_ms = max(left_ms, at_ms) if event.left else left_ms
        if event.bands:
            bands.append(event.bands)
        if event.sections:
            sections = max_by_key(sections, {section.key: section.active_ms for section in event.sections})
            titles = max_by_key(titles, {section.key: section.title for section in event.sections})
    return made(
        page_view_id=first.envelope.event.page_view_id,
        visitor_id=first.envelope.visitor_id,
        site=first.envelope.site,
        contact_id=first.contact_id,
        url=canonical_url(first.envelope.event.url),
        title=title,
        viewport=viewport,
        lang=lang,
        network=network,
        started_ms=first.envelope.occurred_ms,
        last_ms=last_ms,
        left_ms=left_ms,
        active_ms=active_ms,
        depth_pct=depth_pct,
        bands=tuple(map(max, *bands)) if len(bands) > 1 else bands[0] if bands else _NO_BANDS,
        sections=sections,
        section_titles=titles,
        known=known,
    )


def _first(seen: Sequence[_Seen]) -> _Seen:
    began_ms = min([one.envelope.occurred_ms for one in seen])
    earliest = [one for one in seen if one.envelope.occurred_ms == began_ms]
    return min(earliest, key=_order) if len(earliest) > 1 else earliest[0]


def _order(one: _Seen) -> tuple[str, str, str, str]:
    """Return what tells of events of the same moment which one is the first."""
    envelope = one.envelope
    return envelope.visitor_id, envelope.site, canonical_url(envelope.event.url), one.contact_id


@lru_cache(maxsize=20_000)
def _ownership(data: bytes) -> Ownership:
    """Return an ownership, which comes along unchanged with most of what its visitor does."""
    return Ownership.model_validate_json(data)
