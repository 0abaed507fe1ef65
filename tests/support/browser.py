"""Debian's Chromium, driven by Playwright, with no connections of its own."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A headless browser's own name would mark its reader as a machine.
PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"


def chromium() -> str:
    """Give the path of Chromium's program; a missing one is a failure, never a skip."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("chromium is missing: `make setup-dev` as root installs it (Debian: apt-get install chromium)")
    return program


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a headless Chromium.

    Not for the whole session: while Playwright runs, no other test can run an event loop in this thread.
    """
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            yield started
        finally:
            started.close()
