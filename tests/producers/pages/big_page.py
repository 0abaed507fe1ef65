"""A page of ten thousand elements, read with everything that the snippet listens to, and traced by Chromium."""

from typing import NamedTuple

from tests.producers.pages.reader import Reader
from tests.producers.pages.tracing import Trace, traced

SLOWDOWN = 4
MAX_TASK_MS = 5
"""No task of the snippet may take longer on a CPU so many times slower than the machine's."""

BIG_PAGE = """() => {
  document.querySelector("main").style.height = "auto";
  document.querySelector("main").innerHTML = Array.from({ length: 10000 }, (_, n) =>
    n % 33 ? `<p>${n}</p>` : `<h2>Section ${n} of a page that goes on and on</h2>`).join("");
}"""
_TASKS = 50  # so many, at least, a reading must have caused


class Longest(NamedTuple):
    """The longest task of the snippet, in ms on the slower CPU, and in tasks of the page's own that always do the same.

    Beside it one that does nothing but send: what that takes is the browser's, and no script that sends has less.

    A slower CPU is reckoned, not emulated: Chromium's throttle stops a thread for milliseconds at a time, and so hits a
    task of one millisecond whole or not at all. Time is the CPU's: what other programs take is not the snippet's.
    """

    ms: float
    pieces: float
    only_sends_ms: float


def open_big_page(reader: Reader) -> None:
    """Open the page, with a script in it that does the same small piece of work again and again."""
    reader.open("/app")
    reader.page.evaluate(BIG_PAGE)
    reader.page.evaluate("setInterval(alwaysTheSame, 40)")
    reader.stay(1)


def read_big_page(reader: Reader, nth: int) -> Trace:
    """Scroll, click, go to another address and to another tab, while the page grows."""
    with traced(reader.page) as trace:
        for step in range(10):
            reader.scroll_to(1000 + step * 6000)
            reader.page.evaluate("document.querySelector('main').append('more', document.createElement('hr'))")
            reader.stay(0.4)
        reader.page.mouse.click(300, 300)
        reader.page.evaluate("nth => history.pushState(null, '', '/app?page=' + nth)", nth)
        reader.stay(1.2)
        reader.hide()
        reader.hide(False)
        reader.page.evaluate("setTimeout(onlySends)")
        reader.stay(0.2)
    return trace


def longest(trace: Trace) -> Longest:
    """Return the longest task of the snippet in a reading."""
    ours, control = trace.cost("/rb.js").task_ms, trace.cost("/app").task_ms
    assert min(len(ours), len(control)) > _TASKS
    return Longest(ours[-1] * SLOWDOWN, ours[-1] / control[len(control) // 2], control[-1] * SLOWDOWN)
