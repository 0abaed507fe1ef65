"""What a prepared mail's links carry: where they lead, signed when the mail is prepared, and for whom, by a token.

A link is `/l/TARGET/TOKEN`. The target holds for all recipients, and leads to its page for as long as its host is
allowed. The token names the recipient, lives for `link_max_age_days`, and can be revoked; without a good one a reader
comes to the page all the same, as nobody. Neither is of use beside a partner of another site or campaign.
"""

from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from itsdangerous import BadData, SignatureExpired
from pydantic import ValidationError

from producers.links import (
    CLOCK_SKEW_S,
    DAY_S,
    Fault,
    TokenError,
    leads_to,
    read_link,
    serializer,
    sign_values,
    values_as,
)
from schemas.errors import InputError
from schemas.message import Id, Label, Model, Url, first_error
from schemas.settings import Settings
from schemas.urls import origin_of

_TARGET = "email-target"
_RECIPIENT = "email-recipient"
_EMAIL_LINK = "email-link"

LINK_PATH = "/l/"
PIXEL_PATH = "/o/"


class LinkTarget(Model):
    """Where a link of a campaign leads, and what its text is; a trap is the hidden link that no person sees."""

    site: Id
    campaign_id: Id
    url: Url
    link: Label = ""
    trap: bool = False


class Recipient(Model):
    """Whom a mail of a campaign was made for."""

    site: Id
    contact_id: Id
    campaign_id: Id


class Signed(NamedTuple):
    """A recipient's token as read: when it was made, in Unix milliseconds, and whether its time is not over."""

    recipient: Recipient
    made_ms: int
    fresh: bool


class Followed(NamedTuple):
    """A link that was followed: where it leads, and for whom it was made, None if that can't be told."""

    target: LinkTarget
    signed: Signed | None


def target_token(settings: Settings, target: LinkTarget, *, now_ms: int) -> str:
    """Sign where a link leads.

    Raises:
        InputError: the site is not configured, or the URL is on none of its origins and no allowed host.
    """
    if not is_allowed(settings, target.site, target.url):
        raise InputError(
            f"{target.url!r} is no page of site {target.site!r}, nor on a host of READBRIEF_EMAIL_LINK_HOSTS"
        )
    return sign_values(settings, _TARGET, target, now_ms)


def recipient_token(settings: Settings, site: str, contact_id: str, campaign_id: str, *, now_ms: int) -> str:
    """Make the token that the sender fills into a contact's mail.

    Raises:
        InputError: the site is not configured, or an id is malformed.
    """
    if site not in settings.sites:
        raise InputError(f"{site!r} is no configured site: add it to READBRIEF_SITES")
    try:
        recipient = Recipient(site=site, contact_id=contact_id, campaign_id=campaign_id)
    except ValidationError as error:
        raise InputError(first_error(error)) from error
    return sign_values(settings, _RECIPIENT, recipient, now_ms)


def read_target(settings: Settings, token: str, *, now_ms: int) -> LinkTarget:
    """Return where a link leads; that never expires.

    Raises:
        TokenError: it was not made with this secret, or its site or host is not allowed any more.
    """
    target = values_as(LinkTarget, _loads(settings, _TARGET, token, None, now_ms)[0])
    if not is_allowed(settings, target.site, target.url):
        raise TokenError(Fault.forged)
    return target


def read_recipient(settings: Settings, token: str, *, now_ms: int) -> Signed:
    """Return for whom a token was made; one whose time is over, or is yet to come, is not fresh.

    Raises:
        TokenError: it was not made with this secret, or its site is not configured any more.
    """
    payload, made = _loads(settings, _RECIPIENT, token, None, now_ms)
    recipient = values_as(Recipient, payload)
    if recipient.site not in settings.sites:
        raise TokenError(Fault.forged)
    made_ms = round(made.timestamp() * 1000)
    age_s = now_ms // 1000 - made_ms // 1000
    return Signed(recipient, made_ms, -CLOCK_SKEW_S <= age_s <= settings.link_max_age_days * DAY_S)


def read_followed(settings: Settings, path: str, *, now_ms: int) -> Followed:
    """Return what the path of a link says: that of a prepared mail, or of a link made for one contact.

    Raises:
        TokenError: where it leads was not made with this secret, or is not allowed any more.
    """
    first, _, second = path.removeprefix(LINK_PATH).partition("/")
    if not second:
        with suppress(TokenError):  # else it is a prepared mail's link, whose token was lost
            return _single(settings, first, now_ms)
    target = read_target(settings, first, now_ms=now_ms)
    try:
        signed = read_recipient(settings, second, now_ms=now_ms)
    except TokenError:
        return Followed(target, None)
    same = (signed.recipient.site, signed.recipient.campaign_id) == (target.site, target.campaign_id)
    return Followed(target, signed if same else None)


def link_in(settings: Settings, url: str, *, now_ms: int) -> Followed | None:
    """Return what a URL says if it is a link that this collector made, None if it is any other."""
    base = settings.collector_url.rstrip("/")
    if not url.startswith(base + LINK_PATH):
        return None
    try:
        return read_followed(settings, url[len(base) :].partition("?")[0].partition("#")[0], now_ms=now_ms)
    except TokenError:
        return None


def is_allowed(settings: Settings, site: str, url: str) -> bool:
    """Say whether a site's mails may lead to a URL: to its own origins, or to an allowed host by https or http."""
    known = settings.sites.get(site)
    if known is None:
        return False
    if leads_to(known, url):
        return True
    odd = any(ord(character) <= ord(" ") or character == "\x7f" for character in url)
    if odd or origin_of(url) is None:
        return False
    return (urlsplit(url).hostname or "") in settings.email_link_hosts


def _single(settings: Settings, token: str, now_ms: int) -> Followed:
    link, fresh = read_link(settings, token, now_ms=now_ms)
    made = _loads(settings, _EMAIL_LINK, token, None, now_ms)[1]
    recipient = Recipient(site=link.site, contact_id=link.contact_id, campaign_id=link.campaign_id)
    target = LinkTarget(site=link.site, campaign_id=link.campaign_id, url=link.url)
    return Followed(target, Signed(recipient, round(made.timestamp() * 1000), fresh))


def _loads(settings: Settings, purpose: str, token: str, max_age_s: int | None, now_ms: int) -> tuple[Any, datetime]:
    try:
        payload, made = serializer(settings, purpose, now_ms).loads(token, max_age=max_age_s, return_timestamp=True)
    except SignatureExpired as error:
        raise TokenError(Fault.expired) from error
    except (BadData, ValueError) as error:
        raise TokenError(Fault.forged) from error
    return payload, made
