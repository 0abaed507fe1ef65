"""Single sign-on with a real provider: whom it vouches for and the directory knows comes in, and nobody else."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from oidc_provider_mock import User, run_server_in_thread
from pydantic import SecretStr

from sinks.web import oidc
from tests.sinks.web_world import NOW_MS, Pages, address


@pytest.fixture(scope="module")
def provider(pages: Pages) -> Iterator[str]:
    """Run a provider beside the pages, and have them use it."""
    users = [
        User(sub="ann", claims={"email": address("ann"), "email_verified": True}),
        User(sub="eve", claims={"email": address("eve"), "email_verified": False}),
        User(sub="stranger", claims={"email": "stranger@elsewhere.example", "email_verified": True}),
    ]
    with run_server_in_thread(user_claims=users, require_nonce=True) as server:
        url = f"http://localhost:{server.server_port}"
        settings, now_ms = pages.web.settings, pages.web.now_ms
        client = {"oidc_client_id": "pages", "oidc_client_secret": SecretStr("of the client")}
        pages.web.settings = settings.model_copy(update={"oidc_issuer": url, **client})
        pages.web.now_ms = _clock
        try:
            yield url
        finally:
            pages.web.settings, pages.web.now_ms = settings, now_ms


def _clock() -> int:
    return time.time_ns() // 1_000_000


def answered(client: httpx.Client, sub: str) -> str:
    """Begin to sign on, say at the provider who one is, and give the address that it leads back to."""
    there = client.get("/sign-in/oidc/start?to=/accounts/acme").headers["location"]
    asked = parse_qs(urlsplit(there).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert {"nonce", "state", "code_challenge"} <= set(asked)
    back = httpx.post(there, data={"sub": sub}).headers["location"]
    assert "/sign-in/oidc/back?" in back
    return back


def test_whom_the_provider_vouches_for_comes_in_and_sees_the_own_accounts(pages: Pages, provider: str) -> None:
    with pages.client() as client:
        assert provider in client.get("/sign-in/oidc/start").headers["location"]
        entered = client.get(answered(client, "ann"))
        assert (entered.status_code, entered.headers["location"]) == (303, "/accounts/acme")
        assert client.get("/accounts/acme").status_code == 200
        assert client.get("/accounts/secret").status_code == 404


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("sub", ["eve", "stranger"])
def test_an_address_that_is_not_verified_or_not_known_stays_out(pages: Pages, sub: str) -> None:
    with pages.client() as client:
        assert client.get(answered(client, sub)).status_code == 403
        assert client.get("/accounts").status_code == 303


@pytest.mark.usefixtures("provider")
def test_an_answer_is_taken_once_and_from_the_browser_that_began_alone(pages: Pages) -> None:
    with pages.client() as client, pages.client() as another:
        back = answered(client, "ann")
        assert another.get(back).status_code == 403
        forged = re.sub(r"state=[^&]+", "state=made-up", back)
        assert client.get(forged).status_code == 403
        again = answered(client, "ann")
        assert client.get(again).status_code == 303
        assert client.get(again).status_code == 403


def test_an_id_token_of_another_issuer_client_nonce_or_key_is_no_good(
    pages: Pages, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, own, foreign = pages.web.settings, RSAKey.generate_key(2048), RSAKey.generate_key(2048)
    issuer = replace(oidc.issuer_of(provider), issuer="https://issuer.example")
    monkeypatch.setattr(oidc, "_json", lambda *_, **__: {"keys": [own.as_dict(private=False)]})
    now_s = NOW_MS // 1000
    good = {"iss": issuer.issuer, "aud": "pages", "exp": now_s + 600, "nonce": "n", "email": "a@b.example"}
    assert oidc._claims(settings, issuer, jwt.encode({"alg": "RS256"}, good, own), "n", now_s)["email"]
    wrong = [
        good | {"iss": "https://other.example"}, good | {"aud": "another"}, good | {"nonce": "m"},
        good | {"exp": now_s - 600}, {name: value for name, value in good.items() if name != "nonce"},
    ]  # fmt: skip
    for claims in wrong:
        with pytest.raises(oidc.SignOnError):
            oidc._claims(settings, issuer, jwt.encode({"alg": "RS256"}, claims, own), "n", now_s)
    with pytest.raises(oidc.SignOnError):
        oidc._claims(settings, issuer, jwt.encode({"alg": "RS256"}, good, foreign), "n", now_s)
