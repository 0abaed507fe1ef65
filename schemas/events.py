"""Events, version 1: what happened, as its source tells it. Counters are cumulative per page view."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from schemas.message import Domain, DurationMs, Id, Label, Line, Model, Percent, UnixMs, Url

BANDS = 10
MAX_SECTIONS = 50


class Viewport(StrEnum):
    """Width class of the reader's window: mobile below 640 px, tablet below 1024 px."""

    mobile = "mobile"
    tablet = "tablet"
    desktop = "desktop"


class IdentifyMethod(StrEnum):
    """How a visitor was recognised as a contact, or as somebody of an account."""

    email_link = "email_link"
    site_token = "site_token"  # noqa: S105 - a method's name, not a secret
    segment = "segment"
    snowplow = "snowplow"
    form = "form"
    domain = "domain"
    network = "network"
    forwarded = "forwarded"


CLAIMS = frozenset((IdentifyMethod.segment, IdentifyMethod.snowplow, IdentifyMethod.form))
"""Methods by which somebody merely says who a visitor is: the name may be a contact's id, or an address's."""


class _Event(Model):
    event_id: Id
    occurred_ms: UnixMs


class _PageEvent(_Event):
    page_view_id: Id
    url: Url


class PageView(_PageEvent):
    """A page was opened."""

    type: Literal["page_view"] = "page_view"
    title: Line = ""
    referrer: Annotated[str, StringConstraints(max_length=2000)] = ""
    viewport: Viewport = Viewport.desktop
    lang: Annotated[str, StringConstraints(max_length=35)] = ""


class SectionAttention(Model):
    """How long one named section of a page was in view while the reader was active."""

    key: Label
    title: Label = ""
    active_ms: DurationMs


class PageProgress(_PageEvent):
    """How far one page view has come: all counters are totals since it was opened."""

    type: Literal["page_progress"] = "page_progress"
    title: Line = ""
    active_ms: DurationMs
    depth_pct: Percent
    bands: Annotated[tuple[DurationMs, ...], Field(description="Active ms in each tenth of the page, top first")] = ()
    sections: Annotated[tuple[SectionAttention, ...], Field(max_length=MAX_SECTIONS)] = ()
    left: Annotated[bool, Field(description="The page was hidden or closed at this moment")] = False

    @field_validator("bands")
    @classmethod
    def _ten_or_none(cls, bands: tuple[int, ...]) -> tuple[int, ...]:
        if bands and len(bands) != BANDS:
            raise ValueError(f"needs {BANDS} attention bands, got {len(bands)}")
        return bands


class PagePing(_PageEvent):
    """A heartbeat of a page view that is being read: pings are no totals, they add up, each counted once."""

    type: Literal["page_ping"] = "page_ping"
    title: Line = ""
    beat_ms: Annotated[DurationMs, Field(description="Active ms that this ping alone stands for")]
    depth_pct: Percent = 0


class Click(_PageEvent):
    """Something on a page was clicked; positions are fractions of the element's and the page's size."""

    type: Literal["click"] = "click"
    element: Label
    text: Label = ""
    href: Annotated[str, StringConstraints(max_length=2000)] = ""
    element_x: Annotated[float, Field(ge=0, le=1)] = 0
    element_y: Annotated[float, Field(ge=0, le=1)] = 0
    page_x: Annotated[float, Field(ge=0, le=1)]
    page_y: Annotated[float, Field(ge=0, le=1)]
    viewport: Viewport = Viewport.desktop
    download: Annotated[bool, Field(description="A link to a file: by its extension, or as the page says")] = False
    outbound: Annotated[bool, Field(description="A link to a host that is not the site's")] = False
    rage: Annotated[bool, Field(description="At least the third within a second, on the same spot")] = False
    dead: Annotated[bool, Field(description="On what looks clickable, and nothing happened within a second")] = False


class Copy(_PageEvent):
    """Text of a page was copied: only how much, never what."""

    type: Literal["copy"] = "copy"
    chars: Annotated[int, Field(ge=1, le=2**31 - 1)]


class FormSubmit(_PageEvent):
    """A form was sent; only fields that the page opted in are carried."""

    type: Literal["form_submit"] = "form_submit"
    form: Label
    fields: Annotated[dict[Label, Line], Field(max_length=30)] = Field(default_factory=dict)


class Custom(_Event):
    """Something that another tracker reported and that is no reading; of its content only the name is kept."""

    type: Literal["custom"] = "custom"
    name: Annotated[Label, StringConstraints(min_length=1)]
    url: Url | None = None


class EmailAgent(StrEnum):
    """What fetched a mail's picture or followed its link, by its user agent alone."""

    unknown = "unknown"
    browser = "browser"  # or a mail program: a person's, or a machine that says to be one
    apple_privacy = "apple_privacy"
    gmail_proxy = "gmail_proxy"
    gmail_prefetch = "gmail_prefetch"
    chat_preview = "chat_preview"
    scanner = "scanner"


class BounceKind(StrEnum):
    """Whether an address is gone, or did not take a mail this time."""

    permanent = "permanent"
    temporary = "temporary"


class _EmailEvent(_Event):
    contact_id: Id
    campaign_id: Id
    reporter: Annotated[Label, Field(description="Who told: link, pixel, or a sender's name; empty if not known")] = ""


class _EmailHit(_EmailEvent):
    """What may be a person's or a machine's."""

    agent: EmailAgent = EmailAgent.unknown
    head: Annotated[bool, Field(description="It was a HEAD request")] = False
    data_center: Annotated[bool, Field(description="It came from a network of servers")] = False
    flagged: Annotated[bool, Field(description="The sender itself took it for a machine's")] = False


class EmailDelivered(_EmailEvent):
    """A marketing email was taken by the recipient's mail server."""

    type: Literal["email_delivered"] = "email_delivered"


class EmailOpen(_EmailHit):
    """A marketing email was opened, by a person or by a machine: it never warms an account by itself."""

    type: Literal["email_open"] = "email_open"


class EmailClick(_EmailHit):
    """A link of a marketing email was followed; it counts once a human is seen on the page."""

    type: Literal["email_click"] = "email_click"
    url: Url
    link: Annotated[Label, Field(description="The link's text in the mail; empty if not known")] = ""
    trap: Annotated[bool, Field(description="It is the hidden link, which no person sees")] = False
    snippet: Annotated[bool, Field(description="The page is a site's of ours, so a reader would be seen there")] = True


class EmailBounce(_EmailEvent):
    """A marketing email came back."""

    type: Literal["email_bounce"] = "email_bounce"
    bounce: BounceKind = BounceKind.permanent


class EmailComplaint(_EmailEvent):
    """The recipient called a marketing email spam."""

    type: Literal["email_complaint"] = "email_complaint"


class EmailUnsubscribe(_EmailEvent):
    """The recipient wants no more marketing emails."""

    type: Literal["email_unsubscribe"] = "email_unsubscribe"


class Identify(_Event):
    """A visitor is this contact, from this moment on, on evidence that the collector has checked, or a site's word.

    A site's word (see `CLAIMS`) may name the contact by an `address_id`, which the directory resolves.
    """

    type: Literal["identify"] = "identify"
    contact_id: Id
    method: IdentifyMethod
    campaign_id: Id | None = None
    domain: Annotated[
        Domain | None, Field(description="Registrable domain of the address that was named, if it is a company's")
    ] = None


class Withdraw(_Event):
    """What was told of a visitor up to this moment was wrong: one piece of evidence, all about a contact, or all."""

    type: Literal["withdraw"] = "withdraw"
    evidence_id: Annotated[Id | None, Field(description="The event that told, whenever it did")] = None
    contact_id: Annotated[Id | None, Field(description="Who the visitor is not; without both, nobody")] = None
    reason: Line
    forget: Annotated[
        bool, Field(description="The visitor asked to be forgotten: nothing is kept of who it was, not even this")
    ] = False


class IdentifyByToken(_Event):
    """What the snippet sends to identify: a signed token, which the collector turns into `Identify`."""

    type: Literal["identify"] = "identify"
    token: Annotated[str, StringConstraints(max_length=2000)]


Event = Annotated[
    PageView
    | PageProgress
    | PagePing
    | Click
    | Copy
    | FormSubmit
    | Custom
    | EmailDelivered
    | EmailOpen
    | EmailClick
    | EmailBounce
    | EmailComplaint
    | EmailUnsubscribe
    | Identify
    | Withdraw,
    Field(discriminator="type"),
]
EMAIL_EVENTS = (EmailDelivered, EmailOpen, EmailClick, EmailBounce, EmailComplaint, EmailUnsubscribe)
"""Events that name their recipient themselves, whose visitor is the mailing."""

ReportedEvent = Annotated[
    PageView | PageProgress | Click | Copy | FormSubmit | IdentifyByToken, Field(discriminator="type")
]


def page_view_of(event: object) -> str | None:
    """Return the page view an event belongs to, or None for email and identify events, however it was read."""
    return getattr(event, "page_view_id", None)
