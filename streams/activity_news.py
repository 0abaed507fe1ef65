"""Reads an `Activity`: what most events say goes into reads at once, without building the models in between.

Nearly all that known people do is to open pages and to read on. These two are read into structs; whatever else there
is, or is not as expected, goes to the models, which have the last word.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec
from pydantic import TypeAdapter

from schemas.activity import Activity, ActivityItem, Forgotten, Ownership, Told
from schemas.envelope import Envelope
from schemas.events import BANDS, Viewport
from schemas.reads import Read
from schemas.urls import canonical_url
from streams.reading import made, read_of

_NO_BANDS = (0,) * BANDS
_NULL = msgspec.Raw(b"null")


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
    forgotten: msgspec.Raw = _NULL
    v: Literal[1] = 1


_ACTIVITY = msgspec.json.Decoder(_Activity)
_FORGOTTEN: TypeAdapter[Forgotten | None] = TypeAdapter(Forgotten | None)
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
    reads, items = [], []
    for one in said.items:
        read = _read_in(one)
        if read is None:
            item = ActivityItem(
                contact_id=one.contact_id,
                known=one.known,
                envelope=Envelope.model_validate_json(bytes(one.envelope)),
            )
            items.append(item)
            read = read_of(item)
        if read:
            reads.append(read)
    owners = [_ownership(bytes(raw)) for raw in said.owners]
    told = [Told.model_validate_json(bytes(raw)) for raw in said.told]
    forgotten = _FORGOTTEN.validate_json(bytes(said.forgotten))
    return News(said.account_id, reads, items, owners, told, said.emptied_ms, forgotten)


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
    )


def _read_in(item: _Item) -> Read | None:
    """Return what one event says of its page view; None if it did neither open a page nor read on."""
    try:
        envelope = _ENVELOPE.decode(item.envelope)
    except msgspec.ValidationError:
        return None
    event = envelope.event
    if isinstance(event, _Opened):
        said: dict[str, object] = {"title": event.title, "viewport": event.viewport, "lang": event.lang}
    elif len(event.bands) in {0, BANDS}:
        said = {
            "title": event.title,
            "active_ms": event.active_ms,
            "depth_pct": event.depth_pct,
            "bands": event.bands or _NO_BANDS,
            "sections": {section.key: section.active_ms for section in event.sections},
            "section_titles": {section.key: section.title for section in event.sections},
            "left_ms": envelope.occurred_ms if event.left else 0,
        }
    else:
        return None
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


@lru_cache(maxsize=20_000)
def _ownership(data: bytes) -> Ownership:
    """Return an ownership, which comes along unchanged with most of what its visitor does."""
    return Ownership.model_validate_json(data)
