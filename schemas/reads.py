"""A read: everything known of one page view, joined."""

from typing import Annotated

from pydantic import Field

from schemas.certainty import CERTAIN
from schemas.events import BANDS, IdentifyMethod, Viewport
from schemas.message import Id, Model, Percent, Reader, UnixMs


class ClickMark(Model):
    """A click, as far as a brief needs it."""

    element: str
    text: str = ""
    href: str = ""


class Read(Model):
    """One page view of one visitor, joined from its events; each field is a join of what the events said."""

    page_view_id: Id
    visitor_id: Id
    site: Id
    contact_id: Reader
    via: Annotated[Reader, Field(description="Whose forwarded link an unknown reader followed")] = ""
    method: IdentifyMethod | None = None
    confidence: Annotated[Percent, Field(description="How sure it is that it was this reader")] = CERTAIN
    url: Annotated[str, Field(description="Canonical")]
    title: str = ""
    viewport: Viewport | None = None
    lang: Annotated[str, Field(description="The browser's language; empty if it did not say")] = ""
    network: Annotated[str, Field(description="Where it was read from, truncated; empty if not known")] = ""
    started_ms: UnixMs
    last_ms: UnixMs
    left_ms: Annotated[UnixMs, Field(description="Last moment the page was hidden or closed; 0 if never")] = 0
    active_ms: Annotated[int, Field(ge=0)] = 0
    beats: Annotated[dict[str, int], Field(description="Active ms of each page ping")] = Field(default_factory=dict)
    depth_pct: Percent = 0
    bands: tuple[int, ...] = (0,) * BANDS
    sections: dict[str, int] = Field(default_factory=dict)
    section_titles: dict[str, str] = Field(default_factory=dict)
    clicks: dict[str, ClickMark] = Field(default_factory=dict)
    submitted_forms: frozenset[str] = frozenset()
    known: Annotated[bool, Field(description="The reader was known in at least part of it")] = False
