"""Preparing a campaign's mail: once with the sender's merge tag in place of the token, or for each contact."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from producers.email_tokens import LINK_PATH, PIXEL_PATH, LinkTarget, is_allowed, recipient_token, target_token
from producers.newsletter import Prepared, Tracking, prepare
from producers.translation import contact_name
from schemas.addresses import ADDRESS_PURPOSE
from schemas.errors import InputError
from schemas.settings import Settings

TOKEN_COLUMN = "rb_token"  # noqa: S105 - a column's name
MAX_CONTACTS = 1_000_000

_ID_COLUMNS = ("contact_id", "id")
_ADDRESS_COLUMNS = ("email", "email address", "e-mail", "recipient")


class MergeTags(StrEnum):
    """How a sender writes the place that it fills in."""

    sendgrid = "sendgrid"
    sendgrid_legacy = "sendgrid-legacy"
    mailgun = "mailgun"
    mailgun_template = "mailgun-template"
    postmark = "postmark"
    ses = "ses"
    mailchimp = "mailchimp"
    hubspot = "hubspot"


MERGE_TAGS = {
    MergeTags.sendgrid: "{{rb_token}}",
    MergeTags.sendgrid_legacy: "-rb_token-",
    MergeTags.mailgun: "%recipient.rb_token%",
    MergeTags.mailgun_template: "{{rb_token}}",
    MergeTags.postmark: "{{rb_token}}",
    MergeTags.ses: "{{rb_token}}",
    MergeTags.mailchimp: "*|RB_TOKEN|*",
    MergeTags.hubspot: "{{ contact.rb_token }}",
}
"""What stands in place of the token, by sender."""


@dataclass(frozen=True)
class Campaign:
    """One mailing of a site; `trap` says whether it gets a hidden link, which catches mail scanners."""

    settings: Settings
    site: str
    campaign_id: str
    now_ms: int
    trap: bool = True


class ContactRow(NamedTuple):
    """A line of a contacts file: all of it, and whom it names."""

    cells: dict[str, str]
    contact_id: str


def prepare_mail(data: bytes, campaign: Campaign, token: str) -> Prepared:
    """Return a newsletter of a campaign with a token, or a merge tag in its place, in every link.

    Raises:
        InputError: it is no HTML that can be prepared, or site or campaign are no good.
    """
    settings = campaign.settings
    site = settings.sites.get(campaign.site)
    if site is None:
        raise InputError(f"{campaign.site!r} is no configured site: add it to READBRIEF_SITES")
    base = settings.collector_url.rstrip("/")

    def link(url: str, label: str = "", *, trap: bool = False) -> str:
        target = LinkTarget(site=campaign.site, campaign_id=campaign.campaign_id, url=url, link=label, trap=trap)
        return f"{base}{LINK_PATH}{target_token(settings, target, now_ms=campaign.now_ms)}/{token}"

    return prepare(
        data,
        Tracking(
            link=link,
            allowed=lambda url: is_allowed(settings, campaign.site, url),
            own=base,
            pixel=f"{base}{PIXEL_PATH}{token}",
            trap=link(f"{site.origins[0]}/", trap=True) if campaign.trap else None,
        ),
    )


def contacts_in(text: str, settings: Settings) -> Iterator[ContactRow]:
    """Yield the contacts of a CSV file, by their id, or, where there is none, by their address.

    Raises:
        InputError: a line names nobody, and the message says which.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    columns = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    id_column = next((columns[name] for name in _ID_COLUMNS if name in columns), None)
    address_column = next((columns[name] for name in _ADDRESS_COLUMNS if name in columns), None)
    if id_column is None and address_column is None:
        raise InputError("the contacts file needs a column contact_id or email")
    key = settings.signing_key(ADDRESS_PURPOSE)
    for number, row in enumerate(reader, start=2):
        if number > MAX_CONTACTS:
            raise InputError(f"the contacts file has more than {MAX_CONTACTS:,} lines")
        cells = {name: row[name] or "" for name in columns.values() if name}
        said = [cells.get(column, "").strip() for column in (id_column, address_column) if column]
        contact_id = next((found for name in said if name and (found := contact_name(name, key))), None)
        if contact_id is None:
            raise InputError(f"line {number}: names no contact: needs a contact_id or an email")
        yield ContactRow(cells, contact_id)


def tokens_csv(rows: Iterable[ContactRow], campaign: Campaign) -> str:
    """Return a contacts file with a column more, which holds each contact's token.

    Raises:
        InputError: site or campaign are no good.
    """
    out = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        cells = {**row.cells, TOKEN_COLUMN: token_for(row.contact_id, campaign)}
        if writer is None:
            writer = csv.DictWriter(out, list(cells), lineterminator="\r\n", extrasaction="ignore", restval="")
            writer.writeheader()
        writer.writerow(cells)
    if writer is None:
        raise InputError("the contacts file has no contacts")
    return out.getvalue()


def token_for(contact_id: str, campaign: Campaign) -> str:
    """Return a contact's token in a campaign.

    Raises:
        InputError: site or campaign are no good.
    """
    return recipient_token(campaign.settings, campaign.site, contact_id, campaign.campaign_id, now_ms=campaign.now_ms)
