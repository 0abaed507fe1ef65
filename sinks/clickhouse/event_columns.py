"""The columns of `events`: which field of which kind of event stands in which, and what stands there without it."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from schemas.events import (
    Click,
    Copy,
    Custom,
    EmailBounce,
    EmailClick,
    EmailComplaint,
    EmailDelivered,
    EmailOpen,
    EmailUnsubscribe,
    FormSubmit,
    Identify,
    PagePing,
    PageProgress,
    PageView,
    Withdraw,
)
from schemas.urls import canonical_url

DEFAULTS: Mapping[str, Any] = MappingProxyType({
    "page_view_id": "", "url": "", "url_as_sent": "", "title": "", "referrer": "", "viewport": "", "lang": "",
    "active_ms": 0, "beat_ms": 0, "depth_pct": 0, "bands": {}, "sections": {}, "section_titles": {},
    "left_page": False, "element": "", "text": "", "href": "", "element_x": 0.0, "element_y": 0.0, "page_x": 0.0,
    "page_y": 0.0, "download": False, "outbound": False, "rage": False, "dead": False, "copied_chars": 0,
    "form": "", "fields": {}, "name": "", "contact_id": "", "campaign_id": "", "method": "", "domain": "",
    "evidence_id": "",
})  # fmt: skip
"""What a column holds when the event has nothing for it. None is the empty string, as no id or address is empty."""

OF_ENVELOPE = ("visitor_id", "site", "type", "event_id", "happened", "skew_ms", "received", "sent_off_ms")
LAST = ("automated", "client_network", "kafka_partition", "kafka_offset", "envelope")
COLUMNS = (*OF_ENVELOPE, *DEFAULTS, *LAST)
_PAGE = ("page_view_id",)
PLAIN: dict[type[Any], Mapping[str, str]] = {
    PageView: {name: name for name in (*_PAGE, "title", "referrer", "viewport", "lang")},
    PageProgress: {**{name: name for name in (*_PAGE, "title", "active_ms", "depth_pct")}, "left": "left_page"},
    PagePing: {name: name for name in (*_PAGE, "title", "beat_ms", "depth_pct")},
    Click: {name: name for name in (
        *_PAGE, "element", "text", "href", "element_x", "element_y", "page_x", "page_y", "viewport", "download",
        "outbound", "rage", "dead",
    )},
    Copy: {"page_view_id": "page_view_id", "chars": "copied_chars"},
    FormSubmit: {name: name for name in (*_PAGE, "form", "fields")},
    Custom: {"name": "name"},
    **{mail: {name: name for name in ("contact_id", "campaign_id")} for mail in (
        EmailDelivered, EmailOpen, EmailClick, EmailBounce, EmailComplaint, EmailUnsubscribe,
    )},
    Identify: {name: name for name in ("contact_id", "method", "campaign_id", "domain")},
    Withdraw: {"evidence_id": "evidence_id", "contact_id": "contact_id", "reason": "text"},
}  # fmt: skip
"""Fields that stand in a column as they are, by kind of event; `None` stands there as the empty string."""

KINDS: Mapping[str, type[Any]] = {kind.model_fields["type"].default: kind for kind in PLAIN}

FLOATS = ("element_x", "element_y", "page_x", "page_y")
DECIMALS = 4
"""So many of a click's position are kept exactly by a Float32; the snippet sends no more."""

REQUIRED: Final = object()

canonical = lru_cache(maxsize=10_000)(canonical_url)
"""An address as its column holds it; few pages are read by many."""


def default_of(kind: type[Any], field: str) -> Any:
    """Return what stands in a field's column when the event does not bring it; REQUIRED if it must."""
    info = kind.model_fields[field]
    if info.is_required():
        return REQUIRED
    default = info.get_default(call_default_factory=True)
    return "" if default is None else getattr(default, "value", default)
