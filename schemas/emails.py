"""What is kept of mailings: one campaign's mail to one contact, what was reported of it, and links that are revoked."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from schemas.events import BounceKind, EmailAgent
from schemas.message import Id, Label, Message, Model, UnixMs


class MailKind(StrEnum):
    """What happened to a mail, or came of it."""

    delivered = "delivered"
    opened = "opened"
    clicked = "clicked"
    bounced = "bounced"
    complained = "complained"
    unsubscribed = "unsubscribed"
    landed = "landed"  # the snippet on a page saw a browser come by one of its links


class MailFact(Model):
    """One report of a mail, as far as the verdict on it and the account's summary need it."""

    event_id: Id
    kind: MailKind
    at_ms: UnixMs
    url: Annotated[str, Field(description="Canonical, of a click")] = ""
    link: Label = ""
    agent: EmailAgent = EmailAgent.unknown
    head: bool = False
    data_center: bool = False
    flagged: bool = False
    automated: bool = False
    trap: bool = False
    snippet: bool = True
    bounce: BounceKind | None = None
    network: Annotated[str, Field(description="Where the hit came from, truncated; empty if not known")] = ""
    visitor_id: Annotated[str, Field(description="The browser that landed")] = ""


class Mailing(Model):
    """All that is known of one campaign's mail to one contact: a set of facts, by the events that told them."""

    contact_id: Id
    campaign_id: Id
    facts: dict[str, MailFact] = Field(default_factory=dict)


class Verdict(StrEnum):
    """Who opened or clicked, as far as can be told; it may change with more evidence."""

    human = "human"
    machine = "machine"
    unconfirmed = "unconfirmed"


class ClickedLink(Model):
    """A link of a mail that was clicked: the surest click of it, and what followed on the site."""

    url: str
    link: Label = ""
    at_ms: UnixMs
    verdict: Verdict
    reasons: Annotated[tuple[str, ...], Field(description="What the verdict rests on")] = ()
    counted: Annotated[float, Field(ge=0, le=1, description="In full, in part or not at all")] = 0
    page_view_ids: Annotated[tuple[Id, ...], Field(description="What was read after it, in order")] = ()


class MailInterest(Model):
    """What came of one campaign's mail to one contact."""

    contact_id: Id
    campaign_id: Id
    last_ms: UnixMs
    delivered_ms: UnixMs | None = None
    opened: Annotated[Verdict | None, Field(description="The surest open; none if none was reported")] = None
    opened_ms: UnixMs | None = None
    open_reasons: tuple[str, ...] = ()
    clicks: Annotated[tuple[ClickedLink, ...], Field(description="By link, latest first; machines' among them")] = ()


class ListHealth(Model):
    """Contacts whose address is gone, who called a mail spam, or who want no more."""

    bounced: tuple[Id, ...] = ()
    complained: tuple[Id, ...] = ()
    unsubscribed: tuple[Id, ...] = ()


class EmailInterest(Model):
    """What the account made of marketing's emails; who opted out is in the health alone."""

    mails: Annotated[tuple[MailInterest, ...], Field(description="Latest first")] = ()
    readers: Annotated[tuple[Id, ...], Field(description="Contacts who opened or clicked, as persons")] = ()
    health: ListHealth = ListHealth()


class Revocation(Message):
    """Links and tokens that identify nobody any more: of a contact, of a campaign, or of a contact in a campaign.

    It concerns those made up to `until_ms`; a link that is made later is good.
    """

    contact_id: Id | None = None
    campaign_id: Id | None = None
    until_ms: UnixMs

    @model_validator(mode="after")
    def _of_somebody(self) -> "Revocation":
        if self.contact_id is None and self.campaign_id is None:
            raise ValueError("a revocation names a contact, a campaign, or both")
        return self

    @property
    def key(self) -> str:
        """The key under which its topic keeps it."""
        return f"{self.contact_id or ''}/{self.campaign_id or ''}"
