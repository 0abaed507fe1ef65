import time
import uuid
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from producers.collector.email_clicks import click_of
from producers.email_tokens import read_followed
from producers.links import email_link, read_landing
from schemas.envelope import Bundle, Envelope
from schemas.events import EmailClick
from schemas.ids import derived_id
from schemas.settings import Settings, Site
from tests.producers.collector_process import SECRET, RunningCollector
from tests.producers.kafka_topics import TopicReader

TARGET = "https://www.example.com/pricing?plan=pro"
DAY_MS = 86_400_000


def now() -> int:
    return time.time_ns() // 1_000_000


def link(settings: Settings, contact: str, url: str = TARGET, now_ms: int | None = None) -> str:
    return email_link(settings, "www", contact, "spring", url, now_ms=now_ms or now())


def clicks_of(events: TopicReader, contact: str, *, within_s: float) -> list[Envelope]:
    return [
        envelope
        for _, _, value in events.read_for(within_s)
        for envelope in Bundle.from_bytes(value or b"").envelopes
        if isinstance(envelope.event, EmailClick) and envelope.event.contact_id == contact
    ]


def new_contact() -> str:
    return f"c-{uuid.uuid4()}"


def test_a_reader_comes_to_the_page_with_a_token_and_the_click_is_kept(
    running_collector: RunningCollector, events: TopicReader
) -> None:
    contact = new_contact()
    answer = httpx.get(link(running_collector.settings, contact, TARGET + "#what=we/offer"))
    assert answer.status_code == 302
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    target, _, fragment = answer.headers["location"].partition("#")
    assert target == TARGET
    token, _, own = fragment.removeprefix("rb=").partition("&")
    landing = read_landing(running_collector.settings, token, now_ms=now())
    assert (landing.site, landing.contact_id, landing.campaign_id) == ("www", contact, "spring")
    assert own == "what%3Dwe%2Foffer"
    (envelope,) = clicks_of(events, contact, within_s=2)
    assert envelope.visitor_id == derived_id("mail", contact, "spring")
    assert isinstance(envelope.event, EmailClick)
    assert envelope.event.campaign_id == "spring"


def test_a_scanners_head_request_gets_no_token_and_is_kept_as_a_machines(
    running_collector: RunningCollector, events: TopicReader
) -> None:
    contact = new_contact()
    answer = httpx.head(link(running_collector.settings, contact))
    assert (answer.status_code, answer.headers["location"]) == (302, TARGET)
    (envelope,) = clicks_of(events, contact, within_s=1)
    assert envelope.automated
    assert isinstance(envelope.event, EmailClick)
    assert envelope.event.head


def test_an_expired_link_leads_to_its_page_and_tells_nothing(
    running_collector: RunningCollector, events: TopicReader
) -> None:
    contact = new_contact()
    old = link(running_collector.settings, contact, TARGET + "#own", now() - 61 * DAY_MS)
    answer = httpx.get(old)
    assert (answer.status_code, answer.headers["location"]) == (302, TARGET + "#own")
    assert clicks_of(events, contact, within_s=1) == []


def test_a_forged_link_leads_nowhere(running_collector: RunningCollector) -> None:
    good = link(running_collector.settings, new_contact())
    elsewhere = Settings(
        secret=SECRET, collector_url=running_collector.url, sites={"www": Site(origins=("https://evil.example",))}
    )
    other_secret = Settings(
        secret="another-secret-16", collector_url=running_collector.url, sites=running_collector.settings.sites
    )
    for bad in (
        good[:-2],
        good[:-12] + "A" * 12,
        f"{running_collector.url}/l/x",
        f"{running_collector.url}/l/{TARGET}",
        f"{running_collector.url}/l/%3Cscript%3Ealert(1)%3C/script%3E",
        link(elsewhere, "c1", "https://evil.example/"),  # signed rightly, but led to no site of this collector
        link(other_secret, "c1"),
    ):
        answer = httpx.get(bad)
        assert answer.status_code in (400, 404), bad
        assert "location" not in answer.headers
        assert "script" not in answer.text


def test_a_target_beyond_ascii_is_encoded_for_the_header(running_collector: RunningCollector) -> None:
    answer = httpx.get(link(running_collector.settings, "c1", "https://www.example.com/über?q=日本"))
    assert answer.headers["location"].startswith("https://www.example.com/%C3%BCber?q=%E6%97%A5%E6%9C%AC#rb=")
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {"q": ["日本"]}


@pytest.mark.parametrize(("later_ms", "same"), [(0, True), (59_999, True), (60_000, False)])
def test_a_repeated_request_is_the_same_event_within_a_minute(later_ms: int, *, same: bool) -> None:
    settings = Settings(secret=SECRET, sites={"www": Site(origins=("https://www.example.com",))})
    begin = 1_750_000_020_000  # a minute's first moment
    followed = read_followed(settings, "/l/" + link(settings, "c1", now_ms=begin).rpartition("/")[2], now_ms=begin)
    assert followed.signed
    who = followed.signed.recipient
    first, again = click_of(followed.target, who, begin), click_of(followed.target, who, begin + later_ms)
    assert (first.event.event_id == again.event.event_id) is same
    assert first.visitor_id == again.visitor_id
