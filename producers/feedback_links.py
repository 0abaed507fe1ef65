"""The signed links by which a brief's opening, its clicks and the rep's answers come back."""

from typing import Any

from itsdangerous import SignatureExpired
from pydantic import ValidationError

from producers.links import DAY_S, Fault, TokenError, read_payload, signed
from schemas.feedback import FeedbackKind, FeedbackRef
from schemas.message import Model, Url
from schemas.settings import Settings

FEEDBACK_MAX_AGE_S = 60 * DAY_S
FORM_MAX_AGE_S = 3_600
_FORM = "form"


class Feedback(Model):
    """What a link says; `signed_ms` is when the message left the outbox, in Unix milliseconds."""

    kind: FeedbackKind
    about: FeedbackRef
    url: Url | None = None
    signed_ms: int


def feedback_link(settings: Settings, kind: FeedbackKind, about: FeedbackRef, url: str, signed_ms: int) -> str:
    """Make a link of a message to a rep; it lives for 60 days."""
    claims = [
        about.delivery_id, about.rep_id, about.channel, about.language,
        list(about.brief_ids), list(about.account_ids), url, signed_ms,
    ]  # fmt: skip
    token = signed(settings, _purpose(kind), claims, signed_ms)
    return f"{settings.collector_url.rstrip('/')}/f/{kind}/{token}"


def read_feedback(settings: Settings, kind: FeedbackKind, token: str, *, now_ms: int) -> Feedback:
    """Return what the token of a link says.

    Raises:
        TokenError: it was made for another kind or with another secret, or its time is over.
    """
    try:
        claims = read_payload(settings, _purpose(kind), token, FEEDBACK_MAX_AGE_S, now_ms)
    except SignatureExpired as error:
        raise TokenError(Fault.expired) from error
    return _feedback(kind, claims)


def form_token(settings: Settings, link_token: str, *, now_ms: int) -> str:
    """Make the token that a page's form sends back: only who has seen the page can press its button."""
    return signed(settings, _FORM, link_token[-43:], now_ms)


def check_form(settings: Settings, form: str, link_token: str, *, now_ms: int) -> None:
    """Check that a form is this link's, and of the last hour.

    Raises:
        TokenError: it is not.
    """
    try:
        said = read_payload(settings, _FORM, form, FORM_MAX_AGE_S, now_ms)
    except SignatureExpired as error:
        raise TokenError(Fault.expired) from error
    if said != link_token[-43:]:
        raise TokenError(Fault.forged)


def _purpose(kind: FeedbackKind) -> str:
    return f"fb-{kind}"


def _feedback(kind: FeedbackKind, claims: Any) -> Feedback:
    if not isinstance(claims, list) or len(claims) != len(FeedbackRef.model_fields) + 2:
        raise TokenError(Fault.forged)
    *about, url, signed_ms = claims
    try:
        ref = FeedbackRef(**dict(zip(FeedbackRef.model_fields, about, strict=True)))
        return Feedback(kind=kind, about=ref, url=url or None, signed_ms=signed_ms)
    except ValidationError as error:
        raise TokenError(Fault.forged) from error
