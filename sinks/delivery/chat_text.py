"""A message as short Markdown for chat, within a limit of bytes, reading well as plain text too."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sinks.delivery.document import Line, MessageDocument, Section
from sinks.delivery.outside_text import clipped, one_line, without_calls

# WeCom takes 4,096 bytes of UTF-8, the least of the known services; the rest is left for what a service adds.
MAX_CHAT_BYTES = 3_500
_MAX_TEXT = 240
_MAX_URL = 300
_ACTIVE = re.compile(r"[\\`*_\[\]<>~]|&(?=#?\w+;)")
_HIDDEN_COUNT = 9_999


def markdown(text: str) -> str:
    """Return outside text as Markdown that shows just that text: no markup, mention or link comes of it."""
    line = without_calls(clipped(text, _MAX_TEXT))
    return _ACTIVE.sub(lambda found: "\\" + found[0], line)


def markdown_link(text: str, url: str | None) -> str:
    """Return a Markdown link to a checked address; the text alone if there is none, or it is too long for chat."""
    if url is None or len(url.encode()) > _MAX_URL:
        return markdown(text)
    safe = url.replace("(", "%28").replace(")", "%29").replace("[", "%5B").replace("]", "%5D")
    return f"[{markdown(text)}]({safe})"


@dataclass(frozen=True, eq=False)
class _Item:
    """What is told whole or not at all; the lower the rank, the more it matters. Two with the same text are two."""

    rank: int
    brief: int
    text: str


def chat_of(message: MessageDocument, limit: int = MAX_CHAT_BYTES) -> str:
    """Return the message for chat, without its headline, in at most `limit` bytes together with it.

    What matters less is left out first, always by whole items, and the last line says how many are missing.
    """
    items = list(_items(message))
    kept = _fitting(items, limit - len(markdown(message.headline).encode()) * 2, message.more)
    lines = [item.text for item in items if item in kept]
    if len(kept) < len(items):
        lines.append("\n" + message.more.replace("{n}", str(len(items) - len(kept))))
    return "\n".join(lines).strip()


def _fitting(items: list[_Item], budget: int, more: str) -> set[_Item]:
    spare = budget - len(more.replace("{n}", str(_HIDDEN_COUNT)).encode()) - 2
    kept: set[_Item] = set()
    for item in sorted(items, key=lambda item: (item.rank, item.brief)):
        spare -= len(item.text.encode()) + 1
        if spare < 0:
            break
        kept.add(item)
    return kept


def _items(message: MessageDocument) -> Iterator[_Item]:
    for index, brief in enumerate(message.briefs):
        if message.is_digest:
            yield _Item(-1, index, f"\n**{markdown(brief.headline.text)}**")
        for section in brief.sections:
            yield from (_Item(section.rank, index, text) for text in _section(section))


def _section(section: Section) -> Iterator[str]:
    """Yield a section's items; the title goes with the first, after a blank line so that no list swallows it."""
    label = f"\n**{markdown(section.title)}**\n"
    for number, line in enumerate(section.lines):
        yield ("" if number else label) + "- " + _line(line)


def _line(line: Line) -> str:
    text, title = one_line(line.text), one_line(line.link_text)
    before, found, after = text.partition(title) if line.url and title else (text, "", "")
    said = (markdown(before) if before else "") + (markdown_link(found, line.url) if found else "")
    # Escaping trims, and what follows a title begins with its own space where the language has one.
    said += (" " if after.startswith(" ") else "") + markdown(after) if after else ""
    return " · ".join([said, *(markdown(each.text) for each in line.detail)])
