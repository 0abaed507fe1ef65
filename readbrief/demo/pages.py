"""The pages of the invented company's website: their texts, and the sections that readers can linger in."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from markupsafe import Markup

from readbrief.demo.company_files import COMPANY, rows_of

STAGE_LABELS = {
    "problem": "Why machines stop",
    "solution": "How it works",
    "comparison": "What else there is",
    "price": "What it costs",
    "security": "For your security people",
    "contract": "For your lawyers",
    "onboarding": "Once you have it",
}


@dataclass(frozen=True)
class Section:
    """One headed part of a page; the anchor is empty where the heading has no id."""

    title: str
    anchor: str

    @property
    def key(self) -> str:
        """Return a stable key: the heading's id, or else its text as a slug."""
        return self.anchor or re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Page:
    """One page of the site: a row of `content.csv` with the text that belongs to it."""

    path: str
    title: str
    topics: tuple[str, ...]
    stage: str
    reading_time_s: int
    lede: str
    sections: tuple[Section, ...]
    body: Markup

    @property
    def stage_label(self) -> str:
        """Return how the site names the stage to its visitors."""
        return STAGE_LABELS[self.stage]

    @property
    def headed(self) -> tuple[Section, ...]:
        """Return the sections with the title's own part, which holds the lede, as the first."""
        return (Section(self.title, ""), *self.sections)

    def reached(self, depth_pct: int) -> tuple[Section, ...]:
        """Return the headed parts that a reader has seen who came so far down the page, in percent; one at least."""
        return self.headed[: max(1, round(len(self.headed) * depth_pct / 100))]

    @property
    def minutes(self) -> int:
        """Return the expected reading time in whole minutes, one at least."""
        return max(1, round(self.reading_time_s / 60))


class _Headings(HTMLParser):
    """Collects the second-level headings and the lede of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[Section] = []
        self.lede = ""
        self._anchor = ""
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "h2" or named.get("class") == "lede":
            self._text, self._anchor = [], named.get("id") or ""

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._text is None or tag not in {"h2", "p"}:
            return
        text = " ".join("".join(self._text).split())
        if tag == "h2":
            self.sections.append(Section(text, self._anchor))
        else:
            self.lede = text
        self._text = None


def load_pages() -> dict[str, Page]:
    """Return the site's pages by path, in the order of `content.csv`; the home page is `/`."""
    return {page.path: page for page in map(_page, rows_of("content.csv"))}


def _page(row: dict[str, str]) -> Page:
    name = row["url"].strip("/") or "home"
    text = (COMPANY / "articles" / f"{name}.html").read_text(encoding="utf-8")
    found = _Headings()
    found.feed(text)
    return Page(
        path=row["url"],
        title=row["title"],
        topics=tuple(row["topics"].split(";")),
        stage=row["stage"],
        reading_time_s=int(row["reading_time_s"]),
        lede=found.lede,
        sections=tuple(found.sections),
        body=Markup(text),  # noqa: S704 - the company's own text, shipped with the demo
    )
