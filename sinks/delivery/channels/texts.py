"""Outside text in the pieces that a channel renders: cut to one line, split where its link is, defused."""

import json
import re
from functools import lru_cache
from typing import Any

from sinks.delivery.document import Button, Line
from sinks.delivery.outside_text import clipped, web_address, without_calls

MAX_HEADLINE = 150
_MAX_LINE = 500
_MAX_LABEL = 60
_MAX_URL = 2_000
_ENTITY = re.compile(r"&(?=#?\w+;)")
# Where backslashes may not escape: the same signs, drawn full width, which no markup knows.
_FULL_WIDTH = str.maketrans({sign: chr(ord(sign) + 0xFEE0) for sign in "<>[]*`\\_~"})
_URL_SIGNS = str.maketrans({"(": "%28", ")": "%29", "[": "%5B", "]": "%5D", "*": "%2A"})


@lru_cache(maxsize=4_096)
def pieces(line: Line) -> tuple[tuple[str, str | None], ...]:
    """Return a line's text in parts, each with the address it leads to, if any."""
    text, linked = clipped(line.text, _MAX_LINE), clipped(line.link_text or line.text, _MAX_LINE)
    url = address(line.url)
    before, found, after = text.partition(linked) if url and linked else (text, "", "")
    parts = ((before, None), (found, url), (after, None))
    return tuple((part, to) for part, to in parts if part)


def address(url: str | None) -> str | None:
    """Return an address that may be linked to, or None."""
    return web_address(url) if url and len(url) <= _MAX_URL else None


def usable(buttons: tuple[Button, ...]) -> list[tuple[str, str, str]]:
    """Return kind, label and address of the buttons that lead anywhere."""
    return [
        (str(button.kind), clipped(button.label, _MAX_LABEL), url)
        for button in buttons
        if (url := address(button.url)) is not None
    ]


def full_width(text: str) -> str:
    """Return text for a Markdown without escapes: its own signs are drawn full width, and it mentions nobody."""
    return _ENTITY.sub("\uff06", without_calls(text)).translate(_FULL_WIDTH)


def markdown_link(text: str, url: str) -> str:
    """Return a link in Markdown; the text is escaped already."""
    return f"[{text}]({url.translate(_URL_SIGNS)})"


def encoded(payload: dict[str, Any]) -> bytes:
    """Return the bytes of a request, as services count them."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
