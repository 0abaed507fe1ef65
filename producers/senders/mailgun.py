"""Mailgun's webhook: one event, and beside it a timestamp and a token signed by HMAC-SHA256. Pure.

The signature does not cover the event, so a token is good once: whoever saw one could else send anything with it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

from producers.refusal import RefusedError
from producers.senders.reports import SenderReport, named, recipient_of, unix_s, within
from producers.senders.signing import check_age, same, seconds, unproven
from producers.translation import parse_json, text_at
from schemas.emails import MailKind
from schemas.events import BounceKind

_KINDS = {
    "delivered": MailKind.delivered,
    "opened": MailKind.opened,
    "clicked": MailKind.clicked,
    "failed": MailKind.bounced,
    "complained": MailKind.complained,
    "unsubscribed": MailKind.unsubscribed,
}


class Signed(NamedTuple):
    """A request as read, and the token that proves it."""

    token: str
    event: Mapping[str, Any]


def verify(body: bytes, signing_key: str, now_ms: int, max_age_s: int) -> Signed:
    """Return a request that is shown to be Mailgun's, and not too old.

    Raises:
        RefusedError: 400, it is no JSON object; 401, it is not Mailgun's.
    """
    said = within(parse_json(body), "")
    proof = said.get("signature")
    timestamp, token = text_at(proof, "timestamp"), text_at(proof, "token")
    expected = hmac.new(signing_key.encode(), (timestamp + token).encode(), hashlib.sha256).hexdigest()
    if not token or not same(expected, text_at(proof, "signature")):
        raise unproven()
    check_age(seconds(timestamp), now_ms, max_age_s)
    return Signed(token, within(said.get("event-data"), "event-data"))


def read(signed: Signed) -> list[SenderReport]:
    """Return what a request reports; nothing for kinds that say nothing here.

    Raises:
        RefusedError: 400, the event is malformed.
    """
    said = signed.event
    name = text_at(said, "event")
    if not name:
        raise RefusedError(400, "event-data.event", "must be a name")
    kind = _KINDS.get(name)
    if kind is None:
        return []
    fields = named(said.get("user-variables"))
    tags = said.get("tags")
    tag = next((each for each in tags if isinstance(each, str)), "") if isinstance(tags, list) else ""
    fields["campaign"] = fields["campaign"] or tag
    return [
        SenderReport(
            kind=kind,
            key=signed.token,
            recipient=recipient_of(said.get("recipient"), "event-data.recipient"),
            at_ms=unix_s(said.get("timestamp"), "event-data.timestamp"),
            url=text_at(said, "url"),
            user_agent=text_at(said, "client-info", "user-agent"),
            address=text_at(said, "ip"),
            flagged=bool(text_at(said, "client-info", "bot")),
            bounce=BounceKind.temporary if text_at(said, "severity") == "temporary" else BounceKind.permanent,
            **fields,
        )
    ]
