"""Time, depth and attention, as a person reads in a real browser."""

import time
from itertools import pairwise

from schemas.events import PageProgress, PageView, Viewport
from tests.producers.pages.reader import Reader
from tests.producers.pages.site import Recorder

pytest_plugins = ["tests.producers.pages.fixtures"]


def near(actual: float, expected: float) -> bool:
    return abs(actual - expected) <= 0.08 * expected + 250


def test_a_read_is_told_as_it_was(reader: Reader, recorder: Recorder) -> None:
    """4000 px, of which 800 are in view: 1.5 s at the top, 4 s over Security (2000 to 3000), nothing below 2900."""
    reader.open("/article?utm_source=mail")
    reader.stir()
    reader.stay(1.5)
    reader.scroll_to(2100)
    scrolled_ms = reader.clock_ms()
    reader.stay(4)
    reader.leave()

    left = recorder.left()
    opened = recorder.last(PageView)
    assert near(left.active_ms, left.occurred_ms - opened.occurred_ms)
    assert abs(left.depth_pct - 72.5) <= 5
    sections = {section.key: section for section in left.sections}
    assert max(left.sections, key=lambda section: section.active_ms).key == "Security, in depth"
    assert sections["Security, in depth"].title == "Security, in depth"
    assert near(sections["Security, in depth"].active_ms, left.occurred_ms - scrolled_ms)
    assert near(sections["How Acme secures data"].active_ms, scrolled_ms - opened.occurred_ms)
    assert "We value your privacy" not in sections
    assert abs(sum(left.bands) - left.active_ms) <= 10
    assert left.bands.index(max(left.bands)) in (5, 6)
    assert left.bands[8] == left.bands[9] == 0
    assert left.title == "How Acme secures data"

    assert [event.left for event in recorder.of(PageProgress)] == [False, True]
    assert opened.page_view_id == left.page_view_id
    assert opened.url == f"{recorder.url}/article?utm_source=mail"
    assert (opened.title, opened.viewport) == ("How Acme secures data", Viewport.desktop)


def test_counters_only_grow(reader: Reader, recorder: Recorder) -> None:
    reader.open("/article")
    for y in (300, 0, 600, 200):
        reader.scroll_to(y)
        reader.stay(0.3)
        reader.hide()
        reader.stay(0.1)
        reader.hide(False)
    reader.leave()
    recorder.left(5)
    told = recorder.of(PageProgress)
    counters = [(event.active_ms, event.depth_pct, *event.bands) for event in told]
    for before, after in pairwise(counters):
        assert all(a <= b for a, b in zip(before, after, strict=True))
    assert counters[-1] > counters[0]


def test_hidden_time_does_not_count(reader: Reader, recorder: Recorder) -> None:
    reader.open("/article")
    reader.stir()
    reader.stay(1)
    reader.hide()
    first = recorder.left()
    reader.stay(2)
    back_ms = reader.clock_ms()
    reader.hide(False)
    reader.stay(1)
    reader.leave()
    second = recorder.left(2)
    assert near(first.active_ms, first.occurred_ms - recorder.last(PageView).occurred_ms)
    assert near(second.active_ms, first.active_ms + second.occurred_ms - back_ms)
    assert len(recorder.of(PageProgress)) == 2


def test_a_page_opened_in_the_background_counts_from_when_it_is_seen(reader: Reader, recorder: Recorder) -> None:
    reader.page.add_init_script("""
      Object.defineProperty(document, "hidden", { configurable: true, get: () => true });""")
    reader.open("/article")
    recorder.last(PageView)
    reader.stay(1)
    seen_ms = reader.clock_ms()
    reader.hide(False)
    reader.stir()
    reader.stay(1.2)
    reader.leave()
    left = recorder.left()
    assert near(left.active_ms, left.occurred_ms - seen_ms)


def test_time_in_another_window_does_not_count(reader: Reader, recorder: Recorder) -> None:
    reader.open("/article")
    session = reader.context.new_cdp_session(reader.page)
    reader.stir()
    reader.stay(1)
    session.send("Emulation.setFocusEmulationEnabled", {"enabled": False})  # else Playwright has all pages focused
    reader.page.evaluate("addEventListener('blur', () => { window.blurred = Date.now(); })")
    reader.context.new_page()
    reader.page.wait_for_function("() => window.blurred && !document.hasFocus()")
    until_ms = reader.page.evaluate("window.blurred")
    reader.stay(2)
    reader.leave()
    assert near(recorder.left().active_ms, until_ms - recorder.last(PageView).occurred_ms)


def test_idle_time_does_not_count(reader: Reader, recorder: Recorder) -> None:
    recorder.attributes = 'data-idle-s="2"'
    reader.open("/article")
    reader.stir()
    used_ms = reader.clock_ms()
    reader.stay(3.5)
    again_ms = reader.clock_ms()
    reader.stir()
    reader.stay(0.7)
    reader.leave()
    left = recorder.left()
    first_ms = used_ms + 2000 - recorder.last(PageView).occurred_ms
    assert near(left.active_ms, first_ms + left.occurred_ms - again_ms)


def test_a_machine_that_hangs_counts_one_tick(reader: Reader, recorder: Recorder) -> None:
    began_s = time.monotonic()
    reader.open("/article")
    reader.stir()
    reader.stay(0.5)
    reader.page.evaluate("{ const until = performance.now() + 3000; while (performance.now() < until); }")
    reader.leave()
    without_the_hang_ms = (time.monotonic() - began_s - 3) * 1000
    assert 800 <= recorder.left().active_ms <= without_the_hang_ms + 1000


def test_nothing_is_read_where_nobody_gives_a_sign(reader: Reader, recorder: Recorder) -> None:
    """Mail scanners open pages in real browsers."""
    reader.open("/article")
    reader.page.evaluate("""() => {
      dispatchEvent(new MouseEvent("mousemove", { screenX: 5 }));
      document.querySelector("#pricing").click();
    }""")
    reader.stay(1.2)
    reader.leave()
    left = recorder.left()
    assert (left.active_ms, left.depth_pct, left.sections, sum(left.bands)) == (0, 0, (), 0)
    assert [event.type for report in recorder.reports for event in report.events] == ["page_view", "page_progress"]


def test_a_page_that_fits_the_window_is_read_to_its_end(reader: Reader, recorder: Recorder) -> None:
    reader.open("/interactive")
    reader.stir()
    reader.stay(1)
    reader.leave()
    assert recorder.left().depth_pct == 100


def test_depth_is_of_the_page_as_tall_as_it_has_grown(reader: Reader, recorder: Recorder) -> None:
    reader.open("/article")
    reader.stir()
    reader.stay(0.8)
    reader.page.evaluate("""() => {
      for (let n = 0; n < 4; n++) document.body.append(document.querySelector("section:last-of-type").cloneNode(true));
    }""")
    reader.scroll_to(3200)
    reader.stay(1.2)
    reader.leave()
    left = recorder.left()
    assert abs(left.depth_pct - 50) <= 5
    assert {section.key for section in left.sections} <= {"How Acme secures data", "Contact"}


def test_in_an_app_shell_the_inner_box_is_the_page(reader: Reader, recorder: Recorder) -> None:
    reader.open("/shell")
    reader.page.mouse.move(600, 400)
    reader.page.mouse.wheel(0, 2000)
    reader.page.wait_for_function("() => document.querySelector('main').scrollTop === 2000")
    reader.stay(2)
    reader.leave()
    left = recorder.left()
    assert abs(left.depth_pct - 70) <= 5
    assert {section.key for section in left.sections} <= {"Install", "Operate", "Operate-2"}
    assert max(left.sections, key=lambda section: section.active_ms).key == "Operate-2"


def test_progress_is_told_every_five_seconds_and_not_without_news(reader: Reader, recorder: Recorder) -> None:
    """By a clock that runs when it is told to; 30 s after the last sign of use there is no news any more."""
    reader.page.clock.install()
    reader.open("/article")
    reader.stir()
    for _ in range(60):
        reader.page.clock.run_for(1000)
    recorder.last(PageProgress, 6)
    told = [event.active_ms for event in recorder.of(PageProgress)]
    assert all(abs(active_ms - 5000 * n) <= 1100 for n, active_ms in enumerate(told[:6], 1))
    assert told[-1] <= 32_000  # with what passes between opening and the sign of use, on a busy machine
    assert len(told) <= 7
