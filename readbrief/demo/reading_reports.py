"""What a reader's browser would report: the snippet's messages for a planned visit. Pure.

A visit of minutes is played in seconds: it is laid out backwards from its end, and what lies before the reader's
first live moment comes in the first report, as from a browser that had been cut off. From then on events are live,
so that sessions end when they would end for a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from readbrief.demo.pages import Page
from readbrief.demo.reader_plan import PageRead, Reader
from schemas.envelope import Report
from schemas.events import (
    BANDS,
    Click,
    FormSubmit,
    IdentifyByToken,
    PageProgress,
    PageView,
    ReportedEvent,
    SectionAttention,
)
from schemas.ids import derived_id

_BETWEEN_PAGES_MS = 300
_IDLE_SHARE = 0.08
_LINGER = 3.0


@dataclass(frozen=True)
class Browser:
    """What stays the same in all reports of one reader: the site, its pages, and the run that ids are made for."""

    site: str
    origin: str
    run: str
    pages: Mapping[str, Page]

    def visitor_id(self, reader: Reader) -> str:
        """Return the reader's visitor id in this run."""
        return derived_id("v", self.run, reader.name)


@dataclass(frozen=True)
class _Opening:
    """One page view on the clock: when it was opened and left, in Unix milliseconds."""

    read: PageRead
    page_view_id: str
    opened_ms: int
    left_ms: int


def visit_reports(
    browser: Browser, reader: Reader, reads: Sequence[PageRead], token: str | None, *, starts_ms: int, ends_ms: int
) -> tuple[Report, ...]:
    """Return the reports of a visit that is live between two moments; `sent_ms` says when each is to be sent.

    The first identifies the reader if there is a token, and holds all that lies before the visit's live part.
    """
    openings = _openings(browser, reader, reads, ends_ms)
    moments = (starts_ms, (starts_ms + ends_ms) // 2, ends_ms)
    events = [event for opening in openings for event in _events(browser, reader, opening, moments)]
    if token is not None:
        first_ms = openings[0].opened_ms
        events.insert(
            0, IdentifyByToken(event_id=_id(browser, reader, "id", first_ms), occurred_ms=first_ms, token=token)
        )
    reports = []
    for after_ms, until_ms in pairwise((-1, *moments)):
        due = tuple(event for event in events if after_ms < event.occurred_ms <= until_ms)
        if due:
            visitor_id = browser.visitor_id(reader)
            reports.append(Report(site=browser.site, visitor_id=visitor_id, sent_ms=until_ms, events=due))
    return tuple(reports)


def visit_ms(reads: Iterable[PageRead]) -> int:
    """Return how long a visit takes in a reader's own time, in milliseconds."""
    return sum(_open_ms(read) + _BETWEEN_PAGES_MS for read in reads)


def _open_ms(read: PageRead) -> int:
    return round(read.active_s * 1000 * (1 + _IDLE_SHARE))


def _openings(browser: Browser, reader: Reader, reads: Sequence[PageRead], ends_ms: int) -> list[_Opening]:
    openings: list[_Opening] = []
    left_ms = ends_ms
    for read in reversed(reads):
        opened_ms = left_ms - _open_ms(read)
        page_view_id = _id(browser, reader, read.path, opened_ms)
        openings.insert(0, _Opening(read, page_view_id, opened_ms, left_ms))
        left_ms = opened_ms - _BETWEEN_PAGES_MS
    return openings


def _events(browser: Browser, reader: Reader, opening: _Opening, moments: Sequence[int]) -> list[ReportedEvent]:
    """Return one page view's events in their order: opened, some way, a click or a form, left."""
    page = browser.pages[opening.read.path]
    shared = {"page_view_id": opening.page_view_id, "url": _url(browser, page.path)}

    def at(what: str, occurred_ms: int) -> dict[str, object]:
        return {"event_id": _id(browser, reader, what, occurred_ms), "occurred_ms": occurred_ms, **shared}

    view = at("view", opening.opened_ms)
    events: list[ReportedEvent] = [
        PageView.model_validate({**view, "title": page.title, "viewport": reader.viewport, "lang": reader.language})
    ]
    inside = (moment for moment in moments if opening.opened_ms < moment < opening.left_ms)
    events += [_progress(page, opening, moment, at("progress", moment)) for moment in inside]
    events += _acts(browser, reader, opening, at("act", opening.left_ms - _BETWEEN_PAGES_MS))
    events.append(_progress(page, opening, opening.left_ms, at("left", opening.left_ms)))
    return sorted(events, key=lambda event: event.occurred_ms)


def _acts(browser: Browser, reader: Reader, opening: _Opening, base: dict[str, object]) -> list[ReportedEvent]:
    read = opening.read
    if read.sends_form:
        return [FormSubmit.model_validate({**base, "form": "offer", "fields": {"machines": "26"}})]
    if not read.clicks_to:
        return []
    target = browser.pages[read.clicks_to]
    place = {"element_x": 0.4, "element_y": 0.5, "page_x": 0.3, "page_y": min(0.96, read.depth_pct / 100)}
    words = {"element": f"a.card.stage-{target.stage}", "text": target.title, "href": _url(browser, target.path)}
    return [Click.model_validate({**base, **place, **words, "viewport": reader.viewport})]


def _progress(page: Page, opening: _Opening, moment_ms: int, base: dict[str, object]) -> PageProgress:
    """Return how far a page view has come: it is read from the top down, longer where the reader lingers."""
    read = opening.read
    part = (moment_ms - opening.opened_ms) / (opening.left_ms - opening.opened_ms)
    spent_ms = round(read.active_s * 1000 * part)
    dice = Random(f"{opening.page_view_id} attention")  # noqa: S311 - a demo's dice
    reached = page.reached(read.depth_pct)
    at_section = reached.index(read.lingers_in)
    bands = max(1, -(-read.depth_pct * BANDS // 100))
    at_band = min(bands - 1, at_section * BANDS // len(page.headed))
    in_bands = _poured(spent_ms, _shares(dice, bands, at_band), read.active_s * 1000)
    in_sections = _poured(spent_ms, _shares(dice, len(reached), at_section), read.active_s * 1000)
    seen = sum(1 for each in in_bands if each) * 100 // BANDS
    return PageProgress.model_validate(
        {
            **base,
            "title": page.title,
            "active_ms": spent_ms,
            "depth_pct": read.depth_pct if moment_ms == opening.left_ms else min(read.depth_pct, max(20, seen)),
            "bands": (*in_bands, *(0,) * (BANDS - bands)),
            "sections": tuple(
                SectionAttention(key=section.key, title=section.title, active_ms=ms)
                for section, ms in zip(reached, in_sections, strict=True)
                if ms
            ),
            "left": moment_ms == opening.left_ms,
        }
    )


def _shares(dice: Random, parts: int, lingers_at: int) -> list[float]:
    """Return how attention is shared among parts, in sum 1."""
    weights = [dice.uniform(0.7, 1.3) * (_LINGER if part == lingers_at else 1) for part in range(parts)]
    return [weight / sum(weights) for weight in weights]


def _poured(spent_ms: int, shares: Sequence[float], total_ms: int) -> list[int]:
    """Return the milliseconds spent in each part so far, when each is read through before the next."""
    filled, left_ms = [], spent_ms
    for share in shares:
        ms = min(round(share * total_ms), left_ms)
        filled.append(ms)
        left_ms -= ms
    return filled


def _url(browser: Browser, path: str) -> str:
    return f"{browser.origin}{path}"


def _id(browser: Browser, reader: Reader, what: str, at_ms: int) -> str:
    return derived_id("e", browser.run, reader.name, what, str(at_ms))
