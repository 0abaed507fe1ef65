"""From a report to the bytes of its envelopes, none of which is built, as each would be read only once. Pure."""

from typing import Any

import msgspec

from producers.bundling import Envelopes
from producers.form_addresses import without_addresses
from producers.intake import Client, corrected_ms
from producers.link_marks import link_marks
from producers.links import TokenError, read_landing, read_site_token
from producers.refusal import RefusedError
from producers.report_reading import EVENT_TYPES, ReadReport
from producers.structs import struct_of
from schemas.addresses import ADDRESS_PURPOSE
from schemas.events import Click, FormSubmit, Identify, IdentifyByToken, IdentifyMethod
from schemas.settings import Settings

_CLICK, _BY_TOKEN, _FORM = struct_of(Click), struct_of(IdentifyByToken), struct_of(FormSubmit)
_KEPT_AS_SENT = frozenset(EVENT_TYPES) - {_CLICK, _BY_TOKEN, _FORM}
_encoder = msgspec.json.Encoder()


class _Envelope(msgspec.Struct, omit_defaults=True, gc=False):
    """An `Envelope`, to be written."""

    site: str
    visitor_id: str
    sent_ms: int
    received_ms: int
    occurred_ms: int
    event: Any
    automated: bool = False
    client_network: str | None = None


def envelopes_bytes(report: ReadReport, received_ms: int, settings: Settings, client: Client) -> Envelopes:
    """Return an `Envelope` for each event of a report received at a time of the collector's clock, as JSON.

    Raises:
        RefusedError: 400, a token is forged, expired or another site's; the field path says which.
    """
    site, visitor_id, sent_ms = report.site, report.visitor_id, report.sent_ms
    envelopes = [
        _Envelope(
            site,
            visitor_id,
            sent_ms,
            received_ms,
            corrected_ms(reported.occurred_ms, sent_ms, received_ms),
            event,
            client.automated,
            client.network,
        )
        for index, reported in enumerate(report.events)
        for event in (
            (reported,) if type(reported) in _KEPT_AS_SENT else _known(reported, index, site, received_ms, settings)
        )
    ]
    return Envelopes(_encoder.encode(envelopes)[1:-1], len(envelopes))  # without the list's brackets


def _known(event: Any, index: int, site: str, now_ms: int, settings: Settings) -> tuple[Any, ...]:
    """Return an event as it is kept: a click says where its link leads, a token becomes the contact it stands for.

    A form that tells an address becomes two: who the visitor says to be, and the form without it.

    Raises:
        RefusedError: 400, the token is forged, expired or another site's; `index` is the event's in its report.
    """
    kind = type(event)
    if kind is _CLICK and event.href:
        is_file, event.outbound = link_marks(event.href, event.url, settings.sites[site].origins)
        event.download = event.download or is_file
    elif kind is _BY_TOKEN:
        return (_identified(event, index, site, now_ms, settings),)
    elif kind is _FORM and event.fields:
        sent = FormSubmit.model_validate(msgspec.to_builtins(event))
        form, said = without_addresses(sent, settings.signing_key(ADDRESS_PURPOSE))
        return tuple(each.model_dump(exclude_none=True) for each in (said, form) if each)
    return (event,)


def _identified(event: Any, index: int, site: str, now_ms: int, settings: Settings) -> dict[str, Any]:
    field = f"events.{index}.token"
    token_site, contact_id, campaign_id, method = _claims(event.token, field, now_ms, settings)
    if token_site != site:
        raise RefusedError(400, field, "the token was made for another site")
    identified = Identify(
        event_id=event.event_id,
        occurred_ms=event.occurred_ms,
        contact_id=contact_id,
        method=method,
        campaign_id=campaign_id,
    )
    return identified.model_dump(exclude_none=True)


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
