"""What the snippet posted: read and checked, and its times corrected. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import ValidationError

from producers.refusal import RefusedError
from producers.report_reading import ReadReport, report_of
from schemas.settings import Site

MAX_REPORT_BYTES = 65_536
OLDEST_EVENT_MS = 30 * 86_400_000

_CONTENT_TYPES = frozenset({"text/plain", "application/json"})


class Client(NamedTuple):
    """What is kept of who sent a report: the network of its address, and whether it is a known machine."""

    network: str | None = None
    automated: bool = False


def check_content_type(content_type: str | None) -> None:
    """Accept the types a beacon can have.

    Raises:
        RefusedError: 415, it has another.
    """
    if (content_type or "").partition(";")[0].strip().lower() not in _CONTENT_TYPES:
        raise RefusedError(415, "", "the content type must be text/plain or application/json")


def read_report(body: bytes) -> ReadReport:
    """Read a report from the body of a request.

    Raises:
        RefusedError: 400, it is no report, and the field path says where.
    """
    try:
        return report_of(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RefusedError(400, _field(first["loc"], first["type"]), first["msg"]) from error


def check_sender(report: ReadReport, origin: str | None, sites: Mapping[str, Site]) -> None:
    """Check that the site is known and that the page, where the browser names its origin, is one of the site's.

    Raises:
        RefusedError: 403, one of them is not so.
    """
    site = sites.get(report.site)
    if site is None:
        raise RefusedError(403, "site", "no such site is configured")
    if origin is not None and origin not in site.origins:
        raise RefusedError(403, "site", "the page's origin is none of this site's")


def corrected_ms(occurred_ms: int, sent_ms: int, received_ms: int) -> int:
    """Return when an event occurred by the collector's clock, given both times of the client's clock.

    The client's clock may be wrong by years, but it runs evenly, so only the event's age counts. An event is never
    later than its receipt, nor more than 30 days before it: no beacon waits longer, so more is a broken clock.
    """
    age_ms = sent_ms - occurred_ms
    if age_ms <= 0:
        return received_ms
    return max(received_ms - min(age_ms, OLDEST_EVENT_MS), 0)


def _field(location: tuple[int | str, ...], error_type: str) -> str:
    """Name a field as the sender wrote it: pydantic puts the event's type into the path, and leaves `type` out."""
    parts = [str(part) for part in location]
    if len(parts) > 2 and parts[0] == "events":  # noqa: PLR2004 - events, index, type
        del parts[2]
    if error_type.startswith("union_tag"):
        parts.append("type")
    return ".".join(parts)
