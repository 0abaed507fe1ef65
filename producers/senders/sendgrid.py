"""Twilio SendGrid's event webhook: a list of events, signed by ECDSA over timestamp and body as they came. Pure."""

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from producers.refusal import RefusedError
from producers.senders.reports import MAX_EVENTS, SenderReport, named, recipient_of, unix_s, within
from producers.senders.signing import check_age, seconds, unproven
from producers.translation import parse_json, text_at
from schemas.emails import MailKind
from schemas.errors import InputError
from schemas.events import BounceKind

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

_KINDS = {
    "delivered": MailKind.delivered,
    "open": MailKind.opened,
    "click": MailKind.clicked,
    "bounce": MailKind.bounced,
    "dropped": MailKind.bounced,
    "spamreport": MailKind.complained,
    "unsubscribe": MailKind.unsubscribed,
    "group_unsubscribe": MailKind.unsubscribed,
}


def verify(body: bytes, headers: Mapping[str, str], public_key: str, now_ms: int, max_age_s: int) -> None:
    """Check that a request is SendGrid's, and not too old.

    Raises:
        RefusedError: 401, it is not.
        InputError: the key of the settings is none.
    """
    timestamp = headers.get(TIMESTAMP, "")
    signed_s = seconds(timestamp)
    try:
        signature = base64.b64decode(headers.get(SIGNATURE, ""), validate=True)
        _key(public_key).verify(signature, timestamp.encode() + body, ec.ECDSA(SHA256()))
    except (binascii.Error, ValueError, InvalidSignature) as error:
        raise unproven() from error
    check_age(signed_s, now_ms, max_age_s)


def read(body: bytes) -> list[SenderReport]:
    """Return what a request reports; kinds that say nothing here are left out.

    Raises:
        RefusedError: 400, it is no such list, or an event of it is malformed.
    """
    events = parse_json(body)
    if not isinstance(events, list) or len(events) > MAX_EVENTS:
        raise RefusedError(400, "", f"must be a list of at most {MAX_EVENTS} events")
    return [report for index, said in enumerate(events) if (report := _report(within(said, "", index), index))]


def _report(said: Mapping[str, Any], index: int) -> SenderReport | None:
    name = text_at(said, "event")
    if not name:
        raise RefusedError(400, f"{index}.event", "must be a name")
    kind = _KINDS.get(name)
    if kind is None:
        return None
    key = text_at(said, "sg_event_id")
    if not key:
        raise RefusedError(400, f"{index}.sg_event_id", "must be there")
    fields = named(said)
    fields["campaign"] = fields["campaign"] or text_at(said, "singlesend_id") or _category(said)
    blocked = text_at(said, "type") == "blocked"
    return SenderReport(
        kind=kind,
        key=key,
        recipient=recipient_of(said.get("email"), f"{index}.email"),
        at_ms=unix_s(said.get("timestamp"), f"{index}.timestamp"),
        url=text_at(said, "url"),
        user_agent=text_at(said, "useragent"),
        address=text_at(said, "ip"),
        flagged=said.get("sg_machine_open") is True,
        bounce=BounceKind.temporary if blocked else BounceKind.permanent,
        **fields,
    )


def _category(said: Mapping[str, Any]) -> str:
    category = said.get("category")
    if isinstance(category, list):
        return next((each for each in category if isinstance(each, str)), "")
    return category if isinstance(category, str) else ""


@lru_cache(maxsize=4)
def _key(text: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise InputError("READBRIEF_SENDGRID_PUBLIC_KEY is no public key as SendGrid shows it") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InputError("READBRIEF_SENDGRID_PUBLIC_KEY is no key of an elliptic curve")
    return key
