"""Takes a picture of a page, with the places of its elements, for figures to be drawn over."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from schemas.errors import InputError, UnavailableError
from schemas.settings import Settings
from schemas.urls import canonical_url, origin_of
from sinks.clickhouse.client import connect
from sinks.web.pictures import Box, save_picture

WIDTHS = (1280, 390)
HEIGHT, MAX_HEIGHT = 900, 12_000
MAX_BOXES = 3000
_QUALITY = 60
_TIMEOUT_MS = 30_000
# Described as the snippet does (producers/snippet/source/words.js): so clicks find their elements.
_BOXES = """most => [...document.body.querySelectorAll("*")].map(element => [element, element.getBoundingClientRect()])
  .filter(([, box]) => box.width && box.height).slice(0, most).map(([element, box]) => [
    ([element.localName, ...[...element.classList].slice(0, 3)].join(".") + (element.id ? "#" + element.id : ""))
      .slice(0, 200),
    (element.textContent || "").replace(/\\s+/g, " ").trim().slice(0, 200),
    box.left + scrollX, box.top + scrollY, box.width, box.height])"""


def take_pictures(
    settings: Settings, url: str, widths: Sequence[int] = WIDTHS, browser: str | None = None
) -> list[tuple[int, int]]:
    """Take and keep a page's pictures in some widths, and return their sizes. The snippet is kept from telling of it.

    Raises:
        InputError: the page is on no site of ours, or Playwright is not installed.
        UnavailableError: the page or the store does not answer.
    """
    if origin_of(url) not in {origin for site in settings.sites.values() for origin in site.origins}:
        raise InputError(f"{url!r} is on no origin of READBRIEF_SITES")
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise InputError("pictures need Playwright: pip install playwright && playwright install chromium") from error
    taken = []
    try:
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"] if browser else [])
            try:
                taken = [_take(started, settings, url, width) for width in widths]
            finally:
                started.close()
    except Error as error:
        raise UnavailableError(f"no picture of {url}: {error.message.splitlines()[0]}") from error
    client = connect(settings)
    try:
        for size, picture, boxes in taken:
            save_picture(client, canonical_url(url), size, datetime.now(UTC), picture, boxes)
    finally:
        client.disconnect()
    return [size for size, _, _ in taken]


def _take(browser: Any, settings: Settings, url: str, width: int) -> tuple[tuple[int, int], str, list[Box]]:
    page = browser.new_page(viewport={"width": width, "height": HEIGHT})
    try:
        page.route(f"{settings.collector_url.rstrip('/')}/**", lambda route: route.abort())
        page.goto(url, wait_until="load", timeout=_TIMEOUT_MS)
        height = min(MAX_HEIGHT, int(page.evaluate("document.documentElement.scrollHeight")))
        clip = {"x": 0, "y": 0, "width": width, "height": height}
        picture = page.screenshot(type="jpeg", quality=_QUALITY, full_page=True, clip=clip, animations="disabled")
        boxes = [Box(*each) for each in page.evaluate(_BOXES, MAX_BOXES)]
    finally:
        page.close()
    return (width, height), base64.b64encode(picture).decode(), boxes
