"""`GET /l/{token}`, `GET /l/{target}/{token}`: an email link brings its reader to the page, and tells it who came.

Kafka is not waited for: a reader is never kept from a page because of us. A link whose time is over, that is revoked,
or whose token the sender did not fill in, still leads to its page, but identifies nobody. HEAD, which scanners send,
leads there too, without a token, and is kept as what it is.
"""

import asyncio
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import Response

from producers.bundling import Envelopes, envelope_bytes
from producers.collector.answers import page
from producers.collector.clients import client_of
from producers.collector.state import Collector
from producers.email_agents import MACHINES, agent_of, is_data_center
from producers.email_tokens import LinkTarget, Recipient, read_followed
from producers.intake import Client
from producers.links import TokenError, landing_token, landing_url
from schemas.envelope import Envelope
from schemas.errors import ReadbriefError
from schemas.events import EmailAgent, EmailClick, EmailOpen
from schemas.ids import derived_id
from schemas.settings import Settings
from schemas.urls import origin_of

_log = structlog.get_logger()
_MINUTE_MS = 60_000


async def follow_link(collector: Collector, request: Request) -> Response:
    """Redirect a reader to the page of a link."""
    settings, now_ms = collector.settings, collector.now_ms()
    try:
        target, signed = read_followed(settings, request.scope["path"], now_ms=now_ms)
    except TokenError:
        return page(400, "This link is not valid", "It may have been cut off. Please copy all of it from the email.")
    if signed is None or not signed.fresh:
        return redirect(landing_url(target.url, None))
    who = signed.recipient
    if collector.revocations.concern(who.contact_id, who.campaign_id, signed.made_ms):
        return redirect(landing_url(target.url, None))
    hit = hit_of(request, settings)
    keep_in_background(collector, click_of(target, who, now_ms, hit, snippet=_has_snippet(settings, target)))
    if request.method == "HEAD" or target.trap or not _has_snippet(settings, target):
        return redirect(landing_url(target.url, None))
    landing = landing_token(settings, who.site, who.contact_id, who.campaign_id, now_ms=now_ms)
    return redirect(landing_url(target.url, landing))


class Hit:
    """What a request for a link or a picture says of who made it."""

    def __init__(self, client: Client = Client(), agent: EmailAgent = EmailAgent.browser) -> None:  # noqa: B008 - frozen
        """Take what is kept of the client; the rest is set where it is known."""
        self.client = client
        self.agent = agent
        self.head = False
        self.data_center = False

    @property
    def automated(self) -> bool:
        """Whether it is a machine's by itself."""
        return self.client.automated or self.head or self.data_center or self.agent in MACHINES

    def marks(self) -> dict[str, object]:
        """Return the fields of an open or a click."""
        return {"agent": self.agent, "head": self.head, "data_center": self.data_center}

    def key(self) -> str:
        """Tell requests of different makers apart, within one minute."""
        return f"{self.client.network}|{self.agent}|{self.head}|{self.client.automated}"


def hit_of(request: Request, settings: Settings) -> Hit:
    """Return what a request says of who made it."""
    host = request.client.host if request.client else None
    agent = request.headers.get("user-agent")
    hit = Hit(client_of(host, agent), agent_of(agent))
    if hit.agent is EmailAgent.gmail_proxy:  # a bot by its name, and a person's by its time
        hit.client = Client(hit.client.network, automated=False)
    hit.head = request.method == "HEAD"
    hit.data_center = hit.agent is not EmailAgent.gmail_proxy and is_data_center(host, settings.email_data_centers)
    return hit


def click_of(
    target: LinkTarget, who: Recipient, now_ms: int, hit: Hit | None = None, *, snippet: bool = True
) -> Envelope:
    """Return the event of a click; the same link, client and minute are the same event."""
    hit = hit or Hit()
    event = EmailClick(
        event_id=derived_id(
            "click", who.contact_id, who.campaign_id, target.url, target.link, str(now_ms // _MINUTE_MS), hit.key()
        ),
        occurred_ms=now_ms,
        contact_id=who.contact_id,
        campaign_id=who.campaign_id,
        url=target.url,
        link=target.link,
        trap=target.trap,
        snippet=snippet,
        reporter="link",
        **hit.marks(),
    )
    return _envelope(who, event, now_ms, hit, automated=hit.automated or target.trap)


def open_of(who: Recipient, now_ms: int, hit: Hit | None = None) -> Envelope:
    """Return the event of an open; the picture asked for by the same client again within a minute is the same event."""
    hit = hit or Hit()
    event = EmailOpen(
        event_id=derived_id("open", who.contact_id, who.campaign_id, str(now_ms // _MINUTE_MS), hit.key()),
        occurred_ms=now_ms,
        contact_id=who.contact_id,
        campaign_id=who.campaign_id,
        reporter="pixel",
        **hit.marks(),
    )
    return _envelope(who, event, now_ms, hit, automated=hit.automated)


def keep_in_background(collector: Collector, envelope: Envelope) -> None:
    """Keep an event while its answer goes out already."""
    task = asyncio.ensure_future(_publish(collector, envelope))
    collector.background.add(task)
    task.add_done_callback(collector.background.discard)


def _envelope(who: Recipient, event: EmailClick | EmailOpen, now_ms: int, hit: Hit, *, automated: bool) -> Envelope:
    return Envelope(
        site=who.site,
        visitor_id=derived_id("mail", who.contact_id, who.campaign_id),
        sent_ms=now_ms,
        received_ms=now_ms,
        occurred_ms=now_ms,
        event=event,
        automated=automated,
        client_network=hit.client.network,
    )


async def _publish(collector: Collector, envelope: Envelope) -> None:
    try:
        await collector.bundler.add(collector.slot_of(envelope.visitor_id), Envelopes.of([envelope_bytes(envelope)]))
    except ReadbriefError as problem:
        _log.error("email_event_lost", event_id=envelope.event.event_id, site=envelope.site, problem=str(problem))


def _has_snippet(settings: Settings, target: LinkTarget) -> bool:
    return origin_of(target.url) in settings.sites[target.site].origins


def redirect(url: str) -> Response:
    """Lead a reader to an address."""
    location = quote(url, safe=":/%#?=@[]!$&'()*+,;~")  # what is no ASCII has no place in a header
    return Response(status_code=302, headers={"location": location})
