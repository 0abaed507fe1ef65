"""Pages that end otherwise, come back or begin unseen, and clocks that are wrong."""

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Error

from schemas.events import PageProgress, PageView
from schemas.settings import Settings, Site
from tests.producers.pages.reader import Reader
from tests.producers.pages.site import SITE, Recorder
from tests.producers.reports import envelopes_of
from tests.support.browser import FLAGS, chromium

pytest_plugins = ["tests.producers.pages.fixtures"]

DAY_MS = 86_400_000
OFF_BY_MS = {"slow": -9 * DAY_MS, "fast": 400 * DAY_MS}


def test_of_a_killed_tab_only_the_last_interval_is_lost(reader: Reader, recorder: Recorder) -> None:
    reader.open("/article")
    reader.stir()
    reader.stay(7)
    recorder.last(PageProgress)
    began_ms = recorder.last(PageView).occurred_ms
    killed_ms = reader.clock_ms()
    with reader.page.expect_event("crash"), suppress(Error):
        reader.page.goto("chrome://crash")
    told = recorder.of(PageProgress)[-1]
    assert not told.left
    assert killed_ms - began_ms - told.active_ms <= 6_500  # five seconds, and one to send


@pytest.mark.parametrize("wrong", OFF_BY_MS)
def test_a_wrong_clock_is_put_right(reader: Reader, recorder: Recorder, wrong: str) -> None:
    off_by_ms = OFF_BY_MS[wrong]
    reader.page.add_init_script(f"const now = Date.now; Date.now = () => now() + {off_by_ms};")
    reader.open("/article")
    reader.stir()
    reader.stay(2)
    reader.leave()
    recorder.left()
    settings = Settings(secret="0123456789abcdef", sites={SITE: Site(origins=(recorder.url,))})
    pairs = zip(recorder.reports, recorder.received_ms, strict=True)
    envelopes = [each for report, at_ms in pairs for each in envelopes_of(report.to_bytes(), at_ms, settings)]
    for envelope in envelopes:
        assert abs(envelope.event.occurred_ms - off_by_ms - envelope.occurred_ms) < 500
    opened = next(each for each in envelopes if isinstance(each.event, PageView))
    left = next(each for each in envelopes if isinstance(each.event, PageProgress) and each.event.left)
    assert isinstance(left.event, PageProgress)
    assert abs(left.event.active_ms - (left.occurred_ms - opened.occurred_ms)) < 500


@pytest.fixture(scope="module")
def caching_browser(browser: Browser) -> Iterator[Browser]:
    """Playwright switches the back-forward cache off; people's browsers have it."""
    started = browser.browser_type.launch(
        executable_path=chromium(), args=list(FLAGS), ignore_default_args=["--disable-back-forward-cache"]
    )
    yield started
    started.close()


def test_a_page_out_of_the_real_back_forward_cache_goes_on(caching_browser: Browser, recorder: Recorder) -> None:
    reader = Reader(caching_browser.new_context(), recorder)
    began_s = time.monotonic()
    reader.open("/article")
    reader.stir()
    reader.page.evaluate("addEventListener('pageshow', (event) => { window.persisted = event.persisted; })")
    reader.stay(1)
    reader.page.goto(f"{recorder.url}/elsewhere")
    away_s = time.monotonic()
    reader.page.go_back(wait_until="commit")
    reader.page.wait_for_function("() => window.persisted")
    reader.stir()
    reader.stay(1.5)
    reader.leave()
    recorder.left(2)
    left_s = time.monotonic()
    first, second = recorder.of(PageView)
    assert first.page_view_id != second.page_view_id
    active = {event.page_view_id: event.active_ms for event in recorder.of(PageProgress)}
    assert 900 <= active[first.page_view_id] <= (away_s - began_s) * 1000
    assert 1400 <= active[second.page_view_id] <= (left_s - away_s) * 1000
    assert len({report.visitor_id for report in recorder.reports}) == 1
    reader.context.close()


def test_consent_that_comes_back_makes_a_new_visitor(reader: Reader, recorder: Recorder) -> None:
    recorder.attributes = 'data-consent="required"'
    reader.open("/article")
    reader.page.evaluate("readbrief('consent', 'granted')")
    first = recorder.last(PageView)
    reader.page.evaluate("readbrief('consent', 'denied')")
    reader.page.evaluate("readbrief('consent', 'granted')")
    second = recorder.last(PageView, 2)
    assert first.page_view_id != second.page_view_id
    assert len({report.visitor_id for report in recorder.reports}) == 2


def test_without_consent_a_click_that_waits_is_not_told(reader: Reader, recorder: Recorder) -> None:
    reader.open("/reactions")
    recorder.last(PageView)
    told = len(recorder.bodies)
    reader.page.locator("#dead").click()
    reader.page.evaluate("readbrief('consent', 'denied')")
    reader.stay(2.2)
    assert len(recorder.bodies) == told
