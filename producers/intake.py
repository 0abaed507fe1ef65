"""From what the snippet posted to envelopes: checked, with times corrected and tokens turned into contacts. Pure."""

import zlib
from collections.abc import Mapping
from typing import NamedTuple

from pydantic import ValidationError

from producers.form_addresses import without_addresses
from producers.link_marks import with_link_marks
from producers.links import TokenError, read_landing, read_site_token
from schemas.addresses import ADDRESS_PURPOSE
from schemas.envelope import Envelope, Report
from schemas.events import Click, Event, FormSubmit, Identify, IdentifyByToken, IdentifyMethod, ReportedEvent
from schemas.settings import Settings, Site

MAX_REPORT_BYTES = 65_536
OLDEST_EVENT_MS = 30 * 86_400_000

_LONGEST_MESSAGE = 500
_CONTENT_TYPES = frozenset({"text/plain", "application/json"})


class RefusedError(Exception):
    """A report can't be accepted: the HTTP status to answer, the field that is wrong (empty: the whole) and why."""

    def __init__(self, status: int, field: str, message: str) -> None:
        super().__init__(f"{field or '(whole report)'}: {message[:_LONGEST_MESSAGE]}")
        self.status = status
        self.field = field
        self.message = message[:_LONGEST_MESSAGE]  # it may quote what was sent


class Client(NamedTuple):
    """What is kept of who sent a report: the network of its address, and whether it is a known machine."""

    network: str | None = None
    automated: bool = False


def check_content_type(content_type: str | None) -> None:
    """Accept the types a beacon can have.

    Raises:
        RefusedError: 415, it has another.
    """
    if (content_type or "").partition(";")[0].strip().lower() not in _CONTENT_TYPES:
        raise RefusedError(415, "", "the content type must be text/plain or application/json")


def decoded(body: bytes, encoding: str | None) -> bytes:
    """Return a body without its content encoding, which may be gzip.

    Raises:
        RefusedError: 415, it has another; 413, it is over 64 KB, as sent or unpacked; 400, it is no whole gzip.
    """
    if len(body) > MAX_REPORT_BYTES:
        raise RefusedError(413, "", f"a report may have {MAX_REPORT_BYTES} bytes")
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        return body
    if name not in {"gzip", "x-gzip"}:
        raise RefusedError(415, "", "the content encoding must be gzip, or none")
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        unpacked = unpacking.decompress(body, MAX_REPORT_BYTES + 1)
    except zlib.error as error:
        raise RefusedError(400, "", "the body is no gzip") from error
    if len(unpacked) > MAX_REPORT_BYTES:
        raise RefusedError(413, "", f"a report may have {MAX_REPORT_BYTES} bytes, unpacked")
    if not unpacking.eof or unpacking.unused_data:
        raise RefusedError(400, "", "the gzip is cut off, or followed by something else")
    return unpacked


def read_report(body: bytes) -> Report:
    """Read a report from the body of a request.

    Raises:
        RefusedError: 413, it is over 64 KB; 400, it is no report, and the field path says where.
    """
    if len(body) > MAX_REPORT_BYTES:
        raise RefusedError(413, "", f"a report may have {MAX_REPORT_BYTES} bytes")
    try:
        return Report.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RefusedError(400, _field(first["loc"], first["type"]), first["msg"]) from error


def check_sender(report: Report, origin: str | None, sites: Mapping[str, Site]) -> None:
    """Check that the site is known and that the page, where the browser names its origin, is one of the site's.

    Raises:
        RefusedError: 403, one of them is not so.
    """
    site = sites.get(report.site)
    if site is None:
        raise RefusedError(403, "site", "no such site is configured")
    if origin is not None and origin not in site.origins:
        raise RefusedError(403, "site", "the page's origin is none of this site's")


def envelopes_of(
    report: Report,
    received_ms: int,
    settings: Settings,
    client: Client = Client(),  # noqa: B008 - it is frozen
) -> tuple[Envelope, ...]:
    """Return one envelope per event of a report received at a time of the collector's clock; two for a form that tells.

    Raises:
        RefusedError: 400, a token is forged, expired or another site's; the field path says which.
    """
    return tuple(
        Envelope(
            site=report.site,
            visitor_id=report.visitor_id,
            sent_ms=report.sent_ms,
            received_ms=received_ms,
            occurred_ms=corrected_ms(event.occurred_ms, report.sent_ms, received_ms),
            event=event,
            automated=client.automated,
            client_network=client.network,
        )
        for index, reported in enumerate(report.events)
        for event in known_events(reported, index, report.site, received_ms, settings)
    )


def corrected_ms(occurred_ms: int, sent_ms: int, received_ms: int) -> int:
    """Return when an event occurred by the collector's clock, given both times of the client's clock.

    The client's clock may be wrong by years, but it runs evenly, so only the event's age counts. An event is never
    later than its receipt, nor more than 30 days before it: no beacon waits longer, so more is a broken clock.
    """
    age_ms = min(max(sent_ms - occurred_ms, 0), OLDEST_EVENT_MS)
    return max(received_ms - age_ms, 0)


def known_events(event: ReportedEvent, index: int, site: str, now_ms: int, settings: Settings) -> tuple[Event, ...]:
    """Return an event with its token, if it has one, turned into the contact that it stands for.

    A form that tells an address becomes two: who the visitor says to be, and the form without it.

    Raises:
        RefusedError: 400, the token is forged, expired or another site's; `index` is the event's in its report.
    """
    if isinstance(event, Click):
        return (with_link_marks(event, settings.sites[site].origins),)
    if isinstance(event, FormSubmit) and event.fields:
        form, said = without_addresses(event, settings.signing_key(ADDRESS_PURPOSE))
        return (said, form) if said else (form,)
    if not isinstance(event, IdentifyByToken):
        return (event,)
    claims = _claims(event.token, f"events.{index}.token", now_ms, settings)
    token_site, contact_id, campaign_id, method = claims
    if token_site != site:
        raise RefusedError(400, f"events.{index}.token", "the token was made for another site")
    known = Identify(
        event_id=event.event_id,
        occurred_ms=event.occurred_ms,
        contact_id=contact_id,
        method=method,
        campaign_id=campaign_id,
    )
    return (known,)


def _claims(token: str, field: str, now_ms: int, settings: Settings) -> tuple[str, str, str | None, IdentifyMethod]:
    try:
        landing = read_landing(settings, token, now_ms=now_ms)
    except TokenError as no_landing:
        try:
            logged_in = read_site_token(settings, token, now_ms=now_ms)
        except TokenError as no_site_token:
            fault = max(no_landing.fault, no_site_token.fault, key=lambda each: each == "expired")
            raise RefusedError(400, field, f"the token is {fault}") from no_site_token
        return logged_in.site, logged_in.contact_id, None, IdentifyMethod.site_token
    return landing.site, landing.contact_id, landing.campaign_id, IdentifyMethod.email_link


def _field(location: tuple[int | str, ...], error_type: str) -> str:
    """Name a field as the sender wrote it: pydantic puts the event's type into the path, and leaves `type` out."""
    parts = [str(part) for part in location]
    if len(parts) > 2 and parts[0] == "events":  # noqa: PLR2004 - events, index, type
        del parts[2]
    if error_type.startswith("union_tag"):
        parts.append("type")
    return ".".join(parts)
