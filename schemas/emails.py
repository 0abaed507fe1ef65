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
    visitor_id: Annotated[str, Field(description="The browser that landed")] = ""


class Mailing(Model):
    """All that is known of one campaign's mail to one contact: a set of facts, by the events that told them."""

    contact_id: Id
    campaign_id: Id
    facts: dict[str, MailFact] = Field(default_factory=dict)


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
