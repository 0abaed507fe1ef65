"""Fixtures for the tests of the snippet: a browser, a site with a collector, a reader."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.producers.pages.chromium import ARGUMENTS, CHROMIUM
from tests.producers.pages.reader import Reader
from tests.producers.pages.site import Recorder, serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole session: while Playwright runs, no other test can run an event loop in this thread.
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with serving() as recorder:
        yield recorder
        assert recorder.invalid == []
        assert set(recorder.methods) <= {"/v1/events text/plain;charset=UTF-8 None"}


@pytest.fixture
def reader(browser: Browser, recorder: Recorder) -> Iterator[Reader]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    reader = Reader(context, recorder)
    yield reader
    context.close()
    assert reader.errors == []
