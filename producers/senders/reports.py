"""What every sender's webhook comes to: reports of one event each, and the events made of them. Pure.

The recipient's address becomes a keyed id here, at the edge; it is carried no further.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict

from producers.collector.clients import network_of
from producers.email_agents import MACHINES, agent_of, is_data_center
from producers.email_tokens import link_in, read_recipient
from producers.links import TokenError
from producers.refusal import RefusedError
from producers.translation import Receipt, bounded_ms, envelope, person_id, text_at
from schemas.addresses import address_id
from schemas.emails import MailKind
from schemas.envelope import Envelope
from schemas.events import (
    BounceKind,
    EmailAgent,
    EmailBounce,
    EmailClick,
    EmailComplaint,
    EmailDelivered,
    EmailOpen,
    EmailUnsubscribe,
)
from schemas.ids import derived_id
from schemas.settings import Settings
from schemas.urls import origin_of

MAX_EVENTS = 10_000
NO_CAMPAIGN = "unnamed"
TOKEN = "rb_token"  # noqa: S105 - a field's name
CAMPAIGN = "campaign_id"
CONTACT = "contact_id"

_ADDRESS = re.compile(r"[^@\s<>]{1,64}@[^@\s<>]{1,190}")
_WEB = re.compile(r"https?://", re.IGNORECASE)
_FRACTION = re.compile(r"(\.\d{6})\d+")  # Postmark's times have seven digits, Python reads six


@dataclass(frozen=True)
class SenderReport:
    """One thing a sender reports of one mail; `key` is unique among the sender's reports, whatever is sent again."""

    kind: MailKind
    key: str
    recipient: str
    at_ms: int
    campaign: str = ""
    contact: str = ""
    token: str = ""
    url: str = ""
    user_agent: str = ""
    address: str = ""
    flagged: bool = False
    bounce: BounceKind = BounceKind.permanent


@dataclass(frozen=True)
class Sender:
    """Which sender reports, to which site's path, and by which settings."""

    name: str
    settings: Settings
    receipt: Receipt


def envelopes_of(reports: Iterable[SenderReport], sender: Sender) -> tuple[Envelope, ...]:
    """Return the events of reports; a click on what is no web page is left out.

    Raises:
        RefusedError: 400, a report breaks a rule of the contract.
    """
    made = (_envelope(report, sender) for report in reports)
    return tuple(each for each in made if each)


def recipient_of(value: Any, field: str) -> str:
    """Return an address as a sender names it.

    Raises:
        RefusedError: 400, it is none.
    """
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value.strip()):
        raise RefusedError(400, field, "must be an email address")
    return value.strip()


def unix_s(value: Any, field: str) -> int:
    """Return a time in seconds, of which a text may hold the digits, in milliseconds.

    Raises:
        RefusedError: 400, it is none.
    """
    if isinstance(value, str) and re.fullmatch(r"\d{1,12}(\.\d{1,9})?", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**11:
        raise RefusedError(400, field, "must be a time in seconds since 1970")
    return bounded_ms(value * 1000)


def iso_ms(value: Any, field: str) -> int:
    """Return an ISO time in milliseconds.

    Raises:
        RefusedError: 400, it is none.
    """
    try:
        at = datetime.fromisoformat(_FRACTION.sub(r"\1", value))
        return bounded_ms((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError, TypeError) as error:
        raise RefusedError(400, field, "must be a time such as 2026-05-04T10:00:00Z") from error


class Named(TypedDict):
    """Our own token, the campaign and the contact, as a mail's fields say; each empty if they do not."""

    token: str
    campaign: str
    contact: str


def named(said: Any) -> Named:
    """Return what a mail's own fields, as the sender keeps them, say of token, campaign and contact."""
    return {"token": text_at(said, TOKEN), "campaign": text_at(said, CAMPAIGN), "contact": text_at(said, CONTACT)}


def within(said: Any, field: str, index: int | None = None) -> Mapping[str, Any]:
    """Return an object.

    Raises:
        RefusedError: 400, it is none.
    """
    if not isinstance(said, dict):
        raise RefusedError(400, field if index is None else f"{index}", "must be a JSON object")
    return said


def _envelope(report: SenderReport, sender: Sender) -> Envelope | None:
    settings, receipt = sender.settings, sender.receipt
    if report.kind is MailKind.clicked and not _WEB.match(report.url):
        return None  # a mailto, or a link to unsubscribe that is reported as such
    contact_id, campaign_id = _who(report, sender)
    said: dict[str, Any] = {
        "event_id": derived_id(sender.name, receipt.site_key, report.key),
        "occurred_ms": report.at_ms,
        "contact_id": contact_id,
        "campaign_id": campaign_id,
        "reporter": sender.name,
    }
    visitor_id = derived_id("mail", contact_id, campaign_id)
    hit = report.kind in {MailKind.opened, MailKind.clicked}
    if hit:
        said |= _marks(report, settings)
    if report.kind is MailKind.clicked:
        said |= _page(report, sender)
    if report.kind is MailKind.bounced:
        said["bounce"] = report.bounce
    made = envelope(receipt, visitor_id, _EVENTS[report.kind], receipt.received_ms, **said)
    machine = hit and (report.flagged or said["data_center"] or said["agent"] in MACHINES or said.get("trap", False))
    return made.model_copy(update={"client_network": network_of(report.address or None), "automated": bool(machine)})


def _who(report: SenderReport, sender: Sender) -> tuple[str, str]:
    """Return contact and campaign: by our own token, else as the mail's fields say, else by the address."""
    key, now_ms = sender.receipt.address_key, sender.receipt.received_ms
    signed = None
    if report.token:
        try:
            signed = read_recipient(sender.settings, report.token, now_ms=now_ms)
        except TokenError:
            signed = None  # another program's field of the same name
    if signed is None and report.url:
        followed = link_in(sender.settings, report.url, now_ms=now_ms)
        signed = followed.signed if followed else None
    if signed and signed.fresh and signed.recipient.site == sender.receipt.site_key:
        return signed.recipient.contact_id, signed.recipient.campaign_id
    contact_id = person_id(report.contact, "contact", key) if report.contact else address_id(key, report.recipient)
    return contact_id, person_id(report.campaign, "campaign", key) if report.campaign else NO_CAMPAIGN


def _marks(report: SenderReport, settings: Settings) -> dict[str, Any]:
    agent = agent_of(report.user_agent)
    proxy = agent is EmailAgent.gmail_proxy
    center = not proxy and is_data_center(report.address, settings.email_data_centers)
    return {"agent": agent, "data_center": center, "flagged": report.flagged}


def _page(report: SenderReport, sender: Sender) -> dict[str, Any]:
    followed = link_in(sender.settings, report.url, now_ms=sender.receipt.received_ms)
    if followed is None:
        url, link, trap = report.url, "", False
    else:
        url, link, trap = followed.target.url, followed.target.link, followed.target.trap
    snippet = origin_of(url) in sender.receipt.site.origins
    return {"url": url, "link": link, "trap": trap, "snippet": snippet}


_EVENTS: dict[MailKind, type[Any]] = {
    MailKind.delivered: EmailDelivered,
    MailKind.opened: EmailOpen,
    MailKind.clicked: EmailClick,
    MailKind.bounced: EmailBounce,
    MailKind.complained: EmailComplaint,
    MailKind.unsubscribed: EmailUnsubscribe,
}
