"""Signed email links, and the tokens that tell a page who is reading it.

Nobody can make or change one without the secret, each kind is good for its own purpose only, and none is good for
another site than the one it was made for.
"""

import hashlib
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import quote

from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer
from pydantic import ValidationError

from schemas.errors import InputError
from schemas.message import Id, Model, Url, first_error
from schemas.settings import Settings, Site
from schemas.signing import SignerAt
from schemas.urls import origin_of

DAY_S = 86_400
SITE_TOKEN_MAX_AGE_S = DAY_S
CLOCK_SKEW_S = 60

_M = TypeVar("_M", bound=Model)

_EMAIL_LINK = "email-link"
_LANDING = "landing"
_SITE_TOKEN = "site-token"  # noqa: S105 - a purpose's name, not a secret


class EmailLink(Model):
    """Whom an email link was made for, and where it leads."""

    site: Id
    contact_id: Id
    campaign_id: Id
    url: Url


class Landing(Model):
    """Who came to a page by an email link."""

    site: Id
    contact_id: Id
    campaign_id: Id


class SiteToken(Model):
    """Who is logged in to a site, on that site's word."""

    site: Id
    contact_id: Id


class Fault(StrEnum):
    """What is wrong with a token."""

    forged = "forged"
    expired = "expired"


class TokenError(InputError):
    """A token is no good; `expired` ones were good once."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"the token is {fault}")
        self.fault = fault


def email_link(settings: Settings, site: str, contact_id: str, campaign_id: str, url: str, *, now_ms: int) -> str:
    """Make the link that an email to a contact holds in place of a page's URL.

    Raises:
        InputError: the site is not configured, the URL is on none of its origins, or an id is malformed.
    """
    known = settings.sites.get(site)
    if known is None:
        raise InputError(f"{site!r} is no configured site: add it to READBRIEF_SITES")
    if not leads_to(known, url):
        raise InputError(f"{url!r} is no page on the origins of site {site!r} ({', '.join(known.origins)})")
    try:
        link = EmailLink(site=site, contact_id=contact_id, campaign_id=campaign_id, url=url)
    except ValidationError as error:
        raise InputError(first_error(error)) from error
    return f"{settings.collector_url.rstrip('/')}/l/{sign_values(settings, _EMAIL_LINK, link, now_ms)}"


def read_link(settings: Settings, token: str, *, now_ms: int) -> tuple[EmailLink, bool]:
    """Return what the token of an email link says, and whether it still identifies the reader or has expired.

    Raises:
        TokenError: the token was not made with this secret, or its site or target is not allowed any more.
    """
    try:
        payload, fresh = _read(settings, _EMAIL_LINK, token, settings.link_max_age_days * DAY_S, now_ms), True
    except SignatureExpired as expired:
        payload, fresh = _expired_payload(settings, _EMAIL_LINK, expired, now_ms), False
    link = values_as(EmailLink, payload)
    known = settings.sites.get(link.site)
    if known is None or not leads_to(known, link.url):
        raise TokenError(Fault.forged)
    return link, fresh


def landing_token(settings: Settings, site: str, contact_id: str, campaign_id: str, *, now_ms: int) -> str:
    """Make the short-lived token that a landing page gets in its address."""
    landing = Landing(site=site, contact_id=contact_id, campaign_id=campaign_id)
    return sign_values(settings, _LANDING, landing, now_ms)


def read_landing(settings: Settings, token: str, *, now_ms: int) -> Landing:
    """Return what a landing token says.

    Raises:
        TokenError: it is forged or older than `landing_max_age_s`.
    """
    return values_as(Landing, _fresh(settings, _LANDING, token, settings.landing_max_age_s, now_ms))


def site_token(settings: Settings, site: str, contact_id: str, *, now_ms: int) -> str:
    """Make the token by which a site's own server says who is logged in; it lives for one day."""
    return sign_values(settings, _SITE_TOKEN, SiteToken(site=site, contact_id=contact_id), now_ms)


def read_site_token(settings: Settings, token: str, *, now_ms: int) -> SiteToken:
    """Return what a site token says.

    Raises:
        TokenError: it is forged or older than a day.
    """
    return values_as(SiteToken, _fresh(settings, _SITE_TOKEN, token, SITE_TOKEN_MAX_AGE_S, now_ms))


def leads_to(site: Site, url: str) -> bool:
    """Say whether a URL lies on one of a site's origins; what browsers and servers may read differently does not."""
    odd = any(ord(character) <= ord(" ") or character == "\x7f" for character in url)
    return not odd and origin_of(url) in site.origins


def landing_url(url: str, token: str | None) -> str:
    """Return where a reader is sent: the target, with the landing token, if any, before the target's own fragment."""
    if token is None:
        return url
    base, _, own = url.partition("#")
    return f"{base}#rb={token}&{quote(own, safe='')}" if own else f"{base}#rb={token}"


def signed(settings: Settings, purpose: str, claims: Any, now_ms: int) -> str:
    """Return a token of claims, made at a moment, that is good for one purpose only."""
    return str(serializer(settings, purpose, now_ms).dumps(claims))


def read_payload(settings: Settings, purpose: str, token: str, max_age_s: int, now_ms: int) -> Any:
    """Return a token's claims.

    Raises:
        TokenError: it was not made with this secret and for this purpose.
        SignatureExpired: it is too old.
    """
    return _read(settings, purpose, token, max_age_s, now_ms)


def serializer(settings: Settings, purpose: str, now_ms: int) -> URLSafeTimedSerializer:
    """Return what signs and reads the tokens of one purpose as of a moment."""
    return URLSafeTimedSerializer(
        settings.signing_key(purpose),
        salt=purpose,
        signer=SignerAt,
        signer_kwargs={"digest_method": hashlib.sha256, "now_s": now_ms // 1000},
    )


def sign_values(settings: Settings, purpose: str, claims: Model, now_ms: int) -> str:
    """Return a token of a model's values alone, in its order: a link is as short as it can be."""
    return str(serializer(settings, purpose, now_ms).dumps(list(claims.model_dump().values())))


def _read(settings: Settings, purpose: str, token: str, max_age_s: int, now_ms: int) -> Any:
    try:
        return serializer(settings, purpose, now_ms).loads(token, max_age=max_age_s)
    except SignatureExpired as expired:
        signed_s = expired.date_signed.timestamp() if expired.date_signed else 0.0
        if not 0 < signed_s - now_ms // 1000 <= CLOCK_SKEW_S:
            raise
        return _expired_payload(settings, purpose, expired, now_ms)  # made on a machine whose clock is a bit ahead
    except (BadData, ValueError) as error:
        raise TokenError(Fault.forged) from error


def _fresh(settings: Settings, purpose: str, token: str, max_age_s: int, now_ms: int) -> Any:
    try:
        return _read(settings, purpose, token, max_age_s, now_ms)
    except SignatureExpired as error:
        raise TokenError(Fault.expired) from error


def _expired_payload(settings: Settings, purpose: str, expired: SignatureExpired, now_ms: int) -> Any:
    """Return the payload of a token whose signature is right and only its time over."""
    payload = expired.payload
    if payload is None:
        raise TokenError(Fault.forged) from expired
    try:
        return serializer(settings, purpose, now_ms).load_payload(payload)
    except BadData as error:
        raise TokenError(Fault.forged) from error


def values_as(kind: type[_M], payload: Any) -> _M:
    """Return the model whose values a token held.

    Raises:
        TokenError: they are another model's, or break its rules.
    """
    fields = list(kind.model_fields)
    if not isinstance(payload, list) or len(payload) != len(fields):
        raise TokenError(Fault.forged)
    try:
        return kind.model_validate(dict(zip(fields, payload, strict=True)))
    except ValidationError as error:
        raise TokenError(Fault.forged) from error
