"""The link that opens a page with its figures drawn over it, and what is drawn.

The link is the page's own address with a signed, expiring token in the fragment, which no server and no referrer ever
sees. The page's snippet then loads the overlay and tells nothing of the reading itself.
"""

import json
from datetime import date
from typing import Annotated

from itsdangerous import BadData, URLSafeSerializer
from pydantic import Field, ValidationError

from schemas.errors import InputError
from schemas.message import Language, Model
from schemas.settings import Settings
from schemas.urls import origin_of
from sinks.clickhouse import content_queries
from sinks.clickhouse.client import connect
from sinks.clickhouse.content_queries import Audience, Scope
from sinks.web.words import Words, words_for

HOUR_MS = 3_600_000
LIFE_HOURS = 8
_PURPOSE = "overlay"
DEVICES = ("", "mobile", "tablet", "desktop")
_WORDS = ("title", "counts", "lost", "scale", "other_layout", "close", "came_here")


class OverlayClaims(Model):
    """What a link shows, to whom: `reps` as of an audience. It is good until `until_ms`."""

    url: Annotated[str, Field(max_length=2000)]
    first: date
    last: date
    reps: tuple[str, ...] | None = None
    account_id: str = ""
    function: str = ""
    language: Language = "en"
    until_ms: int


def overlay_link(settings: Settings, scope: Scope, language: str, *, now_ms: int) -> str | None:
    """Return the link that shows a page's figures over it; None if the page is on no origin of a site of ours."""
    origins = {origin for site in settings.sites.values() for origin in site.origins}
    if origin_of(scope.url) not in origins:
        return None
    whose = scope.audience
    # To the full hour, so that a page that shows the link stays the same meanwhile.
    claims = OverlayClaims(
        url=scope.url, first=scope.first, last=scope.last, reps=whose.reps, account_id=whose.account_id,
        function=whose.function, language=language, until_ms=(now_ms // HOUR_MS + 1 + LIFE_HOURS) * HOUR_MS,
    )  # fmt: skip
    # The address of a page may have a fragment of its own; the overlay is drawn without it.
    address = scope.url.partition("#")[0]
    return f"{address}#rb-overlay={_signer(settings).dumps(claims.model_dump(mode='json', exclude_defaults=True))}"


def read_claims(settings: Settings, token: str, *, now_ms: int) -> OverlayClaims:
    """Return what a token says.

    Raises:
        InputError: it was not made with this secret for this purpose, or its time is over.
    """
    try:
        claims = OverlayClaims.model_validate(_signer(settings).loads(token))
    except (BadData, ValidationError, ValueError) as error:
        raise InputError("the token is forged") from error
    if now_ms >= claims.until_ms:
        raise InputError("the token is expired")
    return claims


def overlay_of(settings: Settings, token: str, now_ms: int) -> bytes:
    """Return what is drawn for a token, as JSON.

    Raises:
        InputError: the token is no good.
        UnavailableError: ClickHouse does not answer.
    """
    claims = read_claims(settings, token, now_ms=now_ms)
    audience = Audience(claims.reps, claims.account_id, claims.function, own=settings.own_accounts)
    words = words_for(claims.language)
    client = connect(settings)
    try:
        curves = {}
        for device in DEVICES:
            of_device = Audience(claims.reps, claims.account_id, claims.function, device, settings.own_accounts)
            curve = content_queries.curve(client, Scope(claims.url, claims.first, claims.last, of_device))
            curves[device] = {"views": curve.views, "reached": curve.reached, "band_ms": curve.band_ms}
        spots = content_queries.clicks(client, Scope(claims.url, claims.first, claims.last, audience))
    finally:
        client.disconnect()
    said = {name: words.table[f"overlay.{name}"] for name in _WORDS}
    said |= {f"device.{device}": words.say(f"device.{device or 'all'}") for device in DEVICES}
    drawn = {"whose": _whose(claims, words), "words": said, "curves": curves, "spots": [one._asdict() for one in spots]}
    return json.dumps(drawn, ensure_ascii=False).encode()


def _whose(claims: OverlayClaims, words: Words) -> str:
    parts = [f"{words.day(claims.first)} \u2013 {words.day(claims.last)}"]
    if claims.reps is not None:
        parts.append(words.say("content.own_accounts"))
    if claims.account_id:
        parts.append(claims.account_id)
    if claims.function:
        parts.append(words.say(f"function.{claims.function}"))
    return " \u00b7 ".join(parts)


def _signer(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(settings.signing_key(_PURPOSE), salt=_PURPOSE)
