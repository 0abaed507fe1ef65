"""Where a clicked link leads: to a file, or away from the site. Pure."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from schemas.events import Click
from schemas.urls import origin_of

_FILE = re.compile(
    r"\.(7z|apk|bz2|csv|dmg|docx?|dwg|epub|exe|gz|ics|iso|jar|key|mov|mp3|mp4|msi|odp|ods|odt|pdf|pkg|pptx?|rar|rtf|step|stp"
    r"|tar|tgz|wav|webm|xlsx?|xz|zip)$",
    re.IGNORECASE,
)


def with_link_marks(click: Click, site_origins: Collection[str]) -> Click:
    """Return a click that also says whether its link is a download, and whether it leads away from the site."""
    if not click.href:
        return click
    return click.model_copy(
        update={
            "download": click.download or _is_file(click.href),
            "outbound": _leads_out(click.href, {*site_origins, origin_of(click.url) or ""}),
        }
    )


def _is_file(href: str) -> bool:
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and _FILE.search(parts.path) is not None


def _leads_out(href: str, own_origins: Collection[str]) -> bool:
    target = origin_of(href)
    return target is not None and _host(target) not in {_host(origin) for origin in own_origins}


def _host(origin: str) -> str:
    return origin.partition("://")[2].removeprefix("www.")
