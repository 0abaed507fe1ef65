"""Text and addresses from the outside, made fit to be shown to a rep."""

import re
import unicodedata

from schemas.urls import origin_of

# Controls, line and paragraph separators and lone surrogates break lines and headers.
_BREAKING = frozenset({"Cc", "Zl", "Zp", "Cs"})
# These reorder what stands beside them, so that a title could forge the words around it.
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MENTION = re.compile(r"@(?=\w)")
_BARE_ADDRESS = re.compile(r"(?i)\b(https?|ftp)(?=://)|\b(www)(?=\.)")
_ZERO_WIDTH_SPACE = "\u200b"
_UNFIT_IN_URL = re.compile(r"[\x00-\x20\x7f<>\"'`\\]")


def one_line(text: str) -> str:
    """Return the text on one line, without control characters, reordering marks and doubled spaces."""
    kept = (" " if unicodedata.category(char) in _BREAKING else char for char in text if char not in _REORDERING)
    return " ".join("".join(kept).split())


def clipped(text: str, limit: int) -> str:
    """Return the text on one line, at most `limit` characters long, with an ellipsis where it was cut."""
    line = one_line(text)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def web_address(url: str) -> str | None:
    """Return the URL if a rep may follow it: http or https, a host, no user name to pose as one; else None."""
    return url if not _UNFIT_IN_URL.search(url) and origin_of(url) is not None else None


def without_calls(text: str) -> str:
    """Return text of which a service that looks for names and addresses in plain words makes no mention and no link."""
    text = _MENTION.sub("@" + _ZERO_WIDTH_SPACE, text)
    return _BARE_ADDRESS.sub(lambda found: found[0] + _ZERO_WIDTH_SPACE, text)
