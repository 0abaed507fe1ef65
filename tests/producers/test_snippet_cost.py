"""What the snippet costs the page, on a CPU four times slower than this one and a page of ten thousand elements."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from schemas.events import Click
from tests.producers.pages.reader import Reader
from tests.producers.pages.site import Recorder
from tests.producers.pages.tracing import Trace, traced

pytest_plugins = ["tests.producers.pages.fixtures"]

MAX_TASK_MS = 5
BIG_PAGE = """() => {
  document.querySelector("main").style.height = "auto";
  document.querySelector("main").innerHTML = Array.from({ length: 10000 }, (_, n) =>
    n % 33 ? `<p>${n}</p>` : `<h2>Section ${n} of a page that goes on and on</h2>`).join("");
}"""


ROUNDS = 6


def _read_big_page(reader: Reader, round_: int) -> Trace:
    with traced(reader.page, slowdown=4) as trace:
        for step in range(10):
            reader.scroll_to(1000 + step * 6000)
            reader.page.evaluate("document.querySelector('main').append('more', document.createElement('hr'))")
            reader.stay(0.4)
        reader.page.mouse.click(300, 300)
        reader.page.evaluate("round => history.pushState(null, '', '/app?page=' + round)", round_)
        reader.stay(1.2)
        reader.hide()
        reader.hide(False)
        reader.stay(0.2)
    return trace


class Longest(NamedTuple):
    """The longest task of the snippet, and how much of such a one is the machine's noise."""

    task_ms: float
    noise_ms: float

    @property
    def within_bound(self) -> bool:
        return self.task_ms <= MAX_TASK_MS + self.noise_ms


def _longest(trace: Trace) -> Longest:
    """Return the longest task of the snippet.

    Where other programs want the CPU too, the throttle takes milliseconds for itself. How many is told by a script of
    the page's own, which always does the same small piece of work: what its longest task has over its middle one.
    """
    ours = trace.cost("/rb.js").task_ms
    control = trace.cost("/app").task_ms
    assert min(len(ours), len(control)) > 50
    return Longest(ours[-1], control[-1] - control[len(control) // 2])


@pytest.mark.timeout(300)
def test_no_task_is_long_and_none_works_out_a_layout(
    reader: Reader, recorder: Recorder, figure: Callable[[str], None]
) -> None:
    """In one round of a few, since noise hits what it hits."""
    reader.open("/app")
    reader.page.evaluate(BIG_PAGE)
    reader.page.evaluate("setInterval(alwaysTheSame, 40)")
    reader.stay(1)
    rounds: list[Longest] = []
    while len(rounds) < ROUNDS and not any(each.within_bound for each in rounds):
        trace = _read_big_page(reader, len(rounds))
        assert trace.cost("/rb.js").forced == []
        rounds.append(_longest(trace))
    recorder.last(Click)
    best = min(rounds, key=lambda each: each.task_ms - each.noise_ms)
    figure(
        f"longest task of the snippet, 10,000 nodes, CPU 4x slower: {best.task_ms:.1f} ms "
        f"(target: {MAX_TASK_MS} ms; the machine's noise in that round: {best.noise_ms:.1f} ms)"
    )
    assert best.within_bound, rounds


def test_the_measurement_sees_a_long_task_and_a_forced_layout(reader: Reader) -> None:
    """Shown on the page's own script, which does both when it is told to."""
    reader.open("/app")
    reader.page.evaluate(BIG_PAGE)
    reader.page.evaluate("addEventListener('scroll', costly)")
    with traced(reader.page, slowdown=4) as trace:
        reader.scroll_to(500)
        reader.stay(0.3)
    cost = trace.cost("/app")
    assert cost.task_ms[-1] > MAX_TASK_MS
    assert ("Layout", "scroll") in cost.forced
