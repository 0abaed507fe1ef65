"""The form for any other sender: a list of events, signed by HMAC-SHA256 over time and body. Pure."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

from producers.refusal import RefusedError
from producers.senders.reports import MAX_EVENTS, SenderReport, iso_ms, named, recipient_of, within
from producers.senders.signing import check_age, same, unproven
from producers.translation import parse_json, text_at
from schemas.emails import MailKind
from schemas.events import BounceKind

SIGNATURE = "x-readbrief-signature"
MAX_AGE_S = 300

_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_KINDS = {kind.value: kind for kind in MailKind if kind is not MailKind.landed}


def sign(body: bytes, secret: str, now_s: int) -> str:
    """Return the header that proves a request."""
    digest = hmac.new(secret.encode(), f"{now_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now_s},v1={digest}"


def verify(body: bytes, header: str, secret: str, now_ms: int) -> str:
    """Return the signature of a request that is shown to be the sender's, and at most five minutes old.

    Raises:
        RefusedError: 401, it is not.
    """
    found = _SIGNATURE.fullmatch(header.strip())
    if found is None or not same(sign(body, secret, int(found[1])), f"t={int(found[1])},v1={found[2]}"):
        raise unproven()
    check_age(int(found[1]), now_ms, MAX_AGE_S)
    return found[2]


def read(body: bytes) -> list[SenderReport]:
    """Return what a request reports.

    Raises:
        RefusedError: 400, it is no such request, or an event of it is malformed.
    """
    said = within(parse_json(body), "")
    events = said.get("events")
    if not isinstance(events, list) or not events or len(events) > MAX_EVENTS:
        raise RefusedError(400, "events", f"must be a list of 1 to {MAX_EVENTS} events")
    return [_report(each, index) for index, each in enumerate(events)]


def _report(event: Any, index: int) -> SenderReport:
    at = f"events.{index}"
    if not isinstance(event, dict):
        raise RefusedError(400, at, "must be a JSON object")
    said: Mapping[str, Any] = event
    kind = _KINDS.get(text_at(said, "type"))
    if kind is None:
        raise RefusedError(400, f"{at}.type", f"must be one of {', '.join(_KINDS)}")
    if not text_at(said, "id"):
        raise RefusedError(400, f"{at}.id", "must be there")
    if kind is MailKind.clicked and not text_at(said, "url"):
        raise RefusedError(400, f"{at}.url", "a click needs the page it led to")
    return SenderReport(
        kind=kind,
        key=text_at(said, "id"),
        recipient=recipient_of(said.get("email"), f"{at}.email"),
        at_ms=iso_ms(said.get("at"), f"{at}.at"),
        url=text_at(said, "url"),
        user_agent=text_at(said, "user_agent"),
        address=text_at(said, "ip"),
        flagged=said.get("machine") is True,
        bounce=BounceKind.temporary if said.get("temporary") is True else BounceKind.permanent,
        **named(said),
    )
