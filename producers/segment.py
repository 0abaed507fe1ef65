"""Segment's HTTP API: from what its libraries post to envelopes. Pure.

A call that can't be used is refused by itself; the others of its batch go on. Times are the library's own, corrected
by `sentAt` as those of the snippet are.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
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
from schemas.events import Custom, EmailClick, EmailOpen, Identify, IdentifyMethod, PageView
from schemas.ids import derived_id

MAX_BATCH_BYTES = 500_000
MAX_CALL_BYTES = 32_768
MAX_CALLS = 2_500
BATCH = "batch"
CALLS = ("page", "track", "identify", "alias", "group", "screen")
SHORT = {name[0]: name for name in (*CALLS, BATCH)}
"""How the library for browsers writes a call in its path."""

EMAIL_OPENED = "Email Opened"
EMAIL_CLICKED = "Email Link Clicked"

Json = dict[str, Any]


@dataclass(frozen=True)
class Posting:
    """One request: the site it names, when it was sent (empty: not said), and its calls, each with its type."""

    write_key: str
    sent_at: str
    calls: tuple[Any, ...]


@dataclass(frozen=True)
class _Call:
    """One call with what all types have; `name` and `said_ms` are the sender's."""

    said: Json
    event_id: str
    user: str
    anonymous: str
    occurred_ms: int
    sent_ms: int
    receipt: Receipt

    @property
    def visitor_id(self) -> str:
        """The browser, or else the user."""
        return person_id(self.anonymous or self.user, "visitor", self.receipt.address_key)

    def event(self, kind: type[Any], suffix: str = "", visitor_id: str = "", **said: Any) -> Envelope:
        """Return an event of this call; a call's second event needs a suffix to its id."""
        own = derived_id("segment", self.event_id, suffix) if suffix else self.event_id
        return envelope(
            self.receipt,
            visitor_id or self.visitor_id,
            kind,
            self.sent_ms,
            event_id=own,
            occurred_ms=self.occurred_ms,
            **said,
        )


def read_posting(kind: str, body: bytes, authorization: str) -> Posting:
    """Read a request to one of the API's paths: its calls, and whose site they are of.

    Raises:
        RefusedError: 400, it is no JSON object, too large, or has too many calls.
    """
    limit = MAX_BATCH_BYTES if kind == BATCH else MAX_CALL_BYTES
    if len(body) > limit:
        raise RefusedError(400, "", f"a request to /v1/{kind} may have {limit} bytes")
    content = parse_json(body)
    if not isinstance(content, dict):
        raise RefusedError(400, "", "the request must be a JSON object")
    write_key = _user_of(authorization) or text_at(content, "writeKey")
    sent_at = text_at(content, "sentAt")
    if kind != BATCH:
        return Posting(write_key, sent_at, ({**content, "type": kind},))
    calls = content.get(BATCH)
    if not isinstance(calls, list) or len(calls) > MAX_CALLS:
        raise RefusedError(400, BATCH, f"must be a list of at most {MAX_CALLS} calls")
    outer = content.get("context")
    return Posting(write_key, sent_at, tuple(_with_context(call, outer) for call in calls))


def translate(posting: Posting, receipt: Receipt) -> Translated:
    """Return the events of a request's calls, and the calls that can't be used."""
    envelopes: list[Envelope] = []
    refused: list[Refused] = []
    for said in posting.calls:
        try:
            envelopes += _events_of(said, posting, receipt)
        except RefusedError as error:
            refused.append(Refused(json_bytes(said), error))
    return Translated(tuple(envelopes), tuple(refused))


def _events_of(said: Any, posting: Posting, receipt: Receipt) -> list[Envelope]:
    if not isinstance(said, dict):
        raise RefusedError(400, "", "a call must be a JSON object")
    translation = _TRANSLATIONS.get(text_at(said, "type"))
    if translation is None:
        raise RefusedError(400, "type", f"must be one of {', '.join(CALLS)}")
    user, anonymous = text_at(said, "userId"), text_at(said, "anonymousId")
    if not (user or anonymous):
        raise RefusedError(400, "userId", "a call needs a userId or an anonymousId")
    if len(posting.calls) > 1 and len(json_bytes(said)) > MAX_CALL_BYTES:
        raise RefusedError(400, "", f"a call may have {MAX_CALL_BYTES} bytes")
    sent_ms = _unix_ms(text_at(said, "sentAt") or posting.sent_at, receipt.received_ms)
    call = _Call(
        said=said,
        event_id=event_id("segment", text_at(said, "messageId"), {**said, "sentAt": None}),
        user=user,
        anonymous=anonymous,
        occurred_ms=_unix_ms(text_at(said, "timestamp"), sent_ms),
        sent_ms=sent_ms,
        receipt=receipt,
    )
    return translation(call)


def _page(call: _Call) -> list[Envelope]:
    said = call.said
    context = ("context", "page")

    def told(name: str) -> str:
        return text_at(said, "properties", name) or text_at(said, *context, name)

    opened = call.event(
        PageView,
        page_view_id=call.event_id,
        url=told("url"),
        title=told("title")[:MAX_TITLE],
        referrer=told("referrer")[:MAX_REFERRER],
        viewport=viewport(text_at(said, "context", "screen", "width")),
        lang=text_at(said, "context", "locale")[:35],
    )
    return [*_claims(call, (call.user,)), opened]


def _track(call: _Call) -> list[Envelope]:
    name = text_at(call.said, "event")
    if not name:
        raise RefusedError(400, "event", "a track call needs a name")
    if call.receipt.site.trust_identify and name in {EMAIL_OPENED, EMAIL_CLICKED}:
        return [_email(call, clicked=name == EMAIL_CLICKED)]
    return [_custom(call, name)]


def _email(call: _Call, *, clicked: bool) -> Envelope:
    said = call.said
    email = text_at(said, "context", "traits", "email") or text_at(said, "properties", "email")
    contact_id = contact_name(call.user or email, call.receipt.address_key)
    if contact_id is None:
        raise RefusedError(400, "userId", "an email event needs its recipient: a userId, or context.traits.email")
    campaign = text_at(said, "properties", "campaign_id") or text_at(said, "properties", "email_id")
    if not campaign:
        raise RefusedError(400, "properties.campaign_id", "an email event needs a campaign_id or an email_id")
    campaign_id = person_id(campaign, "campaign", call.receipt.address_key)
    visitor_id = derived_id("mail", contact_id, campaign_id)
    if not clicked:
        return call.event(EmailOpen, visitor_id=visitor_id, contact_id=contact_id, campaign_id=campaign_id)
    url = text_at(said, "properties", "link_url")
    return call.event(EmailClick, visitor_id=visitor_id, contact_id=contact_id, campaign_id=campaign_id, url=url)


def _identify(call: _Call) -> list[Envelope]:
    email = text_at(call.said, "traits", "email") or text_at(call.said, "context", "traits", "email")
    return _claims(call, (call.user, email if "@" in email else "")) or [_custom(call, "identify")]


def _alias(call: _Call) -> list[Envelope]:
    previous = text_at(call.said, "previousId")
    if not previous:
        raise RefusedError(400, "previousId", "an alias call needs one")
    visitor_id = person_id(previous, "visitor", call.receipt.address_key)
    return _claims(call, (call.user,), visitor_id) or [_custom(call, "alias")]


def _claims(call: _Call, names: tuple[str, ...], visitor_id: str = "") -> list[Envelope]:
    """Return what the call says about who the visitor is, if the site's word is taken."""
    if not call.receipt.site.trust_identify:
        return []
    found = {contact_name(name, call.receipt.address_key): domain_in(name) for name in names if name}
    return [
        call.event(
            Identify,
            suffix="identify:" + contact_id,
            visitor_id=visitor_id,
            contact_id=contact_id,
            method=IdentifyMethod.segment,
            domain=domain,
        )
        for contact_id, domain in found.items()
        if contact_id
    ]


def _custom(call: _Call, name: str) -> Envelope:
    return call.event(Custom, name=name[:MAX_NAME], url=text_at(call.said, "context", "page", "url") or None)


_TRANSLATIONS: dict[str, Callable[[_Call], list[Envelope]]] = {
    "page": _page,
    "track": _track,
    "identify": _identify,
    "alias": _alias,
    "group": lambda call: [_custom(call, "group")],
    "screen": lambda call: [_custom(call, f"screen {text_at(call.said, 'name')}".strip())],
}


def _user_of(authorization: str) -> str:
    """Return the user name of Basic authorization, where a write key stands; empty if there is none."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def _with_context(call: Any, outer: Any) -> Any:
    if not (isinstance(call, dict) and isinstance(outer, dict)):
        return call
    inner = call.get("context")
    return {**call, "context": {**outer, **inner} if isinstance(inner, dict) else outer}


def _unix_ms(iso: str, otherwise_ms: int) -> int:
    try:
        at = datetime.fromisoformat(iso)
        return bounded_ms((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return otherwise_ms
