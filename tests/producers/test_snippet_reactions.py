"""What a click led to, and what was copied."""

import json

import pytest

from schemas.events import Click, Copy, FormSubmit, PageView
from tests.producers.pages.reader import Reader
from tests.producers.pages.site import Recorder

pytest_plugins = ["tests.producers.pages.fixtures"]


def _clicked(reader: Reader, recorder: Recorder, target: str) -> Click:
    before = len(recorder.of(Click))
    reader.page.locator(target).click()
    return recorder.last(Click, before + 1)


def test_a_click_after_which_nothing_happens_is_dead(reader: Reader, recorder: Recorder) -> None:
    reader.open("/reactions")
    assert _clicked(reader, recorder, "#dead").dead
    assert _clicked(reader, recorder, "#looks").dead  # no button, but the pointer becomes a hand
    assert _clicked(reader, recorder, "#here").dead  # a link to where the page already is
    waited = recorder.of(Click)[0]
    sent = next(report for report in recorder.reports if waited in report.events)
    assert sent.sent_ms - waited.occurred_ms >= 1000  # it is stamped when it was clicked, not when it was judged


def test_a_click_after_which_something_happens_is_not_dead(reader: Reader, recorder: Recorder) -> None:
    reader.open("/reactions")
    for target in ("#changes", "#late", "#scrolls", "#routes", "#field", "#text"):
        assert not _clicked(reader, recorder, target).dead, target


def test_a_link_that_leads_away_is_never_dead(reader: Reader, recorder: Recorder) -> None:
    reader.open("/reactions")
    for target in ("#mail", "#slow", "#download"):
        assert not _clicked(reader, recorder, target).dead, target


def test_a_form_that_is_sent_is_reaction_enough(reader: Reader, recorder: Recorder) -> None:
    reader.open("/reactions")
    assert not _clicked(reader, recorder, "#send").dead
    recorder.last(FormSubmit)


def test_a_click_that_waits_is_told_when_the_page_is_left(reader: Reader, recorder: Recorder) -> None:
    reader.open("/reactions")
    reader.page.locator("#dead").click()
    reader.leave()
    assert not recorder.last(Click).dead


def test_a_click_that_opens_another_page_at_once_is_told(reader: Reader, recorder: Recorder) -> None:
    """It is told in a task after its own, which never comes if the page is gone."""
    reader.open("/reactions")
    reader.page.evaluate("document.querySelector('#here').setAttribute('onclick', 'location.href = \"/article\"')")
    reader.page.evaluate("document.querySelector('#here').href = '/article'")
    clicked = _clicked(reader, recorder, "#here")
    assert (clicked.element, clicked.href, clicked.dead) == ("a#here", f"{recorder.url}/article", False)


def test_what_a_click_removes_or_renames_is_told_as_it_was(reader: Reader, recorder: Recorder) -> None:
    reader.open("/reactions")
    for answer in ("this.remove()", "this.id = this.textContent = this.className = 'other'"):
        reader.page.evaluate(
            """answer => document.querySelector("main").insertAdjacentHTML("afterbegin",
               `<button class="cta" id="once" onclick="${answer}">Once</button>`)""",
            answer,
        )
        clicked = _clicked(reader, recorder, "#once")
        assert (clicked.element, clicked.text, clicked.dead) == ("button.cta#once", "Once", False)
        assert (clicked.element_x, clicked.element_y) == pytest.approx((0.5, 0.5), abs=0.1)  # whole pixels


def test_a_click_belongs_to_the_page_it_was_made_on(reader: Reader, recorder: Recorder) -> None:
    """Where a router goes on at once, in the click's own task."""
    reader.open("/reactions")
    left = recorder.last(PageView)
    reader.page.evaluate("document.querySelector('#text').setAttribute('onclick', `history.pushState(0, '', '/next')`)")
    clicked = _clicked(reader, recorder, "#text")
    assert recorder.last(PageView, 2).page_view_id != left.page_view_id == clicked.page_view_id


def test_the_third_click_on_one_spot_within_a_second_is_rage(reader: Reader, recorder: Recorder) -> None:
    reader.open("/reactions")
    # By one call each: the browser is busy, and three calls may take more than a second.
    reader.page.mouse.click(200, 30, click_count=4)
    recorder.last(Click, 4)
    assert [click.rage for click in recorder.of(Click)] == [False, False, True, True]


def test_clicks_far_apart_or_slow_are_no_rage(reader: Reader, recorder: Recorder) -> None:
    reader.open("/reactions")
    for x in (100, 150, 200, 250):
        reader.page.mouse.click(x, 30)
    for _ in range(3):
        reader.page.mouse.click(400, 30)
        reader.stay(0.6)
    recorder.last(Click, 7)
    assert not any(click.rage for click in recorder.of(Click))


def test_a_download_is_told_as_the_page_says(reader: Reader, recorder: Recorder) -> None:
    reader.open("/reactions")
    assert _clicked(reader, recorder, "#download").download
    assert not _clicked(reader, recorder, "#here").download


def test_of_what_is_copied_only_the_length_is_told(reader: Reader, recorder: Recorder) -> None:
    reader.open("/reactions")
    reader.page.locator("#text").click(click_count=3)
    reader.page.keyboard.press("Control+c")
    assert recorder.last(Copy).chars == len("Words worth copying.")
    told = [event for body in recorder.bodies for event in json.loads(body)["events"] if event["type"] == "copy"]
    assert [sorted(event) for event in told] == [["chars", "event_id", "occurred_ms", "page_view_id", "type", "url"]]
