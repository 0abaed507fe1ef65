"""Where a clicked link leads: to a file, or away from the site. Pure."""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from schemas.urls import origin_of

_FILE = re.compile(
    r"\.(7z|apk|bz2|csv|dmg|docx?|dwg|epub|exe|gz|ics|iso|jar|key|mov|mp3|mp4|msi|odp|ods|odt|pdf|pkg|pptx?|rar|rtf|step|stp"
    r"|tar|tgz|wav|webm|xlsx?|xz|zip)$",
    re.IGNORECASE,
)
_REMEMBERED = 2_000  # links and pages, which many readers share


class LinkMarks(NamedTuple):
    """Whether a link is one to a file, and whether it leads to a host that is not the site's."""

    download: bool = False
    outbound: bool = False


@lru_cache(maxsize=_REMEMBERED)
@lru_cache(maxsize=_REMEMBERED)
def link_marks(href: str, page_url: str, site_origins: tuple[str, ...]) -> LinkMarks:
    """Return the marks of a link on a page of a site."""
    host, is_file = _target(href)
    return LinkMarks(is_file, not (host is None or host in _hosts(site_origins) or host == _target(page_url)[0]))


@lru_cache(maxsize=_REMEMBERED)
def _target(url: str) -> tuple[str | None, bool]:
    origin = origin_of(url)
    return _host(origin) if origin else None, _is_file(url)


@lru_cache(maxsize=_REMEMBERED)
def _hosts(origins: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(_host, origins))


def _is_file(href: str) -> bool:
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and _FILE.search(parts.path) is not None


def _host(origin: str) -> str:
    return origin.partition("://")[2].removeprefix("www.")
