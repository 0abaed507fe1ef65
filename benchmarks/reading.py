"""Is reading measured right? Scripted readings in real Chromium, each compared with what its script did.

Times of the script are taken by the page's wall clock, in the same call that acts; the snippet counts by another.
"""

import asyncio
import sys
from collections.abc import Iterator

from playwright.async_api import Browser, async_playwright

from benchmarks.reading_play import Play, Truth
from benchmarks.reading_scripts import READINGS, Reading
from schemas.events import PageProgress, PageView
from tests.producers.pages.site import Recorder, serving
from tests.support.browser import FLAGS, chromium

MAX_ERROR_PCT = 5.0
AT_ONCE = 4


def run() -> bool:
    """Play all readings and print a line for each page view; returns whether all are right."""
    found = asyncio.run(_play_all())
    for _, line in found:
        sys.stdout.write(line + "\n")
    right = sum(good for good, _ in found)
    sys.stdout.write(f"reading: {right} of {len(found)} page views right, in {len(READINGS)} readings  target all\n")
    return right == len(found)


async def _play_all() -> list[tuple[bool, str]]:
    turns = asyncio.Semaphore(AT_ONCE)
    async with async_playwright() as playwright:
        # Playwright switches the back-forward cache off; people's browsers have it.
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=list(FLAGS), ignore_default_args=["--disable-back-forward-cache"]
        )
        try:
            results = await asyncio.gather(*(_play(reading, browser, turns) for reading in READINGS))
        finally:
            await browser.close()
    return [line for lines in results for line in lines]


async def _play(reading: Reading, browser: Browser, turns: asyncio.Semaphore) -> list[tuple[bool, str]]:
    async with turns:
        with serving() as recorder:
            recorder.attributes = reading.attributes
            recorder.script_delay_s = reading.script_delay_s
            context = await browser.new_context(**reading.browser)
            if reading.init:
                await context.add_init_script(reading.init)
            play = Play(await context.new_page(), recorder.url)
            await reading.script(play)
            await play.end()
            await asyncio.to_thread(_await_reports, recorder, len(play.truths))
            await context.close()
            return list(_compare(reading.name, play.truths, recorder))


def _await_reports(recorder: Recorder, views: int) -> None:
    def all_left() -> bool:
        return len({event.page_view_id for event in recorder.of(PageProgress) if event.left}) >= views

    recorder.wait(all_left, f"{views} page views left")


def _compare(name: str, truths: list[Truth], recorder: Recorder) -> Iterator[tuple[bool, str]]:
    views = recorder.of(PageView)
    if len(views) != len(truths):
        yield False, f"MISS {name:<46} page views {len(views)}, target {len(truths)}"
        return
    for number, (truth, view) in enumerate(zip(truths, views, strict=True), 1):
        told = [event for event in recorder.of(PageProgress) if event.page_view_id == view.page_view_id][-1]
        actual_ms = truth.active_ms(view.occurred_ms)
        error_pct = 100 * abs(told.active_ms - actual_ms) / max(1, actual_ms)
        wanted = truth.longest(view.occurred_ms)
        longest = max(told.sections, key=lambda section: section.active_ms).key if told.sections else ""
        good = error_pct <= MAX_ERROR_PCT and longest == wanted
        label = f"{name} ({number})" if len(truths) > 1 else name
        active = (
            f"active {told.active_ms:>6} ms of {actual_ms:>6}  off by {error_pct:4.1f} %, target <= {MAX_ERROR_PCT:.0f}"
        )
        read = f"longest {longest!r}, target {wanted!r}"
        yield good, f"{'ok  ' if good else 'MISS'} {label:<46} {active}  {read}"
