"""The token that says for whom a mail was made: nobody makes or bends one, and it is good for so long, there, only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.email_tokens import (
    LinkTarget,
    Signed,
    is_allowed,
    link_in,
    read_followed,
    read_recipient,
    read_target,
    recipient_token,
    target_token,
)
from producers.links import CLOCK_SKEW_S, TokenError, landing_token, site_token
from schemas.errors import InputError
from schemas.settings import Settings, Site

NOW = 1_790_000_000_000
DAY_MS = 86_400_000
PAGE = "https://www.example.com/pricing"
SITES = {"www": Site(origins=("https://www.example.com",)), "shop": Site(origins=("https://shop.example.com",))}
SETTINGS = Settings(secret="0123456789abcdef", sites=SITES, collector_url="https://read.example", link_max_age_days=60)
OTHER_SECRET = Settings(secret="fedcba9876543210", sites=SITES)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


def token(site: str = "www", campaign: str = "spring", now_ms: int = NOW) -> str:
    return recipient_token(SETTINGS, site, "dana", campaign, now_ms=now_ms)


def target(site: str = "www", campaign: str = "spring", url: str = PAGE) -> str:
    return target_token(SETTINGS, LinkTarget(site=site, campaign_id=campaign, url=url), now_ms=NOW)


def read(text: str, now_ms: int = NOW, settings: Settings = SETTINGS) -> Signed:
    return read_recipient(settings, text, now_ms=now_ms)


def followed(first: str, second: str, now_ms: int = NOW) -> Signed | None:
    return read_followed(SETTINGS, f"/l/{first}/{second}", now_ms=now_ms).signed


def test_a_token_says_for_whom_it_was_made_and_when() -> None:
    signed = read(token())
    assert (signed.recipient.site, signed.recipient.contact_id, signed.recipient.campaign_id) == (
        "www", "dana", "spring",
    )  # fmt: skip
    assert (signed.made_ms, signed.fresh) == (NOW, True)
    assert followed(target(), token()) == signed


@given(st.data())
def test_with_any_character_changed_it_names_nobody(data: st.DataObject) -> None:
    good = token()
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.sampled_from([letter for letter in LETTERS if letter != good[at]]))
    bent = good[:at] + other + good[at + 1 :]
    try:
        signed = read(bent)
    except TokenError:
        assert followed(target(), bent) is None  # and the reader comes to the page, as nobody
    else:
        assert signed == read(good)  # the last character of base64 has bits that say nothing


@given(st.integers(0, 300))
def test_cut_off_anywhere_it_names_nobody(length: int) -> None:
    cut = token()[: min(length, len(token()) - 1)]
    with pytest.raises(TokenError):
        read(cut)


@given(st.text(max_size=5), st.text(max_size=5))
def test_with_anything_before_or_after_it_names_nobody_else(before: str, after: str) -> None:
    try:
        signed = read(before + token() + after)
    except TokenError:
        return
    assert not before  # base64 takes no notice of odd characters in a signature; what is signed is the same
    assert signed == read(token())


def test_parts_of_two_tokens_make_none() -> None:
    (claims, made, _), (_, _, signature) = token().split("."), token(campaign="autumn").split(".")
    with pytest.raises(TokenError):
        read(f"{claims}.{made}.{signature}")
    _, later, _ = token(now_ms=NOW + DAY_MS).split(".")
    with pytest.raises(TokenError):
        read(token().replace(f".{made}.", f".{later}."))  # a longer life


def test_tokens_of_another_secret_or_purpose_name_nobody() -> None:
    foreign = recipient_token(OTHER_SECRET, "www", "dana", "spring", now_ms=NOW)
    for text in (
        foreign,
        target(),
        landing_token(SETTINGS, "www", "dana", "spring", now_ms=NOW),
        site_token(SETTINGS, "www", "dana", now_ms=NOW),
    ):
        with pytest.raises(TokenError):
            read(text)
    with pytest.raises(TokenError):
        read_target(SETTINGS, token(), now_ms=NOW)


def test_beside_a_target_of_another_site_or_campaign_it_names_nobody() -> None:
    assert followed(target(), token(site="shop")) is None
    assert followed(target(), token(campaign="autumn")) is None
    assert followed(target(site="shop", url="https://shop.example.com/"), token()) is None


def test_a_token_of_a_site_that_is_no_more_names_nobody() -> None:
    shop = token(site="shop")
    fewer = Settings(secret="0123456789abcdef", sites={"www": SITES["www"]})
    with pytest.raises(TokenError):
        read(shop, settings=fewer)
    assert not is_allowed(fewer, "shop", "https://shop.example.com/")


def test_its_time_ends_with_the_last_second_of_its_life() -> None:
    life_ms = SETTINGS.link_max_age_days * DAY_MS
    assert read(token(), NOW + life_ms).fresh
    assert not read(token(), NOW + life_ms + 1000).fresh


def test_a_clock_a_bit_ahead_is_borne_and_one_far_ahead_is_not() -> None:
    assert read(token(now_ms=NOW + CLOCK_SKEW_S * 1000)).fresh
    assert not read(token(now_ms=NOW + (CLOCK_SKEW_S + 1) * 1000)).fresh


def test_a_collectors_own_link_is_known_by_its_address_and_a_bent_one_is_none_of_ours() -> None:
    link = f"https://read.example/l/{target()}/{token()}"
    known = link_in(SETTINGS, link + "?utm_source=x#top", now_ms=NOW)
    assert known is not None
    assert known.signed == read(token())
    assert link_in(SETTINGS, link.replace("https://read.example", "https://read.example.evil"), now_ms=NOW) is None
    assert link_in(SETTINGS, f"https://read.example/l/x{target()}/{token()}", now_ms=NOW) is None


@pytest.mark.parametrize("contact", ["", "dana weiss", "../x", "a" * 129, "d\n"])
def test_for_a_malformed_contact_or_an_unknown_site_none_is_made(contact: str) -> None:
    with pytest.raises(InputError, match="contact_id"):
        recipient_token(SETTINGS, "www", contact, "spring", now_ms=NOW)
    with pytest.raises(InputError, match="no configured site"):
        recipient_token(SETTINGS, "blog", "dana", "spring", now_ms=NOW)
