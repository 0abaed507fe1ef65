"""The scripted readings: what readers do, on which pages and in which browsers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.reading_play import Play, Truth

Script = Callable[[Play], Awaitable[None]]

DESKTOP: dict[str, Any] = {"viewport": {"width": 1200, "height": 800}}
TABLET: dict[str, Any] = {"viewport": {"width": 820, "height": 900}, "has_touch": True}
MOBILE: dict[str, Any] = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
SECTIONS = (("How Acme secures data", 0), ("pricing", 1000), ("Security, in depth", 2000), ("Contact", 3200))
TOP, PRICING, SECURITY, CONTACT = (key for key, _ in SECTIONS)

_HIDDEN = """
  Object.defineProperty(document, "hidden", { configurable: true, get: () => true });"""
_NO_STORAGE = """
  Object.defineProperty(window, "localStorage", { get() { throw new DOMException("denied", "SecurityError"); } });"""


def _clock_off_by(days: int) -> str:
    return f"{{ const now = Date.now; Date.now = () => now() + {days * 86_400_000}; }}"


@dataclass(frozen=True)
class Reading:
    """One script, and what is special about the browser or the page."""

    name: str
    script: Script
    browser: dict[str, Any] = field(default_factory=lambda: DESKTOP)
    attributes: str = ""
    script_delay_s: float = 0
    init: str = ""


def _lingers(section: str, y: int) -> Script:
    async def script(play: Play) -> None:
        await play.open("/article", TOP)
        await play.read(TOP, 2)
        await play.read(section, 6, y)

    return script


def _lingers_first(section: str, y: int) -> Script:
    async def script(play: Play) -> None:
        await play.open("/article", TOP)
        await play.read(TOP, 1)
        await play.read(section, 4, y)
        for key, elsewhere in SECTIONS:
            await play.read(key, 1, elsewhere)

    return script


async def _background(play: Play) -> None:
    await play.open("/article", None)
    await play.still(3)
    await play.hide(False, TOP)
    await play.read(TOP, 2)
    await play.read(PRICING, 5, 1000)


async def _another_tab(play: Play) -> None:
    await play.open("/article", TOP)
    await play.read(TOP, 2)
    await play.read(SECURITY, 3, 2000)
    await play.away(3, SECURITY)
    await play.read(SECURITY, 3)


async def _many_tabs(play: Play) -> None:
    await play.open("/article", TOP)
    await play.read(TOP, 1)
    await play.read(PRICING, 1, 1000)
    for _ in range(4):
        await play.away(1, PRICING)
        await play.read(PRICING, 1.5)


async def _left_lying(play: Play) -> None:
    await play.open("/article", TOP)
    await play.read(TOP, 2)
    await play.read(PRICING, 3, 1000)
    await play.hide(True, None)
    await play.still(4)


async def _idle(play: Play) -> None:
    """By a limit of two seconds; the last sign of use is where the scroll is."""
    await play.open("/article", TOP)
    for _ in range(3):
        await play.read(TOP, 1)
    for y in (2000, 2010, 2020, 2030):
        await play.read(SECURITY, 1, y)
    await play.act("scrollTo(0, 2040)", SECURITY)
    at, _ = play.truths[-1].marks[-1]
    play.truths[-1].marks.append((at + 2000, None))
    await play.still(5)


async def _idle_and_back(play: Play) -> None:
    await _idle(play)
    for y in (2000, 2010, 2020):
        await play.read(SECURITY, 1.5, y)


async def _grows(play: Play) -> None:
    await play.open("/article", TOP)
    await play.read(TOP, 2)
    grow = "for (let n = 0; n < 4; n++) document.body.append(document.querySelector('section').cloneNode(true))"
    await play.act(grow, TOP)
    await play.read(CONTACT, 6, 3000)


async def _grows_above(play: Play) -> None:
    """What was at 1000 is at 2000 afterwards."""
    await play.open("/article", TOP)
    await play.read(TOP, 2)
    await play.act("document.body.prepend(Object.assign(document.createElement('div'), {style: 'height:1000px'}))", TOP)
    await play.read(PRICING, 7, 2000)


async def _endless(play: Play) -> None:
    await play.open("/article", TOP)
    await play.read(TOP, 1)
    for n in range(5):
        await play.act("document.body.append(document.querySelector('section:last-of-type').cloneNode(true))", TOP)
        await play.read(PRICING, 1.4, 1000 + n * 10)


async def _app(play: Play) -> None:
    await play.open("/sections", "one")
    await play.read("one", 2)
    await play.read("two", 4, 1000)
    await play.new_view("go('?page=2')", "one")
    await play.read("one", 1.5)
    await play.read("three", 5, 2000)


async def _app_by_hash(play: Play) -> None:
    await play.open("/sections", "one")
    await play.read("one", 4)
    await play.new_view("location.hash = '#/second'", "one")
    await play.read("one", 2)
    await play.read("two", 5, 1000)


async def _app_and_back(play: Play) -> None:
    await play.open("/sections", "one")
    await play.read("one", 4)
    await play.new_view("go('?page=2')", "one")
    await play.read("one", 1.5)
    await play.read("two", 4, 1000)
    await play.new_view("go('?page=1')", "one")
    await play.read("one", 4)


async def _shell(play: Play) -> None:
    await play.open("/shell", "Install")
    await play.page.evaluate("document.querySelector('main').className = 'scrolls'")
    await play.read("Install", 2)
    await play.read("Operate-2", 6, 2000)


async def _reloads(play: Play) -> None:
    await play.open("/article", TOP)
    await play.read(TOP, 4)
    await play.hide(True, None)
    await play.open("/article?again", TOP)
    await play.read(TOP, 1.5)
    await play.read(PRICING, 5, 1000)


async def _restored(play: Play) -> None:
    """Out of the real back-forward cache; the page comes back where it was."""
    await play.open("/article", TOP)
    await play.page.evaluate("addEventListener('pageshow', (e) => { window.shown = [e.persisted, Date.now()]; })")
    await play.read(TOP, 1)
    await play.read(PRICING, 5, 1000)
    left_ms = await play.page.evaluate("Date.now()")
    await play.page.goto(play.page.url + "/elsewhere", wait_until="commit")  # where there is no snippet
    play.truths[-1].marks.append((int(left_ms), None))
    # Not by go_back: the browser may have put the old page in the new one's place before it is asked for its history.
    await play.page.evaluate("setTimeout(() => history.back())")
    await play.page.wait_for_event("framenavigated")
    await play.page.wait_for_function("() => window.shown")
    persisted, shown_ms = await play.page.evaluate("window.shown")
    if not persisted:
        raise RuntimeError("the browser did not keep the page in its back-forward cache")
    await play.stir()
    play.truths.append(Truth([(int(shown_ms), PRICING)]))
    await play.read(PRICING, 2)
    await play.read(SECURITY, 5, 2000)


async def _skims(play: Play) -> None:
    await play.open("/article", TOP)
    await play.read(TOP, 1)
    for key, y in (*SECTIONS, *reversed(SECTIONS), *SECTIONS):
        await play.read(key, 0.3, y)
    await play.read(SECURITY, 4, 2000)


READINGS = (
    *(Reading(f"desktop, lingers on {key}", _lingers(key, y)) for key, y in SECTIONS[1:]),
    *(Reading(f"tablet, lingers on {key}", _lingers(key, y), TABLET) for key, y in SECTIONS[1:3]),
    *(Reading(f"mobile, lingers on {key}", _lingers(key, y), MOBILE) for key, y in SECTIONS[1:]),
    *(Reading(f"desktop, {key} and the rest", _lingers_first(key, y)) for key, y in SECTIONS[1:]),
    *(Reading(f"mobile, {key} and the rest", _lingers_first(key, y), MOBILE) for key, y in SECTIONS[1:3]),
    Reading("opened in the background", _background, init=_HIDDEN),
    Reading("another tab in between", _another_tab),
    Reading("another tab in between, mobile", _another_tab, MOBILE),
    Reading("many tabs", _many_tabs),
    Reading("left lying in a tab", _left_lying),
    Reading("idle", _idle, attributes='data-idle-s="2"'),
    Reading("idle and back", _idle_and_back, attributes='data-idle-s="2"'),
    Reading("a page that grows below", _grows),
    Reading("a page that grows above", _grows_above),
    Reading("a page without an end", _endless),
    Reading("single-page app", _app),
    Reading("single-page app, mobile", _app, MOBILE),
    Reading("single-page app by hash", _app_by_hash),
    Reading("single-page app, there and back", _app_and_back),
    Reading("app shell", _shell),
    Reading("reloaded", _reloads),
    Reading("restored from the back-forward cache", _restored),
    Reading("skimmed, then read", _skims),
    Reading("the snippet comes late", _lingers(PRICING, 1000), script_delay_s=1.5),
    Reading("storage denied", _lingers(SECURITY, 2000), init=_NO_STORAGE),
    Reading("a clock three days fast", _another_tab, init=_clock_off_by(3)),
    Reading("a clock nine days slow", _lingers(PRICING, 1000), init=_clock_off_by(-9)),
)
