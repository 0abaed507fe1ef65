"""`POST /v1/senders/{sender}/{site}`: what the services that send marketing's emails report.

204 says that every event is kept for good. A request is taken or refused whole: 401 if it is not shown to be the
sender's, and then nothing at all is kept of it; 400 if anything in it is malformed, which leaves a dead letter.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from producers.collector.answers import error, unavailable
from producers.collector.bodies import read_body
from producers.collector.state import Collector
from producers.collector.tracker_requests import address_key, arrival, keep
from producers.content_encoding import unpacked
from producers.metrics import EVENTS_ACCEPTED, REFUSED, counter_of
from producers.refusal import RefusedError
from producers.senders import generic, mailgun, postmark, sendgrid, ses, sns
from producers.senders.reports import Sender, SenderReport, envelopes_of
from producers.translation import Receipt, Translated
from schemas.errors import UnavailableError

PATH = "/v1/senders"
MAX_BYTES = 4_000_000
UNPROVEN = 401

Read = Callable[[], list[SenderReport]]
"""Reads what was proven to be a sender's."""


class Taking:
    """One request of a sender, from proof to reports; `remember` is called once all of it is kept."""

    def __init__(self, collector: Collector, request: Request, body: bytes, now_ms: int) -> None:
        """Take what was sent."""
        self.collector = collector
        self.headers = request.headers
        self.body = body
        self.now_ms = now_ms
        self.signature = ""
        self.proven = False

    def once(self, signature: str) -> None:
        """Check that what proves the request has not proven another, which was accepted.

        Raises:
            RefusedError: 401, it has.
        """
        if self.collector.replays.seen(signature, self.now_ms):
            raise RefusedError(UNPROVEN, "", "this signature was used before")
        self.signature = signature

    def remember(self) -> None:
        """Take note that it was accepted."""
        if self.signature:
            max_age_ms = 1000 * self.collector.settings.sender_max_age_s
            self.collector.replays.remember(self.signature, self.now_ms + max_age_ms)


async def take_webhook(collector: Collector, request: Request) -> Response:
    """Take one request of a sender."""
    name, site_key = request.path_params["sender"], request.path_params["site"]
    _, headers, now_ms = arrival(collector, request)
    site, prove = collector.settings.sites.get(site_key), _SENDERS.get(name)
    if site is None or prove is None or not _is_configured(collector, name):
        return error(404, "no such sender or site is configured", headers=headers)
    body = await read_body(request.receive, MAX_BYTES)
    path = f"{PATH}/{name}"
    taking = Taking(collector, request, body, now_ms)
    try:
        taking.body = unpacked(body, request.headers.get("content-encoding"), MAX_BYTES)
        read = await prove(taking)
        taking.proven = True
        reports = read()
        sender = Sender(name, collector.settings, Receipt(site_key, site, now_ms, address_key(collector)))
        envelopes = envelopes_of(reports, sender)
        await keep(collector, request, path, Translated(envelopes), now_ms)
    except RefusedError as refused:
        return await _refuse(taking, request, path, refused, body)
    except UnavailableError:
        return unavailable(headers)
    taking.remember()
    counter_of(EVENTS_ACCEPTED, site_key).inc(len(envelopes))
    return Response(status_code=204, headers=headers)


async def _refuse(taking: Taking, request: Request, path: str, refused: RefusedError, body: bytes) -> Response:
    REFUSED.labels(refused.status).inc()
    if refused.status == UNPROVEN:  # whoever it is must not be able to write anything anywhere
        scheme = 'Basic realm="readbrief"' if request.path_params["sender"] == "postmark" else "Signature"
        return error(UNPROVEN, refused.message, headers={"www-authenticate": scheme})
    try:
        letters = taking.collector.dead_letters
        await letters.keep(path, refused, body, taking.now_ms, is_bounded=not taking.proven)
    except UnavailableError:
        return unavailable()
    return error(refused.status, refused.message, refused.field)


async def _sendgrid(taking: Taking) -> Read:
    settings = taking.collector.settings
    key, max_age_s = settings.sendgrid_public_key, settings.sender_max_age_s
    sendgrid.verify(taking.body, taking.headers, key, taking.now_ms, max_age_s)
    return partial(sendgrid.read, taking.body)


async def _mailgun(taking: Taking) -> Read:
    settings = taking.collector.settings
    key = settings.mailgun_signing_key.get_secret_value()
    signed = mailgun.verify(taking.body, key, taking.now_ms, settings.sender_max_age_s)
    taking.once(f"mailgun {signed.token}")
    return partial(mailgun.read, signed)


async def _postmark(taking: Taking) -> Read:
    login = taking.collector.settings.postmark_login.get_secret_value()
    postmark.verify(taking.headers.get("authorization", ""), login)
    return partial(postmark.read, taking.body)


async def _ses(taking: Taking) -> Read:
    collector, settings = taking.collector, taking.collector.settings
    said = await asyncio.to_thread(
        sns.verify,
        taking.body,
        taking.headers,
        settings.ses_topics,
        collector.certificates,
        taking.now_ms,
        settings.sender_max_age_s,
    )
    if said["Type"] == sns.CONFIRMATION:
        await asyncio.to_thread(collector.fetch_from_aws, sns.confirmation_of(said))
    return partial(ses.read, said) if said["Type"] == sns.NOTIFICATION else list


async def _generic(taking: Taking) -> Read:
    secret = taking.collector.settings.sender_secret.get_secret_value()
    signature = generic.verify(taking.body, taking.headers.get(generic.SIGNATURE, ""), secret, taking.now_ms)
    taking.once(f"generic {signature}")
    return partial(generic.read, taking.body)


_SENDERS: dict[str, Callable[[Taking], Awaitable[Read]]] = {
    "sendgrid": _sendgrid,
    "mailgun": _mailgun,
    "postmark": _postmark,
    "ses": _ses,
    "generic": _generic,
}


def _is_configured(collector: Collector, sender: str) -> bool:
    settings = collector.settings
    secrets = {
        "sendgrid": settings.sendgrid_public_key,
        "mailgun": settings.mailgun_signing_key.get_secret_value(),
        "postmark": settings.postmark_login.get_secret_value(),
        "ses": settings.ses_topics,
        "generic": settings.sender_secret.get_secret_value(),
    }
    return bool(secrets[sender])


ROUTES = [(f"{PATH}/{{sender}}/{{site}}", take_webhook, ["POST"])]
"""Path, endpoint and methods of each route."""
