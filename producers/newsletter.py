"""A newsletter's links made to tell who follows them: its HTML as bytes in, the same bytes out but for those addresses.

The document is not parsed and written anew, as builders' markup holds what no writer would give back: conditional
comments and VML for Outlook, unclosed tables, merge tags between attributes. Only the values of `href` in links are put
in place, and before the end of the body a picture of one pixel and a hidden link.

Left as they are: anchors, mail and phone links, links to unsubscribe, those that hold a merge tag, those that are
prepared already, links marked `data-rb-skip` or `clicktracking=off`, and those to hosts that are not allowed.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from schemas.errors import InputError

MAX_BYTES = 2_000_000
MAX_LABEL = 60
MAX_URL = 2000
MAX_ATTRIBUTES = 60
MAX_ATTRIBUTE = 10_000  # characters

_LINKS = re.compile(r"<(a|area|v:[a-z]+)(?=[\s/>])", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""[\s/]*(?P<name>[^\s/>=]+)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s>"']+)))?"""
)
_LITERAL = re.compile(r"<(script|style|textarea|title|xmp)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--(?!\[if|<!)(?!>).*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_END = (re.compile(r"</body\s*>", re.IGNORECASE), re.compile(r"</html\s*>", re.IGNORECASE))
_TEXT_END = re.compile(r"</a\s*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_MERGE_TAG = re.compile(r"\{\{|\}\}|\*\||\|\*|%[a-z][a-z_.]{5,}%|\[\[|<%|%%|\$\{")
_UNSUBSCRIBE = re.compile(
    r"unsub|opt[-_ ]?out|list[-_]?manage|email[-_]?preferences|manage[-_ ]preferences|abmeld|abbestell|austragen"
    r"|d[ée]sabonn|退订|取消订阅|取消訂閱",
    re.IGNORECASE,
)
_SKIP = "data-rb-skip"
_PIXEL = '<img src="{url}" width="1" height="1" alt="" border="0" style="display:block;width:1px;height:1px;border:0">'
_TRAP = (
    '<a href="{url}" tabindex="-1" aria-hidden="true" '
    'style="display:none!important;mso-hide:all;visibility:hidden;font-size:0;line-height:0;max-height:0"></a>'
)


class Left(StrEnum):
    """Why a link was left as it is."""

    anchor = "an anchor in the mail"
    other = "no web link"
    merge_tag = "holds a merge tag"
    unsubscribe = "a link to unsubscribe"
    prepared = "prepared already"
    skipped = "marked to be skipped"
    foreign = "leads to a host that is not allowed"
    odd = "no address that browsers and servers read alike"


class Link(NamedTuple):
    """A link as found: where its value stands in the text, what it says, and what is known of its element."""

    begin: int
    end: int
    url: str
    label: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class Prepared:
    """A newsletter with its links put in place: how many, and which were left as they are, and why."""

    data: bytes
    rewritten: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, Left], ...]


@dataclass(frozen=True)
class Tracking:
    """How links are made: `link` signs a URL with its label, `allowed` says of a URL whether it may be led to.

    `own` is how addresses of our own begin; the picture's and the hidden link's are left out where they are None.
    """

    link: Callable[[str, str], str]
    allowed: Callable[[str], bool]
    own: str
    pixel: str | None = None
    trap: str | None = None


def prepare(data: bytes, tracking: Tracking) -> Prepared:
    """Return a newsletter with its links made to tell who follows them; all other bytes stay as they are.

    Raises:
        InputError: it is too large, or no HTML in an encoding that ASCII is part of.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"the newsletter has {len(data):,} bytes; {MAX_BYTES:,} are the most")
    if b"\0" in data or data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise InputError("the newsletter is in UTF-16, or no text: save it as UTF-8")
    text = data.decode("utf-8", "surrogateescape")
    out: list[str] = []
    rewritten: list[tuple[str, str]] = []
    left: list[tuple[str, Left]] = []
    at = 0
    for link in links_of(text):
        reason = _reason(link, tracking)
        if reason is not None:
            left.append((link.url, reason))
            continue
        made = tracking.link(link.url, link.label)
        out += [text[at : link.begin], made]
        rewritten.append((link.url, made))
        at = link.end
    out.append(text[at:])
    done = _with_signs("".join(out), tracking).encode("utf-8", "surrogateescape")
    return Prepared(done, tuple(rewritten), tuple(left))


def links_of(text: str) -> Iterator[Link]:
    """Yield the links of a newsletter in their order, those in conditional comments among them."""
    literal = [found.span() for pattern in (_LITERAL, _COMMENT) for found in pattern.finditer(text)]
    literal.sort()
    passed = end = 0
    for opening in _LINKS.finditer(text):
        if opening.start() < end:
            continue  # within the tag before, whose quotes are broken
        while passed < len(literal) and literal[passed][1] <= opening.start():
            passed += 1
        if passed < len(literal) and literal[passed][0] <= opening.start():
            continue
        link, end = _link(text, opening)
        if link is not None:
            yield link


def _link(text: str, opening: re.Match[str]) -> tuple[Link | None, int]:
    """Return the link that a tag makes, if it has an address, and where the tag ends."""
    attributes: dict[str, str] = {}
    place: tuple[int, int] | None = None
    at = opening.end()
    for _ in range(MAX_ATTRIBUTES):  # of broken markup, not all of the document for each link
        found = _ATTRIBUTE.match(text, at, at + MAX_ATTRIBUTE)
        if found is None:
            break
        name = found["name"].lower()
        group = next((each for each in ("double", "single", "bare") if found[each] is not None), None)
        if name not in attributes:  # the first of two counts, as in browsers
            attributes[name] = found[group] if group else ""
            if name == "href" and group:
                place = found.span(group)
        at = found.end()
    if place is None:
        return None, at
    label = ""
    if opening[1].lower() == "a" and (close := _TEXT_END.search(text, at, at + 2000)):
        shown = _TAG.sub(" ", text[text.find(">", at) + 1 : close.start()])
        label = " ".join(html.unescape(shown).split())
    label = label or attributes.get("title", "") or attributes.get("alt", "")
    scheme, mark, rest = html.unescape(attributes["href"]).strip().partition("://")
    url = f"{scheme.lower() if mark else scheme}{mark}{rest}"
    return Link(*place, url, _printable(label), attributes), at


def _reason(link: Link, tracking: Tracking) -> Left | None:  # noqa: PLR0911 - one line for each reason
    url = link.url
    if _SKIP in link.attributes or link.attributes.get("clicktracking", "").lower() == "off":
        return Left.skipped
    if url.startswith("#") or not url:
        return Left.anchor
    if _MERGE_TAG.search(url):
        return Left.merge_tag
    if _UNSUBSCRIBE.search(url) or _UNSUBSCRIBE.search(link.label):
        return Left.unsubscribe
    if url.startswith(tracking.own):
        return Left.prepared
    if not _is_web(url):
        return Left.other
    if len(url) > MAX_URL or not url.isprintable() or any(each in url for each in '<>"\\ '):
        return Left.odd
    return None if tracking.allowed(url) else Left.foreign


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return False


def _printable(label: str) -> str:
    kept = "".join(each for each in label if each.isprintable())
    return kept.strip()[:MAX_LABEL].strip()


def _with_signs(text: str, tracking: Tracking) -> str:
    """Put the picture and the hidden link before the end of the body, or of the document, once."""
    if tracking.pixel and tracking.pixel in text:
        return text
    signs = (_TRAP.format(url=tracking.trap) if tracking.trap else "") + (
        _PIXEL.format(url=tracking.pixel) if tracking.pixel else ""
    )
    for pattern in _END:
        ends = list(pattern.finditer(text))
        if ends:
            return text[: ends[-1].start()] + signs + text[ends[-1].start() :]
    return text + signs
