"""A message as a document without markup: what every channel renders in its own.

The view says a delivery in the rep's language and lays it out here; a channel knows nothing of briefs, only of this.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Line:
    """One sentence or fact, whole: outside text in it is not escaped yet, so whoever renders it escapes.

    `evidence` holds the ids of what it rests on: `event:ID`, `read:ID`, `contact:ID`, `account:ID`, `rep:ID`,
    `content:URL`, `playbook:PATH`, `summary:FIELD` of the account's interest, `brief:FIELD` of the brief. `url` is a
    checked http(s) address that `link_text`, a part of `text`, leads to.
    """

    text: str
    evidence: tuple[str, ...] = ()
    link_text: str = ""
    url: str | None = None
    tel: str = ""
    """A number to dial, `+49305550134;ext=12`, that `link_text` leads to where there is no `url`."""
    lead: str = ""
    """How `text` begins, where that may be set off as a label."""
    bands: tuple[int, ...] = ()
    """Where on a page the attention was: percent of it in each tenth, from the top; empty if that is not known."""
    detail: tuple["Line", ...] = ()


class SectionKind(StrEnum):
    """What a section is about, in the order of the page."""

    correction = "correction"
    why_now = "why_now"
    next_step = "next_step"
    who = "who"
    what = "what"
    email = "email"
    focus = "focus"
    say = "say"
    bring = "bring"
    read_first = "read_first"
    reach = "reach"
    why = "why"


@dataclass(frozen=True)
class Section:
    """Some lines under a title; the lower the rank, the more they matter when a channel has to leave some out."""

    kind: SectionKind
    title: str
    rank: int
    lines: tuple[Line, ...]


class ButtonKind(StrEnum):
    """What a rep can answer to a brief, or open."""

    useful = "useful"
    not_useful = "not_useful"
    objection = "objection"
    snooze = "snooze"
    call_made = "call_made"
    account_page = "account_page"


@dataclass(frozen=True)
class Button:
    """A signed link with its label."""

    kind: ButtonKind
    label: str
    url: str


@dataclass(frozen=True)
class BriefDocument:
    """One brief; `headline` is one clean line."""

    brief_id: str
    account_id: str
    headline: Line
    sections: tuple[Section, ...]
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True)
class MessageDocument:
    """A whole message: one brief, or a digest of several. `language` is a BCP 47 tag, as `zh-Hant`."""

    delivery_id: str
    language: str
    headline: str
    briefs: tuple[BriefDocument, ...]
    more: str = ""
    """What a channel that left lines out says, with `{n}` for their number."""

    def brief(self, brief_id: str) -> BriefDocument:
        """Return one of its briefs."""
        return next(brief for brief in self.briefs if brief.brief_id == brief_id)

    @property
    def is_digest(self) -> bool:
        """Tell whether there is more than one brief."""
        return len(self.briefs) > 1

    def has_headline_of_its_own(self, brief: BriefDocument) -> bool:
        """Tell whether a brief's headline says what the message's does not, as in a digest, cut or not."""
        return self.is_digest or brief.headline.text != self.headline
