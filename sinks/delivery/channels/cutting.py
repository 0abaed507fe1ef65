"""Cuts a message to what a channel takes: whole lines go, the least first, and the message says how many."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from sinks.delivery.document import BriefDocument, Line, MessageDocument, Section

P = TypeVar("P")

_HEADLINE, _BUTTONS, _LINE, _DETAIL = range(4)
_BUTTON_RANK = 2  # in a digest; a single brief keeps its buttons before any line


@dataclass(frozen=True, order=True)
class _Place:
    """Where a line stands; what is less in this order is kept longer, and a parent is always less than its details."""

    rank: int
    kind: int
    brief: int
    section: int = 0
    line: int = 0
    detail: int = 0


def cut(document: MessageDocument, render: Callable[[MessageDocument, str], P], fits: Callable[[P], bool]) -> P:
    """Return the message rendered with as many lines as fit; `render` is given what to say of the missing ones.

    A message of which not even the headline fits is rendered with the headline alone.
    """
    places = sorted(_places(document))

    def with_first(count: int) -> P:
        kept = frozenset(places[:count])
        missing = sum(place.kind != _BUTTONS for place in places[count:])
        return render(_only(document, kept), more(document, missing) if missing else "")

    whole = with_first(len(places))
    if fits(whole):
        return whole
    few, many = 0, len(places) - 1
    while few < many:
        middle = (few + many + 1) // 2
        few, many = (middle, many) if fits(with_first(middle)) else (few, middle - 1)
    return with_first(few)


def more(document: MessageDocument, missing: int) -> str:
    """Say how many lines are missing."""
    return document.more.replace("{n}", str(missing)) or f"… +{missing}"


def _places(document: MessageDocument) -> Iterator[_Place]:
    for number, brief in enumerate(document.briefs):
        if document.is_digest:
            yield _Place(-2, _HEADLINE, number)
        if brief.buttons:
            yield _Place(_BUTTON_RANK if document.is_digest else -1, _BUTTONS, number)
        for at, section in enumerate(brief.sections):
            for line_at, line in enumerate(section.lines):
                yield _Place(section.rank, _LINE, number, at, line_at)
                yield from (
                    _Place(section.rank, _DETAIL, number, at, line_at, each) for each in range(len(line.detail))
                )


def _only(document: MessageDocument, kept: frozenset[_Place]) -> MessageDocument:
    briefs = [
        _brief(document, number, brief, kept)
        for number, brief in enumerate(document.briefs)
        if not document.is_digest or _Place(-2, _HEADLINE, number) in kept
    ]
    return replace(document, briefs=tuple(briefs))


def _brief(document: MessageDocument, number: int, brief: BriefDocument, kept: frozenset[_Place]) -> BriefDocument:
    buttons = _Place(_BUTTON_RANK if document.is_digest else -1, _BUTTONS, number)
    sections = (_section(number, at, section, kept) for at, section in enumerate(brief.sections))
    return replace(
        brief,
        buttons=brief.buttons if buttons in kept else (),
        sections=tuple(section for section in sections if section.lines),
    )


def _section(number: int, at: int, section: Section, kept: frozenset[_Place]) -> Section:
    lines: list[Line] = []
    for line_at, line in enumerate(section.lines):
        if _Place(section.rank, _LINE, number, at, line_at) in kept:
            detail = [
                each
                for detail_at, each in enumerate(line.detail)
                if _Place(section.rank, _DETAIL, number, at, line_at, detail_at) in kept
            ]
            lines.append(replace(line, detail=tuple(detail)))
    return replace(section, lines=tuple(lines))
