"""What does the snippet cost a page? Its longest task in real Chromium, on a page of ten thousand elements.

Each reading has a browser of its own, in which nothing is compiled yet. Where other programs run, caches are colder and
every task is longer: the figure of a reading is that of its longest task, and the middle one of all readings counts.
"""

from statistics import median

from playwright.sync_api import sync_playwright

from tests.producers.pages.big_page import MAX_TASK_MS, SLOWDOWN, Longest, longest, open_big_page, read_big_page
from tests.producers.pages.reader import Reader
from tests.producers.pages.site import serving
from tests.producers.pages.tracing import traced
from tests.support.browser import FLAGS, chromium

READINGS = 9


def run() -> bool:
    """Read the page several times and print each reading's longest task; returns whether the target was met."""
    found, starts = [], []
    for nth in range(1, READINGS + 1):
        start_ms, reading = _read()
        starts.append(start_ms)
        found.append(reading)
        print(f"      reading {nth} of {READINGS}: {reading.ms:.1f} ms, when it starts {start_ms:.1f} ms", flush=True)
    middle = median(each.ms for each in found)
    met = middle <= MAX_TASK_MS
    worst, sends = max(found), median(each.only_sends_ms for each in found)
    # An empty script takes the browser 4 to 7 ms when it is the first: the start is told, not held against the target.
    print(
        f"      longest task of the start, new browser: {median(starts):.1f} ms, worst {max(starts):.1f} ms", flush=True
    )
    print(
        f"{'ok  ' if met else 'MISS'}  longest task, 10,000 nodes, CPU {SLOWDOWN}x slower: {middle:.1f} ms "
        f"(target <= {MAX_TASK_MS})  worst {worst.ms:.1f} ms; a task of the page's that only sends: {sends:.1f} ms",
        flush=True,
    )
    return met


def _read() -> tuple[float, Longest]:
    with sync_playwright() as playwright, serving() as recorder:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            reader = Reader(browser.new_context(viewport={"width": 1200, "height": 800}), recorder)
            with traced(reader.page) as start:
                open_big_page(reader)
            start_ms = start.cost("/rb.js").task_ms[-1] * SLOWDOWN
            return start_ms, longest(read_big_page(reader, 0))
        finally:
            browser.close()
