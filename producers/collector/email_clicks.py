"""`GET /l/{token}`: an email link brings its reader to the page, and tells the page who came.

Kafka is not waited for: a reader is never kept from a page because of us. A link whose time is over still leads to
its page, but identifies nobody. HEAD, which mail scanners send, leads there too and leaves no trace.
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
from producers.intake import Client
from producers.links import EmailLink, TokenError, landing_token, landing_url, read_link
from schemas.envelope import Envelope
from schemas.errors import ReadbriefError
from schemas.events import EmailClick
from schemas.ids import derived_id

_log = structlog.get_logger()
_MINUTE_MS = 60_000


async def follow_link(collector: Collector, request: Request) -> Response:
    """Redirect a reader to the page of a link."""
    token = request.path_params["token"]
    now_ms = collector.now_ms()
    client = client_of(request.client.host if request.client else None, request.headers.get("user-agent"))
    try:
        link, fresh = read_link(collector.settings, token, now_ms=now_ms)
    except TokenError:
        return page(400, "This link is not valid", "It may have been cut off. Please copy all of it from the email.")
    if request.method == "HEAD" or not fresh:
        return redirect(landing_url(link.url, None))
    _in_background(collector, click_of(link, token, now_ms, client))
    landing = landing_token(collector.settings, link.site, link.contact_id, link.campaign_id, now_ms=now_ms)
    return redirect(landing_url(link.url, landing))


def click_of(link: EmailLink, token: str, now_ms: int, client: Client = Client()) -> Envelope:  # noqa: B008 - it is frozen
    """Return the event of a click; the same link followed again within the same minute is the same event."""
    return Envelope(
        site=link.site,
        visitor_id=derived_id("mail", link.contact_id, link.campaign_id),
        sent_ms=now_ms,
        received_ms=now_ms,
        occurred_ms=now_ms,
        event=EmailClick(
            event_id=derived_id("click", token, str(now_ms // _MINUTE_MS)),
            occurred_ms=now_ms,
            contact_id=link.contact_id,
            campaign_id=link.campaign_id,
            url=link.url,
        ),
        automated=client.automated,
        client_network=client.network,
    )


def _in_background(collector: Collector, envelope: Envelope) -> None:
    task = asyncio.ensure_future(_publish(collector, envelope))
    collector.background.add(task)
    task.add_done_callback(collector.background.discard)


async def _publish(collector: Collector, envelope: Envelope) -> None:
    try:
        await collector.bundler.add(collector.slot_of(envelope.visitor_id), Envelopes.of([envelope_bytes(envelope)]))
    except ReadbriefError as problem:
        _log.error("email_click_lost", event_id=envelope.event.event_id, site=envelope.site, problem=str(problem))


def redirect(url: str) -> Response:
    """Lead a reader to an address."""
    location = quote(url, safe=":/%#?=@[]!$&'()*+,;~")  # what is no ASCII has no place in a header
    return Response(status_code=302, headers={"location": location})
