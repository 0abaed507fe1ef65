"""The senders' webhooks as served: what is accepted is kept, what is not proven changes nothing, nothing is a 5xx."""

import gzip
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

import httpx
import pytest

from producers.collector.email_clicks import open_of
from producers.email_tokens import LinkTarget, Recipient, recipient_token, target_token
from producers.links import read_landing
from producers.publisher import Publisher
from producers.senders import generic
from schemas.dead_letter import DeadLetter
from schemas.emails import Revocation
from schemas.envelope import Bundle, Envelope
from schemas.events import EmailClick, EmailOpen
from schemas.topics import REVOCATIONS
from tests.producers.collector_process import RunningCollector, collector
from tests.producers.kafka_topics import TopicReader
from tests.producers.sender_samples import (
    CHROME,
    MAILGUN_KEY,
    PAGE,
    POSTMARK_LOGIN,
    SENDER_SECRET,
    SENDGRID_KEY,
    TOPIC,
    basic,
    mailgun_body,
    postmark_body,
    sendgrid_body,
    sendgrid_event,
    sendgrid_headers,
    sns_message,
)
from tests.producers.waiting import wait_ready

JSON = {"content-type": "application/json"}
CLIENT = httpx.Client(timeout=20)  # made once: making one costs more than most requests
CONFIGURED = {
    "READBRIEF_SENDGRID_PUBLIC_KEY": SENDGRID_KEY,
    "READBRIEF_MAILGUN_SIGNING_KEY": MAILGUN_KEY,
    "READBRIEF_POSTMARK_LOGIN": POSTMARK_LOGIN,
    "READBRIEF_SES_TOPICS": json.dumps([TOPIC]),
    "READBRIEF_SENDER_SECRET": SENDER_SECRET,
    "READBRIEF_COLLECTOR_CLIENT_PER_S": "0",
}


def now_s() -> int:
    return int(time.time())


@pytest.fixture(scope="module")
def webhooks(topics: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    with collector(topics, tmp_path_factory.mktemp("senders") / "output.log", more=CONFIGURED) as started:
        wait_ready(started.url)
        yield started


def post(
    running: RunningCollector, sender: str, data: bytes, headers: dict[str, str], site: str = "www"
) -> httpx.Response:
    return CLIENT.post(f"{running.url}/v1/senders/{sender}/{site}", content=data, headers={**JSON, **headers})


def kept(events: TopicReader, campaign: str, within_s: float = 1) -> list[Envelope]:
    return [
        envelope
        for _, _, value in events.read_for(within_s)
        for envelope in Bundle.from_bytes(value or b"").envelopes
        if getattr(envelope.event, "campaign_id", None) == campaign
    ]


def generic_body(*events: dict[str, Any]) -> bytes:
    return json.dumps({"events": events}).encode()


def generic_event(**said: Any) -> dict[str, Any]:
    return {"id": "g1", "type": "opened", "email": "dana@acme.example", "at": "2026-11-01T10:00:00Z", **said}


def by_sendgrid(body: bytes) -> tuple[str, bytes, dict[str, str]]:
    return "sendgrid", body, sendgrid_headers(body, now_s())


def by_mailgun(**said: Any) -> tuple[str, bytes, dict[str, str]]:
    kind = said.pop("event", "opened")
    return "mailgun", mailgun_body(kind, uuid.uuid4().hex, now_s=now_s(), **said), {}


def by_postmark(body: bytes) -> tuple[str, bytes, dict[str, str]]:
    return "postmark", body, basic(POSTMARK_LOGIN)


def signed(body: bytes, at_s: int) -> dict[str, str]:
    return {generic.SIGNATURE: generic.sign(body, SENDER_SECRET, at_s)}


def by_generic(body: bytes) -> tuple[str, bytes, dict[str, str]]:
    return "generic", body, signed(body, now_s())


def by_amazon(**said: Any) -> tuple[str, bytes, dict[str, str]]:
    return "ses", json.dumps(sns_message("Notification", "x", now_s=now_s(), **said)).encode(), {}


def sendgrid(**said: Any) -> tuple[str, bytes, dict[str, str]]:
    return by_sendgrid(sendgrid_body(sendgrid_event("open", now_s=now_s(), **said)))


class Bad(NamedTuple):
    law: str
    request: Callable[[], tuple[str, bytes, dict[str, str]]]
    status: int


PROVEN_BUT_MALFORMED = [
    Bad(f"{sender.__name__[3:]}: {law}", partial(sender, body), 400)
    for sender in (by_sendgrid, by_postmark, by_generic)
    for law, body in {
        "an empty body": b"",
        "no JSON": b"hello",
        "JSON cut off": b'[{"event":',
        "a number": b"1e999",
        "NaN": b"[NaN]",
        "a null": b"null",
        "UTF-16": '[{"event":"open"}]'.encode("utf-16"),
        "a lone surrogate": b'["\\ud800"]',
        "deep nesting": b"[" * 30_000 + b"]" * 30_000,
        "a list of numbers": b"[1,2]",
        "a text": b'"open"',
        "objects of nothing": b"[{}]",
    }.items()
]
CASES = [
    *PROVEN_BUT_MALFORMED,
    Bad("sendgrid: no address", lambda: sendgrid(email=None), 400),
    Bad("sendgrid: an address that is a list", lambda: sendgrid(email=["a@b.c"]), 400),
    Bad("sendgrid: an address of a megabyte", lambda: sendgrid(email="a" * 1_000_000 + "@b.c"), 400),
    Bad("sendgrid: a header in the address", lambda: sendgrid(email="a@b.c\r\nX: y"), 400),
    Bad("sendgrid: a time that is a text", lambda: sendgrid(timestamp="yesterday"), 400),
    Bad("sendgrid: a time beyond all", lambda: sendgrid(timestamp=10**30), 400),
    Bad("sendgrid: a time before all", lambda: sendgrid(timestamp=-1), 400),
    Bad("sendgrid: a time that is true", lambda: sendgrid(timestamp=True), 400),
    Bad("sendgrid: no event id", lambda: sendgrid(sg_event_id=None), 400),
    Bad("sendgrid: a kind that is an object", lambda: sendgrid(event={}), 400),
    Bad("sendgrid: a page of markup", lambda: sendgrid(event="click", url="https://a/<script>"), 400),
    Bad("sendgrid: a page of 3000 characters", lambda: sendgrid(event="click", url="https://a/" + "x" * 3000), 400),
    Bad("sendgrid: too many events", lambda: by_sendgrid(b"[" + b"{}," * 10_000 + b"{}]"), 400),
    Bad("mailgun: no address", lambda: by_mailgun(recipient=""), 400),
    Bad("mailgun: no kind", lambda: by_mailgun(event=""), 400),
    Bad("mailgun: a time that is none", lambda: by_mailgun(timestamp="x"), 400),
    Bad("mailgun: a page of markup", lambda: by_mailgun(event="clicked", url="https://a/<b>"), 400),
    Bad("mailgun: no JSON", lambda: ("mailgun", b"signature=1", {}), 400),
    Bad("mailgun: no signature", lambda: ("mailgun", b"{}", {}), 401),
    Bad("mailgun: a signature that is a list", lambda: ("mailgun", b'{"signature":[1]}', {}), 401),
    Bad("mailgun: another key", lambda: ("mailgun", mailgun_body("opened", "t", now_s=now_s(), key="x"), {}), 401),
    Bad("mailgun: two days old", lambda: ("mailgun", mailgun_body("opened", "t", now_s=now_s() - 172_800), {}), 401),
    Bad("postmark: a time that is none", lambda: by_postmark(postmark_body("Open", ReceivedAt="now")), 400),
    Bad("postmark: a time that is a number", lambda: by_postmark(postmark_body("Open", ReceivedAt=5)), 400),
    Bad("postmark: no address", lambda: by_postmark(postmark_body("Open", Recipient="")), 400),
    Bad("postmark: no message", lambda: by_postmark(postmark_body("Open", MessageID="")), 400),
    Bad("postmark: no login", lambda: ("postmark", postmark_body("Open"), {}), 401),
    Bad("postmark: a wrong login", lambda: ("postmark", postmark_body("Open"), basic("postmark:x")), 401),
    Bad("postmark: a login of rubbish", lambda: ("postmark", b"{}", {"authorization": "Basic ####"}), 401),
    Bad("generic: an unknown kind", lambda: by_generic(generic_body(generic_event(type="read"))), 400),
    Bad("generic: a landing", lambda: by_generic(generic_body(generic_event(type="landed"))), 400),
    Bad("generic: a click on nothing", lambda: by_generic(generic_body(generic_event(type="clicked"))), 400),
    Bad("generic: no events", lambda: by_generic(generic_body()), 400),
    Bad("generic: an old signature", lambda: ("generic", b"{}", signed(b"{}", now_s() - 400)), 401),
    Bad("generic: no signature", lambda: ("generic", generic_body(generic_event()), {}), 401),
    Bad("sendgrid: no signature", lambda: ("sendgrid", sendgrid_body(), {}), 401),
    Bad("sendgrid: another body", lambda: ("sendgrid", b"[]", sendgrid_headers(b"[{}]", now_s())), 401),
    Bad("sendgrid: three days old", lambda: ("sendgrid", b"[]", sendgrid_headers(b"[]", now_s() - 259_200)), 401),
    Bad("ses: no JSON", lambda: ("ses", b"hello", {}), 400),
    Bad("ses: an empty object", lambda: ("ses", b"{}", {}), 401),
    Bad("ses: a stranger's topic", lambda: by_amazon(TopicArn="arn:x"), 401),
    Bad("ses: a certificate elsewhere", lambda: by_amazon(SigningCertURL="http://127.0.0.1:1/x.pem"), 401),
    Bad("a body of five megabytes", lambda: ("sendgrid", b"x" * 5_000_000, {}), 413),
    Bad("a gzip bomb", lambda: ("sendgrid", gzip.compress(b"\0" * 50_000_000), {"content-encoding": "gzip"}), 413),
    Bad("brotli", lambda: ("sendgrid", b"[]", {"content-encoding": "br"}), 415),
    Bad("gzip that is none", lambda: ("sendgrid", b"[]", {"content-encoding": "gzip"}), 400),
    Bad("a sender that is none", lambda: ("sparkpost", b"[]", {}), 404),
]  # fmt: skip


def test_bad_requests_are_refused_by_their_documented_status_and_kept_if_proven(
    webhooks: RunningCollector, dead_letters: TopicReader
) -> None:
    malformed = {}
    for bad in CASES:  # in one test: each of them would wait for Kafka
        sender, data, headers = bad.request()
        answer = post(webhooks, sender, data, headers)
        assert answer.status_code == bad.status, (bad.law, answer.text)
        assert answer.json()["error"]["message"], bad.law
        assert ("www-authenticate" in answer.headers) is (bad.status == 401), bad.law
        if bad.status == 400:
            malformed[data[:65_536]] = bad.law
    for data, law in malformed.items():

        def is_it(_: bytes | None, value: bytes | None, data: bytes = data) -> bool:
            return DeadLetter.from_bytes(value or b"").payload_bytes() == data

        assert dead_letters.find(is_it), law


def test_an_unknown_site_is_refused(webhooks: RunningCollector) -> None:
    assert post(webhooks, *by_generic(generic_body(generic_event())), site="blog").status_code == 404


def test_a_sender_without_its_setting_is_off(running_collector: RunningCollector) -> None:
    assert post(running_collector, *by_generic(generic_body(generic_event()))).status_code == 404


def test_a_batch_is_kept_whole_and_sent_again_gives_the_same_events(
    webhooks: RunningCollector, events: TopicReader
) -> None:
    campaign = f"c-{uuid.uuid4()}"
    batch = [
        sendgrid_event("click", n, now_s=now_s(), url=PAGE, useragent=CHROME, campaign_id=campaign) for n in range(5)
    ]
    request = by_sendgrid(sendgrid_body(*batch))
    assert post(webhooks, *request).status_code == 204
    assert post(webhooks, *request).status_code == 204
    ids = [envelope.event.event_id for envelope in kept(events, campaign)]
    assert len(ids) == 10
    assert len(set(ids)) == 5


def test_of_a_batch_with_one_bad_event_nothing_is_kept(webhooks: RunningCollector, events: TopicReader) -> None:
    campaign = f"c-{uuid.uuid4()}"
    good = sendgrid_event("open", now_s=now_s(), campaign_id=campaign)
    assert post(webhooks, *by_sendgrid(sendgrid_body(good, {**good, "email": "?"}))).status_code == 400
    assert kept(events, campaign) == []


def test_a_token_or_signature_is_good_once(webhooks: RunningCollector, events: TopicReader) -> None:
    campaign = f"c-{uuid.uuid4()}"
    body = generic_body(generic_event(campaign_id=campaign))
    for request in (by_mailgun(**{"user-variables": {"campaign_id": campaign}}), by_generic(body)):
        assert post(webhooks, *request).status_code == 204
        answer = post(webhooks, *request)
        assert (answer.status_code, answer.json()["error"]["message"]) == (401, "this signature was used before")
    assert len(kept(events, campaign)) == 2


def test_a_prepared_link_brings_its_reader_to_the_page_until_it_is_revoked(
    webhooks: RunningCollector, events: TopicReader
) -> None:
    settings, contact, campaign = webhooks.settings, f"c-{uuid.uuid4()}", f"k-{uuid.uuid4()}"
    now_ms = time.time_ns() // 1_000_000
    target = target_token(
        settings, LinkTarget(site="www", campaign_id=campaign, url=PAGE, link="Pricing"), now_ms=now_ms
    )
    token = recipient_token(settings, "www", contact, campaign, now_ms=now_ms)
    link = f"{webhooks.url}/l/{target}/{token}"
    browser = {"user-agent": CHROME}
    landing = httpx.get(link, headers=browser).headers["location"].partition("#rb=")[2]
    assert read_landing(settings, landing, now_ms=now_ms + 5_000).contact_id == contact
    picture = httpx.get(f"{webhooks.url}/o/{token}", headers=browser)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/gif")
    other = recipient_token(settings, "www", contact, "another", now_ms=now_ms)
    for unfilled in ("{{rb_token}}", "", "x.y.z", other):  # leads to the page, as nobody
        assert httpx.get(f"{webhooks.url}/l/{target}/{unfilled}", headers=browser).headers["location"] == PAGE
    assert httpx.get(f"{webhooks.url}/l/{target[:-3]}/{token}").status_code == 400
    assert httpx.get(f"{webhooks.url}/o/nonsense").status_code == 200
    click, opened = sorted((one.event for one in kept(events, campaign)), key=lambda event: event.type)
    assert isinstance(click, EmailClick)
    assert isinstance(opened, EmailOpen)
    assert (click.contact_id, click.link, click.url) == (contact, "Pricing", PAGE)

    revoked = Revocation(contact_id=contact, until_ms=now_ms)
    with closing(Publisher(settings.kafka_bootstrap)) as publisher:
        publisher.send(REVOCATIONS.name, revoked.to_bytes(), revoked.key.encode()).result(10)
    deadline = time.monotonic() + 20
    while httpx.get(link, headers=browser).headers["location"] != PAGE:
        assert time.monotonic() < deadline, "the revocation was not seen"


def test_opens_of_different_makers_in_one_minute_are_different_events() -> None:
    who = Recipient(site="www", contact_id="dana", campaign_id="spring")
    assert open_of(who, 60_000).event.event_id == open_of(who, 119_999).event.event_id
    assert open_of(who, 60_000).event.event_id != open_of(who, 120_000).event.event_id
