"""What Amazon SES reports in the message of an SNS notification. Pure.

SES does not say which of several recipients opened or clicked: such a report is left out.
"""

from collections.abc import Mapping
from typing import Any

from producers.refusal import RefusedError
from producers.senders.reports import SenderReport, iso_ms, named, recipient_of, within
from producers.translation import parse_json, text_at
from schemas.emails import MailKind
from schemas.events import BounceKind

_KINDS = {
    "Delivery": (MailKind.delivered, "delivery"),
    "Open": (MailKind.opened, "open"),
    "Click": (MailKind.clicked, "click"),
    "Bounce": (MailKind.bounced, "bounce"),
    "Complaint": (MailKind.complained, "complaint"),
    "Subscription": (MailKind.unsubscribed, "subscription"),
}
_RECIPIENTS = {MailKind.bounced: "bouncedRecipients", MailKind.complained: "complainedRecipients"}
_CAMPAIGN_TAG = "ses:configuration-set"


def read(notification: Mapping[str, Any]) -> list[SenderReport]:
    """Return what a verified notification reports; nothing for SES's own test message, and kinds that say nothing here.

    Raises:
        RefusedError: 400, it is malformed.
    """
    text = notification.get("Message")
    if not isinstance(text, str):
        raise RefusedError(400, "Message", "must be a text")
    if not text.lstrip().startswith("{"):
        return []  # "Successfully validated SNS topic for Amazon SES event publishing."
    said = within(parse_json(text), "Message")
    found = _KINDS.get(text_at(said, "eventType") or text_at(said, "notificationType"))
    if found is None:
        return []
    kind, part_name = found
    part, mail = within(said.get(part_name), f"Message.{part_name}"), within(said.get("mail"), "Message.mail")
    fields = named(_tags(mail))
    fields["campaign"] = fields["campaign"] or _tags(mail).get(_CAMPAIGN_TAG, "")
    return [
        SenderReport(
            kind=kind,
            key=f"{text_at(notification, 'MessageId')} {address}",
            recipient=address,
            at_ms=iso_ms(part.get("timestamp") or mail.get("timestamp"), f"Message.{part_name}.timestamp"),
            url=text_at(part, "link"),
            user_agent=text_at(part, "userAgent"),
            address=text_at(part, "ipAddress"),
            bounce=BounceKind.permanent if text_at(part, "bounceType") == "Permanent" else BounceKind.temporary,
            **fields,
        )
        for address in _recipients(kind, part, mail)
    ]


def _recipients(kind: MailKind, part: Mapping[str, Any], mail: Mapping[str, Any]) -> list[str]:
    name = _RECIPIENTS.get(kind)
    if name:
        found = part.get(name)
        if not isinstance(found, list):
            raise RefusedError(400, f"Message.{name}", "must be a list")
        return [recipient_of(text_at(each, "emailAddress"), f"Message.{name}.{i}") for i, each in enumerate(found)]
    field = "recipients" if kind is MailKind.delivered else "destination"
    found = part.get(field) if kind is MailKind.delivered else mail.get(field)
    if not isinstance(found, list) or not found:
        raise RefusedError(400, f"Message.{field}", "must be a list of addresses")
    if kind is not MailKind.delivered and len(found) > 1:
        return []
    return [recipient_of(each, f"Message.{field}.{i}") for i, each in enumerate(found)]


def _tags(mail: Mapping[str, Any]) -> dict[str, str]:
    """Return a mail's tags, of whose values SES makes lists."""
    tags = mail.get("tags")
    if not isinstance(tags, dict):
        return {}
    return {
        name: values[0]
        for name, values in tags.items()
        if isinstance(values, list) and values and isinstance(values[0], str)
    }
