"""Page views, clicks, forms: what happens on a page, and what of it is nobody's business."""

import time

from schemas.events import Click, FormSubmit, PageProgress, PageView
from tests.producers.pages.reader import Reader
from tests.producers.pages.site import Recorder

pytest_plugins = ["tests.producers.pages.fixtures"]


def test_each_page_of_an_app_is_a_page_view_of_its_own(reader: Reader, recorder: Recorder) -> None:
    reader.open("/app")
    reader.stir()
    reader.page.evaluate("scrollTo(0, 9999)")
    reader.stay(1.2)
    came_s = time.monotonic()
    reader.page.evaluate("go('/app?page=long#top', 'Long', { key: 7 })")
    assert reader.page.evaluate("history.state.key") == 7
    reader.stay(1.5)
    reader.page.evaluate("location.hash = '#/route'")
    went_s = time.monotonic()
    reader.stay(0.5)
    reader.page.go_back()
    reader.page.evaluate("""() => {
      history.replaceState(null, "", location.href);
      history.replaceState(null, "", "?page=long&utm_source=x");
      location.hash = "section";
    }""")
    reader.leave()
    recorder.left(4)

    views = recorder.of(PageView)
    paths = [view.url.removeprefix(recorder.url) for view in views]
    assert paths == ["/app", "/app?page=long", "/app?page=long#/route", "/app?page=long"]
    assert [view.referrer.removeprefix(recorder.url) for view in views] == ["", *paths[:-1]]
    assert (views[0].title, views[1].title) == ("Home", "Long")
    left = [event for event in recorder.of(PageProgress) if event.left]
    assert [event.page_view_id for event in left] == [view.page_view_id for view in views]
    assert left[0].depth_pct == 100
    assert left[1].depth_pct <= 15  # 800 of 8000: how far the page before was scrolled does not count
    assert 1000 <= left[1].active_ms <= (went_s - came_s) * 1000


def test_a_page_that_comes_back_from_the_cache_is_a_new_page_view(reader: Reader, recorder: Recorder) -> None:
    reader.open("/app")
    first = recorder.last(PageView)
    reader.stir()
    reader.stay(0.5)
    reader.page.evaluate("""() => {
      dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
      dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    }""")
    second = recorder.last(PageView, 2)
    assert recorder.left().page_view_id == first.page_view_id != second.page_view_id


def test_a_prerendered_page_waits_until_it_is_seen(reader: Reader, recorder: Recorder) -> None:
    reader.page.add_init_script("Object.defineProperty(document, 'prerendering', { value: true })")
    reader.open("/article#rb=abc")
    recorder.stays_silent(1.3)
    assert reader.page.evaluate("localStorage.length") == 0
    reader.page.evaluate("document.dispatchEvent(new Event('prerenderingchange'))")
    recorder.last(PageView)


def test_a_click_says_what_and_where(reader: Reader, recorder: Recorder) -> None:
    reader.open("/interactive")
    reader.page.mouse.click(150, 110)
    click = recorder.last(Click)
    assert (click.element, click.text) == ("a.cta.big#buy", "Buy now")
    assert click.href == f"{recorder.url}/interactive#start"
    assert (click.element_x, click.element_y) == (0.25, 0.2)
    assert (click.page_x, click.page_y) == (0.125, 0.1375)
    reader.page.locator("#buy").press("Enter")
    assert recorder.last(Click, 2).element_x == 0.5


def test_what_is_masked_or_typed_never_leaves_the_page(reader: Reader, recorder: Recorder) -> None:
    reader.open("/interactive")
    reader.page.locator("#inner").click()
    reader.page.locator("#editor").click()
    reader.page.keyboard.type("more secrets")
    for field in ("#company", "#email", "#message", "#pass", "#shown"):
        reader.page.locator(field).fill(f"secret {field}")
        reader.page.locator(field).click()
    clicks = 7
    recorder.last(Click, clicks)
    assert [click.text for click in recorder.of(Click)] == [""] * clicks
    reader.leave()
    recorder.left()
    for body in recorder.bodies:
        assert "secret" not in body
        assert "Jane" not in body


def test_a_form_carries_only_what_the_page_opted_in(reader: Reader, recorder: Recorder) -> None:
    reader.open("/interactive")
    reader.page.locator("#company").fill("Acme   GmbH 😀")
    for field in ("#email", "#message", "#pass", "#shown"):
        reader.page.locator(field).fill("secret")
    reader.page.locator("#yes").check()
    reader.page.locator("#send").click()
    sent = recorder.last(FormSubmit)
    assert sent.form == "contact"
    assert sent.fields == {"company": "Acme GmbH 😀", "demo": "yes"}
    assert recorder.of(Click)[-1].text == "Send 😀"
    assert not any("secret" in body for body in recorder.bodies)


def test_long_and_broken_texts_stay_within_bounds(reader: Reader, recorder: Recorder) -> None:
    """The recorder checks every report by the schema."""
    reader.open("/app?" + "q" * 3000)
    reader.page.evaluate("""() => {
      document.title = "x".repeat(499) + "😀".repeat(9) + "\\ud83d";
      const words = (n) => "語".repeat(199) + "😀" + n;
      document.querySelector("main").innerHTML = Array.from({ length: 400 }, (_, n) =>
        `<h2 id="${n % 2 ? words(n) : ""}" class="${words(n)}">${words(n)}</h2>`).join("");
    }""")
    reader.stir()
    for y in range(0, 20000, 600):
        reader.page.evaluate("y => scrollTo(0, y)", y)
        reader.stay(0.07)
    reader.page.mouse.click(300, 5)
    # Browsers let 64 KiB be under way at once: a report of this page is nearly that, so the one before must be through.
    recorder.last(Click)
    reader.page.evaluate("readbrief('identify', 'a'.repeat(2000))")
    reader.page.evaluate("history.pushState(null, '', '?')")
    recorder.left()
    reader.page.evaluate("() => { for (let n = 0; n < 60; n++) history.pushState(null, '', '?' + n); }")
    reader.stay(1.2)
    reader.leave()
    recorder.left(60)
    read = next(event for event in recorder.of(PageProgress) if len(event.url) == 2000 and event.left)
    assert len(read.sections) == 50
    assert all(len(body.encode()) < 65_000 for body in recorder.bodies)
    assert all(len(report.events) <= 100 for report in recorder.reports)
    assert sum(len(report.events) for report in recorder.reports) > 120
