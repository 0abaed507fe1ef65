"""Snowplow's tracker protocol: from what its trackers send to envelopes. Pure.

Page pings say only that the reader was active in the last heartbeat, so each becomes an event of its own, and they
are added up where reads are joined. An event that can't be used is refused by itself; the others go on.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from producers.refusal import RefusedError
from producers.translation import (
    MAX_NAME,
    MAX_REFERRER,
    MAX_TITLE,
    Receipt,
    Refused,
    Translated,
    bounded_ms,
    checked_site,
    contact_name,
    domain_in,
    envelope,
    event_id,
    json_bytes,
    parse_json,
    person_id,
    text_at,
    viewport,
)
from schemas.envelope import Envelope
from schemas.events import Custom, FormSubmit, Identify, IdentifyMethod, PagePing, PageView
from schemas.ids import derived_id
from schemas.settings import Site
from schemas.urls import canonical_url

MAX_BYTES = 500_000
MAX_EVENTS = 2_500

_PAYLOAD = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-"
_IGLU = "iglu:"
_WEB_PAGE = "com.snowplowanalytics.snowplow/web_page"
_SUBMIT_FORM = "com.snowplowanalytics.snowplow/submit_form"


@dataclass(frozen=True)
class _Hit:
    """One event with what all types have."""

    said: Mapping[str, Any]
    visitor_id: str
    event_id: str
    occurred_ms: int
    sent_ms: int
    receipt: Receipt

    def text(self, name: str) -> str:
        """Return a parameter; empty if it is missing."""
        return text_at(self.said, name)

    def event(self, kind: type[Any], suffix: str = "", **said: Any) -> Envelope:
        """Return an event of this hit; a hit's second event needs a suffix to its id."""
        own = derived_id("snowplow", self.event_id, suffix) if suffix else self.event_id
        return envelope(
            self.receipt, self.visitor_id, kind, self.sent_ms, event_id=own, occurred_ms=self.occurred_ms, **said
        )


def read_payload(body: bytes) -> tuple[Any, ...]:
    """Read the events of a POST.

    Raises:
        RefusedError: 400, it is none of the protocol's payloads; 413, it is too large.
    """
    if len(body) > MAX_BYTES:
        raise RefusedError(413, "", f"a payload may have {MAX_BYTES} bytes")
    content = parse_json(body)
    if not text_at(content, "schema").startswith(_PAYLOAD):
        raise RefusedError(400, "schema", f"must be {_PAYLOAD}x")
    hits = content["data"] if isinstance(content.get("data"), list) else []
    if not 0 < len(hits) <= MAX_EVENTS:
        raise RefusedError(400, "data", f"must be a list of 1 to {MAX_EVENTS} events")
    return tuple(hits)


def translate(
    hits: tuple[Any, ...], sites: Mapping[str, Site], origin: str | None, received_ms: int, address_key: bytes
) -> Translated:
    """Return the events of a request, each of the site its application id names, and what can't be used."""
    envelopes: list[Envelope] = []
    refused: list[Refused] = []
    for said in hits:
        try:
            key = text_at(said, "aid")
            site = checked_site(sites, key, "aid", origin)
            envelopes += _events_of(said, Receipt(key, site, received_ms, address_key))
        except RefusedError as error:
            refused.append(Refused(json_bytes(said), error))
    return Translated(tuple(envelopes), tuple(refused))


def _events_of(said: Mapping[str, Any], receipt: Receipt) -> list[Envelope]:
    translation = _TRANSLATIONS.get(text_at(said, "e"))
    if translation is None:
        raise RefusedError(400, "e", f"must be one of {', '.join(_TRANSLATIONS)}")
    named = next(filter(None, (text_at(said, name) for name in ("duid", "tnuid", "nuid", "uid"))), "")
    if not named:
        raise RefusedError(400, "duid", "the event names no visitor: it has neither duid, tnuid, nuid nor uid")
    received_ms = receipt.received_ms
    true_ms = _number(text_at(said, "ttm"))
    sent_ms = bounded_ms(received_ms if true_ms else _number(text_at(said, "stm")) or received_ms)
    without_sending = {name: value for name, value in said.items() if name != "stm"}
    hit = _Hit(
        said=said,
        visitor_id=person_id(named, "visitor", receipt.address_key),
        event_id=event_id("snowplow", text_at(said, "eid"), without_sending),
        occurred_ms=bounded_ms(true_ms or _number(text_at(said, "dtm")) or sent_ms),
        sent_ms=sent_ms,
        receipt=receipt,
    )
    return translation(hit)


def _page_view(hit: _Hit) -> list[Envelope]:
    opened = hit.event(
        PageView,
        page_view_id=_page_view_id(hit) or hit.event_id,
        url=hit.text("url"),
        title=hit.text("page")[:MAX_TITLE],
        referrer=hit.text("refr")[:MAX_REFERRER],
        viewport=viewport(hit.text("vp").partition("x")[0]),
        lang=hit.text("lang")[:35],
    )
    return [*_claim(hit), opened]


def _page_ping(hit: _Hit) -> list[Envelope]:
    ping = hit.event(
        PagePing,
        page_view_id=_required_page_view_id(hit),
        url=hit.text("url"),
        title=hit.text("page")[:MAX_TITLE],
        beat_ms=hit.receipt.site.heartbeat_s * 1000,
        depth_pct=_depth_pct(hit.text("pp_may"), hit.text("vp"), hit.text("ds")),
    )
    return [ping]


def _self_describing(hit: _Hit) -> list[Envelope]:
    outer = _embedded(hit, "ue_px", "ue_pr")
    inner = outer.get("data") if isinstance(outer, dict) else None
    name = _schema_name(text_at(inner, "schema"))
    if not name:
        raise RefusedError(400, "ue_pr", "the event has no schema")
    form = text_at(inner, "data", "formId")
    if name == _SUBMIT_FORM and form:
        view = _required_page_view_id(hit)
        return [hit.event(FormSubmit, page_view_id=view, url=hit.text("url"), form=form[:MAX_NAME])]
    return [_custom(hit, name)]


def _structured(hit: _Hit) -> list[Envelope]:
    category, action = hit.text("se_ca"), hit.text("se_ac")
    if not (category and action):
        raise RefusedError(400, "se_ca", "a structured event needs a category and an action")
    return [_custom(hit, f"{category} {action}")]


def _custom(hit: _Hit, name: str) -> Envelope:
    return hit.event(Custom, name=name[:MAX_NAME], url=hit.text("url") or None)


def _claim(hit: _Hit) -> list[Envelope]:
    """Return what the page view says about who the visitor is, if the site's word is taken."""
    user = hit.text("uid")
    contact_id = contact_name(user, hit.receipt.address_key) if user else None
    if contact_id is None or not hit.receipt.site.trust_identify:
        return []
    method, domain = IdentifyMethod.snowplow, domain_in(user)
    return [hit.event(Identify, suffix="identify", contact_id=contact_id, method=method, domain=domain)]


_TRANSLATIONS: dict[str, Callable[[_Hit], list[Envelope]]] = {
    "pv": _page_view,
    "pp": _page_ping,
    "ue": _self_describing,
    "se": _structured,
    "tr": lambda hit: [_custom(hit, "transaction")],
    "ti": lambda hit: [_custom(hit, "transaction item")],
}


def _page_view_id(hit: _Hit) -> str:
    """Return the id of the page view that an event is of; without one, a session's views of a page are taken as one."""
    context = _embedded(hit, "cx", "co")
    entities = context.get("data") if isinstance(context, dict) else None
    for entity in entities if isinstance(entities, list) else ():
        if _schema_name(text_at(entity, "schema")) == _WEB_PAGE and (view := text_at(entity, "data", "id")):
            return event_id("view", view, None)
    session = hit.text("sid")
    return derived_id("view", hit.visitor_id, session, canonical_url(hit.text("url"))) if session else ""


def _required_page_view_id(hit: _Hit) -> str:
    view = _page_view_id(hit)
    if not view:
        raise RefusedError(400, "cx", "the event has neither a web_page context nor a session, so no page view")
    return view


def _embedded(hit: _Hit, encoded: str, plain: str) -> Any:
    """Return the JSON in a parameter, which may be in base64; None if there is none."""
    if text := hit.text(encoded):
        try:
            return parse_json(base64.urlsafe_b64decode(text.encode("ascii", "replace") + b"=" * (-len(text) % 4)))
        except (binascii.Error, RefusedError) as error:
            raise RefusedError(400, encoded, f"not JSON in base64: {error}") from error
    return parse_json(text) if (text := hit.text(plain)) else None


def _schema_name(schema: str) -> str:
    """Return `vendor/name` of an Iglu schema; empty if it is none."""
    vendor, _, rest = schema.removeprefix(_IGLU).partition("/")
    name = rest.partition("/")[0]
    return f"{vendor}/{name}" if schema.startswith(_IGLU) and name else ""


def _depth_pct(offset: str, view: str, document: str) -> int:
    """Return how far down the reader has seen: the lowest offset and the window below it, of the document's height."""
    height = _number(document.partition("x")[2])
    if not height:
        return 0
    seen = _number(offset) + _number(view.partition("x")[2])
    return min(100, 100 * seen // height)


def _number(text: str) -> int:
    """Return a whole number that is not negative; 0 for everything else, as the protocol leaves out what is 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0  # noqa: PLR2004 - digits of ms
