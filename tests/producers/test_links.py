from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.links import (
    CLOCK_SKEW_S,
    SITE_TOKEN_MAX_AGE_S,
    Fault,
    TokenError,
    email_link,
    landing_token,
    landing_url,
    leads_to,
    read_landing,
    read_link,
    read_site_token,
    site_token,
)
from schemas.errors import InputError
from schemas.settings import Settings, Site

NOW = 1_750_000_000_000
DAY_MS = 86_400_000
SITES = {"www": Site(origins=("https://www.example.com",)), "shop": Site(origins=("https://shop.example.com:8443",))}
SETTINGS = Settings(secret="0123456789abcdef", sites=SITES, link_max_age_days=60, landing_max_age_s=600)
OTHER_SECRET = Settings(secret="fedcba9876543210", sites=SITES)
URL = "https://www.example.com/pricing?plan=pro#faq"


def token_of(link: str) -> str:
    return link.rpartition("/")[2]


def link(now_ms: int = NOW, settings: Settings = SETTINGS) -> str:
    return token_of(email_link(settings, "www", "c1", "spring", URL, now_ms=now_ms))


def test_a_link_says_what_was_signed() -> None:
    read, fresh = read_link(SETTINGS, link(), now_ms=NOW + DAY_MS)
    assert (read.site, read.contact_id, read.campaign_id, read.url, fresh) == ("www", "c1", "spring", URL, True)


def test_an_old_link_still_leads_to_its_page_but_identifies_nobody() -> None:
    read, fresh = read_link(SETTINGS, link(), now_ms=NOW + 61 * DAY_MS)
    assert (read.url, fresh) == (URL, False)


@given(st.data())
def test_a_link_with_one_character_changed_is_forged(data: st.DataObject) -> None:
    token = link()
    index = data.draw(st.integers(0, len(token) - 2))  # the last base64 character holds bits that mean nothing
    other = data.draw(st.sampled_from("ABCabc019-_.").filter(lambda each: each != token[index]))
    with pytest.raises(TokenError) as caught:
        read_link(SETTINGS, token[:index] + other + token[index + 1 :], now_ms=NOW)
    assert caught.value.fault is Fault.forged


@given(st.text(max_size=200))
def test_what_was_not_signed_is_forged(token: str) -> None:
    with pytest.raises(TokenError):
        read_link(SETTINGS, token, now_ms=NOW)
    with pytest.raises(TokenError):
        read_landing(SETTINGS, token, now_ms=NOW)


def test_each_kind_of_token_is_good_for_its_purpose_only() -> None:
    landing = landing_token(SETTINGS, "www", "c1", "spring", now_ms=NOW)
    logged_in = site_token(SETTINGS, "www", "c1", now_ms=NOW)
    for token in (link(), logged_in):
        with pytest.raises(TokenError):
            read_landing(SETTINGS, token, now_ms=NOW)
    for token in (link(), landing):
        with pytest.raises(TokenError):
            read_site_token(SETTINGS, token, now_ms=NOW)
    for token in (landing, logged_in):
        with pytest.raises(TokenError):
            read_link(SETTINGS, token, now_ms=NOW)


def test_a_token_of_another_secret_is_forged() -> None:
    with pytest.raises(TokenError):
        read_link(SETTINGS, link(settings=OTHER_SECRET), now_ms=NOW)


def test_landing_and_site_tokens_end_with_their_life() -> None:
    landing = landing_token(SETTINGS, "www", "c1", "spring", now_ms=NOW)
    assert read_landing(SETTINGS, landing, now_ms=NOW + 600_000).contact_id == "c1"
    with pytest.raises(TokenError) as late:
        read_landing(SETTINGS, landing, now_ms=NOW + 601_000)
    assert late.value.fault is Fault.expired
    logged_in = site_token(SETTINGS, "www", "c1", now_ms=NOW)
    with pytest.raises(TokenError) as later:
        read_site_token(SETTINGS, logged_in, now_ms=NOW + (SITE_TOKEN_MAX_AGE_S + 1) * 1000)
    assert later.value.fault is Fault.expired


def test_a_token_from_a_clock_slightly_ahead_is_good_and_from_one_far_ahead_is_not() -> None:
    near = landing_token(SETTINGS, "www", "c1", "spring", now_ms=NOW + CLOCK_SKEW_S * 1000)
    far = landing_token(SETTINGS, "www", "c1", "spring", now_ms=NOW + (CLOCK_SKEW_S + 1) * 1000)
    assert read_landing(SETTINGS, near, now_ms=NOW).contact_id == "c1"
    with pytest.raises(TokenError):
        read_landing(SETTINGS, far, now_ms=NOW)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://www.example.com.evil.example/",
        "https://www.example.com@evil.example/",
        "https://user@www.example.com/",
        "http://www.example.com/",
        "https://www.example.com:444/",
        "//www.example.com/",
        "https:/www.example.com/",
        "https:www.example.com",
        "https:\\\\www.example.com/",
        "https://www.example.com\\@evil.example/",
        "https://evil.example\\.www.example.com/",
        "https://evil.example#@www.example.com/",
        "https://evil.example?@www.example.com/",
        "https://\uff57\uff57\uff57.example.com/",
        "https://www.example.com\t.evil.example/",
        "https://www.example.com/\r\nSet-Cookie: a=b",
        " https://www.example.com/",
        "\x01https://www.example.com/",
        "https://www.example.com/\x00",
        "javascript:alert(1)//https://www.example.com/",
        "data:text/html,https://www.example.com",
        "https://[::1/",
        "https://www.example.com:99999/",
        "",
    ],
)
def test_a_link_leads_nowhere_but_to_its_site(url: str) -> None:
    assert not leads_to(SITES["www"], url)
    with pytest.raises(InputError):
        email_link(SETTINGS, "www", "c1", "spring", url, now_ms=NOW)


def test_the_default_port_and_upper_case_are_the_same_origin() -> None:
    assert leads_to(SITES["www"], "https://WWW.example.com:443/x")
    assert leads_to(SITES["shop"], "https://shop.example.com:8443/x")


def test_a_signed_target_is_judged_again_when_it_is_followed() -> None:
    moved = Settings(secret="0123456789abcdef", sites={"www": Site(origins=("https://new.example.com",))})
    gone = Settings(secret="0123456789abcdef", sites={})
    for settings in (moved, gone):
        with pytest.raises(TokenError):
            read_link(settings, link(), now_ms=NOW)
        with pytest.raises(TokenError):
            read_link(settings, link(), now_ms=NOW + 61 * DAY_MS)


def test_an_unknown_site_or_a_malformed_contact_is_refused_when_signing() -> None:
    with pytest.raises(InputError, match="no configured site"):
        email_link(SETTINGS, "blog", "c1", "spring", URL, now_ms=NOW)
    with pytest.raises(InputError, match="contact_id"):
        email_link(SETTINGS, "www", "ann smith", "spring", URL, now_ms=NOW)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_characters='<>"'), max_size=40))
def test_a_page_gets_its_own_fragment_back(own: str) -> None:
    url = landing_url("https://www.example.com/a?b=c#" + own, "TOKEN")
    assert urlsplit(url).path == "/a"
    token, amp, kept = url.partition("#")[2].partition("&")
    assert token == "rb=TOKEN"
    assert unquote(kept) == own
    assert bool(amp) == bool(own)


def test_without_a_token_the_target_is_left_as_it_is() -> None:
    assert landing_url(URL, None) == URL
