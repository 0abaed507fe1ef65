"""Segment's and Snowplow's own clients, unmodified, send to a collector over a real broker; what came is read back."""

import time
import uuid
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page
from segment.analytics.client import Client
from snowplow_tracker import Emitter, SelfDescribingJson, Subject, Tracker
from snowplow_tracker import PagePing as Ping
from snowplow_tracker import PageView as View

from schemas.addresses import ADDRESS_PURPOSE, address_id
from schemas.dead_letter import DeadLetter
from schemas.envelope import Envelope
from schemas.events import Custom, EmailClick, EmailOpen, Identify, IdentifyMethod, PagePing, PageView
from schemas.topics import EVENTS
from tests.producers.collector_process import collector
from tests.producers.kafka_topics import TopicReader, reading
from tests.producers.tracker_sites import DOUBTED, HEARTBEAT_S, TRUSTED, TrackedSite, reads, sites
from tests.producers.waiting import wait_ready
from tests.support.ports import free_port
from tests.support.tracker_clients import run_segment_node, snowplow_script
from tests.support.website import serving_pages

URL = "https://www.example.com/pricing"
WEB_PAGE = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
HEIGHT_PX, WINDOW_PX = 4000, 800


@pytest.fixture(scope="module")
def site(topics: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackedSite]:
    port = free_port()
    output = tmp_path_factory.mktemp("tracked") / "output.log"
    with collector(topics, output, sites=sites(port)) as started, reading(topics, EVENTS.name) as events:
        wait_ready(started.url)
        yield TrackedSite(started, port, events)


def payload_of(letter: bytes | None) -> bytes:
    return DeadLetter.from_bytes(letter or b"").payload_bytes()


def of(envelopes: list[Envelope], visitor_id: str) -> list[Envelope]:
    return [one for one in envelopes if one.visitor_id == visitor_id]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_segments_library_for_python_is_understood(site: TrackedSite, packed: bool) -> None:
    visitor, user = f"anon-{uuid.uuid4()}", f"user-{uuid.uuid4()}"
    failures: list[object] = []
    client = Client(
        TRUSTED, host=site.collector.url, gzip=packed, max_retries=0, on_error=lambda error, _: failures.append(error)
    )
    client.identify(user, {"email": "Dana@acme.example"}, anonymous_id=visitor)
    view_id = str(uuid.uuid4())
    client.page(user, None, "Pricing", {"url": URL, "title": "Pricing"}, anonymous_id=visitor, message_id=view_id)
    client.track(user, "Email Opened", {"campaign_id": "spring"})
    client.track(user, "Email Link Clicked", {"campaign_id": "spring", "link_url": URL})
    client.track(user, "Trial Started", {"card": "4111"}, anonymous_id=visitor)
    client.alias(f"old-{visitor}", user)
    client.flush()
    client.join()
    assert not failures
    stored = site.until(lambda all_: bool(of(all_, f"old-{visitor}")) and len(of(all_, visitor)) >= 5)
    told = [one.event for one in of(stored, visitor)]
    assert [event.contact_id for event in told if isinstance(event, Identify)] == [
        user,
        address_id(site.collector.settings.signing_key(ADDRESS_PURPOSE), "dana@acme.example"),
        user,
    ]
    view = next(event for event in told if isinstance(event, PageView))
    assert (view.event_id, view.url, view.title) == (view_id, URL, "Pricing")
    assert [event.name for event in told if isinstance(event, Custom)] == ["Trial Started"]
    mails = [
        one.event for one in stored if isinstance(one.event, EmailOpen | EmailClick) and one.event.contact_id == user
    ]
    assert [type(event) for event in mails] == [EmailOpen, EmailClick]
    assert [type(one.event) for one in of(stored, f"old-{visitor}")] == [Identify]
    mine = b"".join(one.model_dump_json().encode() for one in stored if user in one.model_dump_json())
    assert b"acme.example" not in mine
    assert b"4111" not in mine


def test_segments_library_for_node_is_understood_and_its_word_is_not_taken_unasked(site: TrackedSite) -> None:
    user = f"user-{uuid.uuid4()}"
    assert "flushed" in run_segment_node(site.collector.url, DOUBTED, user, URL)
    stored = of(site.until(lambda all_: len(of(all_, user)) >= 5), user)
    assert not [one for one in stored if isinstance(one.event, Identify)]
    views = [one.event for one in stored if isinstance(one.event, PageView)]
    assert [(view.url, view.title, view.referrer) for view in views] == [(URL, "Pricing", "https://mail.example/")]
    assert sorted(one.event.name for one in stored if isinstance(one.event, Custom)) == [
        "Trial Started",
        "alias",
        "group",
        "identify",
    ]


@pytest.mark.parametrize("method", ["post", "get"])
def test_snowplows_tracker_for_python_is_understood(site: TrackedSite, method: Literal["post", "get"]) -> None:
    visitor, user, view_id = str(uuid.uuid4()), f"user-{uuid.uuid4()}", str(uuid.uuid4())
    host, _, port = site.collector.url.removeprefix("http://").partition(":")
    failures: list[object] = []
    emitter = Emitter(
        host,
        protocol="http",
        port=int(port),
        method=method,
        batch_size=1,
        on_failure=lambda _, unsent: failures.append(unsent),
    )
    subject = Subject().set_domain_user_id(visitor).set_user_id(user).set_viewport(390, 1000)
    tracker = Tracker(namespace="py", emitters=emitter, subject=subject, app_id=TRUSTED)
    page = [SelfDescribingJson(WEB_PAGE, {"id": view_id})]
    tracker.track(View(page_url=URL, page_title="Pricing", referrer="https://mail.example/", context=page))
    for offset in (0, 600, 300):
        tracker.track(Ping(page_url=URL, page_title="Pricing", max_y=offset, context=page))
    tracker.flush()
    assert not failures
    stored = of(site.until(lambda all_: len(of(all_, visitor)) >= 5), visitor)
    signs = [one.event for one in stored if isinstance(one.event, Identify)]
    assert [(sign.contact_id, sign.method) for sign in signs] == [(user, IdentifyMethod.snowplow)]
    read = reads(stored)[view_id]
    assert (read.url, read.title, read.viewport) == (URL, "Pricing", "mobile")
    assert read.active_ms == 3 * HEARTBEAT_S * 1000


def read_page(page: Page, seconds: float) -> None:
    """Move the mouse and scroll down to the half of the page, for so long."""
    began = time.monotonic()
    page.mouse.wheel(0, HEIGHT_PX / 2 - WINDOW_PX)
    while time.monotonic() - began < seconds:
        page.mouse.move(100 + time.monotonic() * 50 % 100, 200)
        page.wait_for_timeout(100)


@pytest.mark.parametrize("get", [False, True], ids=["post", "get"])
def test_snowplows_tracker_for_browsers_gives_reads_with_active_time_and_depth(
    site: TrackedSite, browser: Browser, get: bool
) -> None:
    path = f"/article-{uuid.uuid4().hex[:8]}"
    settings = {"collector": site.collector.url, "appId": DOUBTED, "heartbeat": HEARTBEAT_S, "get": get}
    html = (
        f"<!doctype html><title>On pumps</title><body style='margin:0'><div style='height:{HEIGHT_PX}px'></div>"
        f"<script>window.snowplowSettings={str(settings).replace('True', 'true').replace('False', 'false')}</script>"
        f"<script>{snowplow_script()}</script>"
    )
    with serving_pages(site.page_port, {path: html}):
        page = browser.new_page(viewport={"width": 1280, "height": WINDOW_PX})
        began = time.monotonic()
        page.goto(site.page_origin + path)
        read_page(page, 7)
        active_s = time.monotonic() - began
        page.wait_for_timeout(3 * HEARTBEAT_S * 1000)  # open, but not used: that is no reading
        page.close()
    url = site.page_origin + path
    stored = site.until(lambda all_: sum(isinstance(one.event, PagePing) and one.event.url == url for one in all_) >= 3)
    (read,) = (read for read in reads(stored).values() if read.url == url)
    assert read.title == "On pumps"
    assert abs(read.active_ms / 1000 - active_s) <= HEARTBEAT_S
    assert read.depth_pct == 50


def test_a_page_of_another_origin_is_not_believed(
    site: TrackedSite, browser: Browser, dead_letters: TopicReader
) -> None:
    port = free_port()
    page_url = f"http://127.0.0.1:{port}/"
    html = (
        "<!doctype html><title>Not ours</title>"
        f"<script>window.snowplowSettings={{collector:'{site.collector.url}',appId:'{DOUBTED}',heartbeat:1,get:true}}"
        f"</script><script>{snowplow_script()}</script>"
    )
    with serving_pages(port, {"/": html}):
        page = browser.new_page()
        page.goto(page_url)
        _, _, value = dead_letters.find(lambda _, value: page_url.encode() in payload_of(value))
        page.close()
    assert DeadLetter.from_bytes(value or b"").reason == "aid: the page's origin is none of this site's"
    assert page_url.encode() not in b"".join(value or b"" for _, _, value in site.events.read_for(0.5))
