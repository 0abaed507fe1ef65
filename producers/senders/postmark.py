"""Postmark's webhook: one event in each request, which basic auth alone proves. Pure."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

from producers.refusal import RefusedError
from producers.senders.reports import SenderReport, iso_ms, named, recipient_of, within
from producers.senders.signing import same, unproven
from producers.translation import parse_json, text_at
from schemas.emails import MailKind
from schemas.events import BounceKind

_KINDS = {
    "Delivery": (MailKind.delivered, "DeliveredAt"),
    "Open": (MailKind.opened, "ReceivedAt"),
    "Click": (MailKind.clicked, "ReceivedAt"),
    "Bounce": (MailKind.bounced, "BouncedAt"),
    "SpamComplaint": (MailKind.complained, "BouncedAt"),
    "SubscriptionChange": (MailKind.unsubscribed, "ChangedAt"),
}
_PERMANENT = frozenset({"HardBounce", "BadEmailAddress", "ManuallyDeactivated", "Blocked", "SpamNotification"})


def verify(authorization: str, login: str) -> None:
    """Check the name and password of a request against `user:password`.

    Raises:
        RefusedError: 401, they are wrong.
    """
    scheme, _, value = authorization.partition(" ")
    try:
        given = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise unproven("the login is wrong") from error
    if scheme.lower() != "basic" or not same(given, login):
        raise unproven("the login is wrong")


def read(body: bytes) -> list[SenderReport]:
    """Return what a request reports; nothing for kinds that say nothing here.

    Raises:
        RefusedError: 400, it is no such event, or malformed.
    """
    said = within(parse_json(body), "")
    name = text_at(said, "RecordType")
    if not name:
        raise RefusedError(400, "RecordType", "must be a name")
    if name not in _KINDS or (name == "SubscriptionChange" and said.get("SuppressSending") is not True):
        return []
    kind, time_field = _KINDS[name]
    address_field = "Recipient" if "Recipient" in said else "Email"
    fields = named(said.get("Metadata"))
    fields["campaign"] = fields["campaign"] or text_at(said, "Tag")
    return [
        SenderReport(
            kind=kind,
            key=_key(said, name, time_field),
            recipient=recipient_of(said.get(address_field), address_field),
            at_ms=iso_ms(said.get(time_field), time_field),
            url=text_at(said, "OriginalLink"),
            user_agent=text_at(said, "UserAgent"),
            address=text_at(said, "Geo", "IP"),
            bounce=BounceKind.permanent if text_at(said, "Type") in _PERMANENT else BounceKind.temporary,
            **fields,
        )
    ]


def _key(said: Mapping[str, Any], name: str, time_field: str) -> str:
    """Return what tells an event from others: Postmark gives opens and clicks no id."""
    if not text_at(said, "MessageID"):
        raise RefusedError(400, "MessageID", "must be there")
    parts = (
        name,
        *(text_at(said, each) for each in ("MessageID", "Recipient", "Email", time_field, "OriginalLink", "ID")),
    )
    return hashlib.blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
