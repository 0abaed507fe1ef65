"""What is signed for people who sign in: links in mails, sessions in cookies, and the tokens of forms.

Each is good for its own purpose only. Whether a link or a session was used up is not in it: see `spent`.
"""

import hmac
import secrets
from hashlib import blake2b
from typing import Any, NamedTuple

from itsdangerous import BadData, URLSafeTimedSerializer

from schemas.settings import Settings
from schemas.signing import SignerAt

_HOUR_S, _MINUTE_S = 3600, 60
FORM_MAX_AGE_S = _HOUR_S
OIDC_MAX_AGE_S = 10 * _MINUTE_S


class Pass(NamedTuple):
    """Who came, under which number, and where they want to go (of a link)."""

    address: str
    number: str
    to: str = "/"


def new_link(settings: Settings, address: str, to: str, *, now_ms: int) -> str:
    """Return the token of a link that signs an address in."""
    return sign(settings, "web-link", [address, secrets.token_urlsafe(16), to], now_ms)


def read_link(settings: Settings, token: str, *, now_ms: int) -> Pass | None:
    """Return what a link says; None if it is forged or too old."""
    said = unsign(settings, "web-link", token, settings.web_link_minutes * _MINUTE_S, now_ms)
    return Pass(*said) if said is not None else None


def new_session(settings: Settings, address: str, *, now_ms: int) -> str:
    """Return the value of a session's cookie."""
    return sign(settings, "web-session", [address, secrets.token_urlsafe(16)], now_ms)


def read_session(settings: Settings, cookie: str, *, now_ms: int) -> Pass | None:
    """Return whose session a cookie is; None if it is forged or too old."""
    said = unsign(settings, "web-session", cookie, settings.web_session_hours * _HOUR_S, now_ms)
    return Pass(*said) if said is not None else None


def form_token(settings: Settings, session: Pass) -> str:
    """Return the token that each form of a session carries, without which nothing is changed."""
    key = settings.signing_key("web-form")
    return blake2b(session.number.encode(), key=key[:64], digest_size=24).hexdigest()


def is_form_token(settings: Settings, session: Pass, token: str) -> bool:
    """Say whether a form is one of this session."""
    return hmac.compare_digest(form_token(settings, session).encode(), token.encode(errors="replace"))


def sign(settings: Settings, purpose: str, claims: Any, now_ms: int) -> str:
    """Sign plain values for one purpose."""
    said = _serializer(settings, purpose, now_ms).dumps(claims)
    return said if isinstance(said, str) else said.decode()


def unsign(settings: Settings, purpose: str, token: str, max_age_s: int, now_ms: int) -> Any:
    """Return what was signed; None if it was not for this purpose, or too long ago."""
    try:
        return _serializer(settings, purpose, now_ms).loads(token, max_age=max_age_s)
    except BadData:
        return None


def _serializer(settings: Settings, purpose: str, now_ms: int) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        settings.signing_key(purpose), signer=SignerAt, signer_kwargs={"now_s": now_ms // 1000}
    )
