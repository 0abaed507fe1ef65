"""The Markdown that WeCom and DingTalk have in common: bold, lists and links, and no way to escape."""

from collections.abc import Iterator

from sinks.delivery.channels.texts import MAX_HEADLINE, full_width, markdown_link, pieces, usable
from sinks.delivery.document import BriefDocument, Line, MessageDocument
from sinks.delivery.outside_text import clipped


def headline_of(document: MessageDocument) -> str:
    """Return the headline, with nothing in it that acts."""
    return full_width(clipped(document.headline, MAX_HEADLINE))


def paragraphs(document: MessageDocument, missing: str, *, with_buttons: bool = True) -> Iterator[str]:
    """Yield the message below its headline, a paragraph at a time."""
    for brief in document.briefs:
        if document.has_headline_of_its_own(brief):
            yield f"**{full_width(clipped(brief.headline.text, MAX_HEADLINE))}**"
        for section in brief.sections:
            title = [f"**{full_width(clipped(section.title, MAX_HEADLINE))}**"] if section.title else []
            yield "\n".join([*title, *(text for line in section.lines for text in _lines(line))])
        if with_buttons and (row := _buttons(brief)):
            yield row
    if missing:
        yield full_width(missing)


def _lines(line: Line) -> Iterator[str]:
    yield "- " + _line(line)
    yield from ("  - " + _line(detail) for detail in line.detail)


def _line(line: Line) -> str:
    parts = ((full_width(text), url) for text, url in pieces(line))
    return "".join(markdown_link(text, url) if url else text for text, url in parts)


def _buttons(brief: BriefDocument) -> str:
    return " | ".join(markdown_link(full_width(label), url) for _, label, url in usable(brief.buttons))
