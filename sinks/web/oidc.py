"""Single sign-on by OpenID Connect: authorization code flow with PKCE, state and nonce.

What is remembered in between stands in a signed cookie of ten minutes, so that only the browser that began can finish.
Whom the issuer names by a verified address signs in as that address; what it may see is the directory's to say.
"""

import secrets
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.responses import Response

from schemas.settings import Settings
from sinks.web.access import For, sight_of
from sinks.web.asked import Asked, not_found
from sinks.web.cookies import OIDC, cookie_name, drop_cookie, set_cookie
from sinks.web.pkce import challenge_of
from sinks.web.routing import PageRoute
from sinks.web.sessions import OIDC_MAX_AGE_S, sign, unsign
from sinks.web.sign_in import own_path, signed_in

_log = structlog.get_logger()

_TIMEOUT_S = 10
_LEEWAY_S = 60
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_PURPOSE = "web-oidc"


class SignOnError(Exception):
    """The issuer's answer can't be taken; the text holds nothing that it said of a person."""


@dataclass(frozen=True)
class Issuer:
    """What an issuer publishes of itself."""

    issuer: str
    authorize: str
    token: str
    keys: str


_known: dict[str, Issuer] = {}
_lock = threading.Lock()


def start(asked: Asked) -> Response:
    """Lead to the issuer."""
    settings = asked.web.settings
    if not settings.oidc_issuer:
        raise not_found()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    try:
        issuer = issuer_of(settings.oidc_issuer)
    except SignOnError as error:
        return _failed(asked, error)
    wanted = {
        "response_type": "code",
        "client_id": settings.oidc_client_id,
        "redirect_uri": _callback(asked),
        "scope": "openid email",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    answer = asked.go(f"{issuer.authorize}{'&' if '?' in issuer.authorize else '?'}{urlencode(wanted)}")
    claims = [state, nonce, verifier, own_path(asked.request.query_params.get("to", "/"))]
    cookie = sign(settings, _PURPOSE, claims, asked.now_ms)
    set_cookie(answer, OIDC, cookie, OIDC_MAX_AGE_S, secure=asked.web.is_https)
    return answer


def finish(asked: Asked) -> Response:
    """Take the issuer's answer, and sign in whom it names, if the directory knows them."""
    web, query = asked.web, asked.request.query_params
    if not web.settings.oidc_issuer:
        raise not_found()
    cookie = asked.request.cookies.get(cookie_name(OIDC, secure=web.is_https), "")
    begun = unsign(web.settings, _PURPOSE, cookie, OIDC_MAX_AGE_S, asked.now_ms)
    try:
        address, to = _vouched(asked, begun, query.get("state", ""))
    except SignOnError as error:
        return _failed(asked, error)
    answer = signed_in(asked, address, to)
    drop_cookie(answer, OIDC, secure=web.is_https)
    return answer


def _vouched(asked: Asked, begun: Any, state: str) -> tuple[str, str]:
    """Return the address that the issuer vouches for, and where its owner wanted to go."""
    web = asked.web
    if begun is None or not secrets.compare_digest(begun[0].encode(), state.encode()):
        raise SignOnError("this browser did not begin it")
    _, nonce, verifier, to = begun
    issuer = issuer_of(web.settings.oidc_issuer)
    claims = _claims(web.settings, issuer, _exchange(asked, issuer, verifier), nonce, asked.now_ms // 1000)
    address = address_of(claims, trusted=web.settings.oidc_trust_email)
    if not sight_of(address, web.settings.marketers, web.directory).known:
        raise SignOnError("the directory has no rep of this address, and it is no marketer's")
    return address, to


def issuer_of(address: str) -> Issuer:
    """Return what an issuer publishes; it is asked once.

    Raises:
        SignOnError: it does not answer, or publishes something else.
    """
    with _lock:
        if address in _known:
            return _known[address]
    said = _json("GET", f"{address.rstrip('/')}/.well-known/openid-configuration")
    try:
        found = Issuer(said["issuer"], said["authorization_endpoint"], said["token_endpoint"], said["jwks_uri"])
    except KeyError as error:
        raise SignOnError(f"the issuer publishes no {error}") from error
    if found.issuer.rstrip("/") != address.rstrip("/"):
        raise SignOnError("the issuer publishes another issuer's name")
    with _lock:
        _known[address] = found
    return found


def address_of(claims: dict[str, Any], *, trusted: bool) -> str:
    """Return the address that an issuer vouches for.

    Raises:
        SignOnError: there is none, or it does not say that it has verified it.
    """
    address, verified = claims.get("email"), claims.get("email_verified")
    if not isinstance(address, str) or not address:
        raise SignOnError("the issuer names no address")
    if verified is True or (trusted and verified is None):
        return address
    raise SignOnError("the issuer does not say that the address is verified (READBRIEF_OIDC_TRUST_EMAIL)")


def _exchange(asked: Asked, issuer: Issuer, verifier: str) -> str:
    settings = asked.web.settings
    form = {
        "grant_type": "authorization_code",
        "code": asked.request.query_params.get("code", ""),
        "redirect_uri": _callback(asked),
        "client_id": settings.oidc_client_id,
        "code_verifier": verifier,
    }
    secret = settings.oidc_client_secret.get_secret_value()
    said = _json("POST", issuer.token, data=form, auth=(settings.oidc_client_id, secret) if secret else None)
    token = said.get("id_token")
    if not isinstance(token, str):
        raise SignOnError("the issuer gave no id token")
    return token


def _claims(settings: Settings, issuer: Issuer, token: str, nonce: str, now_s: int) -> dict[str, Any]:
    rules = jwt.JWTClaimsRegistry(
        now=now_s,
        leeway=_LEEWAY_S,
        iss={"essential": True, "value": issuer.issuer},
        aud={"essential": True, "value": settings.oidc_client_id},
        exp={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        keys = KeySet.import_key_set(_json("GET", issuer.keys))  # type: ignore[arg-type]
        claims = dict(jwt.decode(token, keys, algorithms=_ALGORITHMS).claims)
        rules.validate(claims)
    except (JoseError, ValueError) as error:
        raise SignOnError(f"the id token is no good: {type(error).__name__}") from error
    return claims


def _json(method: str, address: str, **options: Any) -> dict[str, Any]:
    try:
        answer = httpx.request(method, address, timeout=_TIMEOUT_S, **options)
        said = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise SignOnError(f"the issuer does not answer as it should: {type(error).__name__}") from error
    if not isinstance(said, dict):
        raise SignOnError("the issuer does not answer as it should")
    return said


def _callback(asked: Asked) -> str:
    return f"{asked.web.origin}/sign-in/oidc/back"


def _failed(asked: Asked, error: SignOnError) -> Response:
    _log.warning("single_sign_on_failed", reason=str(error))
    answer = asked.page("sign_in.html.j2", 403, to="/", sent=False, failed=True, tab="")
    drop_cookie(answer, OIDC, secure=asked.web.is_https)
    return answer


ROUTES = (
    PageRoute("/sign-in/oidc/start", start, whom=For.anyone),
    PageRoute("/sign-in/oidc/back", finish, whom=For.anyone),
)
