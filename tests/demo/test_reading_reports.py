"""What a simulated browser reports is what a real one could have reported."""

from collections import defaultdict
from itertools import pairwise

import pytest

from readbrief.demo.company_files import DEMO_CONTACT
from readbrief.demo.pages import load_pages
from readbrief.demo.reader_plan import Reader
from readbrief.demo.readers import demo_plan
from readbrief.demo.reading_reports import Browser, visit_ms, visit_reports
from schemas.envelope import Report
from schemas.events import Click, FormSubmit, IdentifyByToken, PageProgress, PageView, page_view_of

PAGES = load_pages()
PLAN = demo_plan()
PEOPLE = [reader for reader in PLAN if not reader.scanner]
BROWSER = Browser("nordhaven", "http://127.0.0.1:4321", "run-1", PAGES)
STARTS_MS = 1_795_356_300_000


def reports_of(reader: Reader, browser: Browser = BROWSER) -> tuple[Report, ...]:
    ends_ms = STARTS_MS + round(reader.live_s * 1000)
    token = "token" if reader.contact_id else None
    return visit_reports(browser, reader, reader.reads, token, starts_ms=STARTS_MS, ends_ms=ends_ms)


def progress_by_view(reports: tuple[Report, ...]) -> dict[str, list[PageProgress]]:
    found = defaultdict(list)
    for event in (event for report in reports for event in report.events):
        if isinstance(event, PageProgress):
            found[event.page_view_id].append(event)
    return found


def test_the_plan_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert demo_plan() == PLAN
    assert demo_plan(seed=8) != PLAN


def test_the_plan_has_all_kinds_of_readers_and_never_you() -> None:
    assert len(PLAN) == 40
    assert sum(reader.contact_id is not None and not reader.scanner for reader in PLAN) >= 16
    assert sum(reader.contact_id is None for reader in PLAN) >= 10
    assert sum(bool(reader.earlier) for reader in PLAN) >= 3
    assert sum(reader.scanner for reader in PLAN) == 2
    assert any(read.sends_form for reader in PLAN for read in reader.reads)
    assert DEMO_CONTACT not in {reader.contact_id for reader in PLAN}
    assert {read.path for reader in PLAN for read in reader.reads} == set(PAGES)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 19, 60])
def test_a_plan_has_as_many_readers_as_were_asked_for_within_its_spread(count: int) -> None:
    plan = demo_plan(count=count, spread_s=20)
    assert len(plan) == count
    assert len({reader.name for reader in plan}) == count
    assert all(reader.starts_s >= 0 and reader.starts_s + reader.live_s <= 20 for reader in plan)
    assert [reader.starts_s for reader in plan] == sorted(reader.starts_s for reader in plan)


@pytest.mark.parametrize("reader", PEOPLE, ids=lambda reader: reader.name)
def test_every_report_fits_the_contract_and_tells_no_future(reader: Reader) -> None:
    reports = reports_of(reader)
    assert reports
    for report in reports:
        assert Report.from_bytes(report.to_bytes()) == report
        assert all(event.occurred_ms <= report.sent_ms for event in report.events)
        assert report.visitor_id == BROWSER.visitor_id(reader)
    events = [event for report in reports for event in report.events]
    assert [event.occurred_ms for event in events] == sorted(event.occurred_ms for event in events)
    assert len({event.event_id for event in events}) == len(events)
    assert isinstance(events[0], IdentifyByToken) == (reader.contact_id is not None)
    assert events[0].occurred_ms > STARTS_MS - visit_ms(reader.reads)


@pytest.mark.parametrize("reader", PEOPLE, ids=lambda reader: reader.name)
def test_a_page_is_opened_then_read_further_then_left(reader: Reader) -> None:
    reports = reports_of(reader)
    views = [event for report in reports for event in report.events if isinstance(event, PageView)]
    assert [view.url for view in views] == [f"{BROWSER.origin}{read.path}" for read in reader.reads]
    by_view = progress_by_view(reports)
    for view, read in zip(views, reader.reads, strict=True):
        progress = by_view[view.page_view_id]
        assert [each.left for each in progress] == [False] * (len(progress) - 1) + [True]
        last = progress[-1]
        assert (last.active_ms, last.depth_pct) == (read.active_s * 1000, read.depth_pct)
        assert last.occurred_ms - view.occurred_ms >= last.active_ms
        for before, after in pairwise(progress):
            assert before.active_ms <= after.active_ms
            assert before.depth_pct <= after.depth_pct
            assert all(a <= b for a, b in zip(before.bands, after.bands, strict=True))
        for each in progress:
            assert sum(each.bands) == pytest.approx(each.active_ms, abs=10)
            assert sum(section.active_ms for section in each.sections) == pytest.approx(each.active_ms, abs=10)
            assert {section.key for section in each.sections} <= {each.key for each in PAGES[read.path].headed}
        if len(last.sections) > 1:
            assert max(last.sections, key=lambda section: section.active_ms).title == read.lingers_in.title


@pytest.mark.parametrize("reader", PEOPLE, ids=lambda reader: reader.name)
def test_pages_of_a_visit_do_not_overlap_and_the_visit_ends_live(reader: Reader) -> None:
    reports = reports_of(reader)
    spans: dict[str, list[int]] = defaultdict(list)
    for event in (event for report in reports for event in report.events):
        if view := page_view_of(event):
            spans[view].append(event.occurred_ms)
    for earlier, later in pairwise(spans.values()):
        assert max(earlier) < min(later)
    assert reports[0].sent_ms == STARTS_MS
    assert reports[-1].events[-1].occurred_ms == reports[-1].sent_ms == STARTS_MS + round(reader.live_s * 1000)


def test_clicks_lead_to_the_next_page_and_a_form_is_sent_once() -> None:
    clicks = 0
    forms = 0
    for reader in PEOPLE:
        events = [event for report in reports_of(reader) for event in report.events]
        opened = {event.url for event in events if isinstance(event, PageView)}
        clicks += sum(isinstance(event, Click) and event.href in opened for event in events)
        forms += sum(isinstance(event, FormSubmit) for event in events)
    assert clicks == sum(len(reader.reads) - 1 for reader in PEOPLE)
    assert forms == sum(read.sends_form for reader in PEOPLE for read in reader.reads) > 0


def test_another_run_reports_other_ids() -> None:
    reader = PEOPLE[0]
    again = Browser("nordhaven", BROWSER.origin, "run-2", PAGES)

    def ids(browser: Browser) -> set[str]:
        return {event.event_id for report in reports_of(reader, browser) for event in report.events}

    assert not ids(BROWSER) & ids(again)
    assert BROWSER.visitor_id(reader) != again.visitor_id(reader)
