"""What marketing is told of a page is what its audience did: no copy counts, no staff, no other account's people."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from clickhouse_driver import Client

from schemas.events import Viewport
from sinks.clickhouse import content_queries as content
from sinks.clickhouse.content_queries import Audience, Question, Scope
from tests.sinks.clickhouse_store import migrated_store
from tests.sinks.content_store import CLICKS, HOSTILE, READERS, STAFF, URL, fill
from tests.sinks.rows_read import rows_read_by
from tests.sinks.store_samples import NOW_MS
from tests.support.clickhouse import ClickHouseAddress

DAY = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
MONTH = (DAY - timedelta(days=29), DAY)
ALL = Scope(URL, *MONTH, Audience(own=(STAFF,)))


@pytest.fixture(scope="module")
def store(clickhouse: ClickHouseAddress) -> Iterator[Client]:
    with migrated_store(clickhouse) as client:
        fill(client)
        yield client


def of(**whose: object) -> Scope:
    return replace(ALL, audience=replace(ALL.audience, **whose))  # type: ignore[arg-type]


def test_the_curve_of_all_readers_leaves_the_own_staff_out(store: Client) -> None:
    shown = content.curve(store, ALL)
    meant = [one for one in READERS if one[2] != STAFF]
    assert (shown.views, shown.readers) == (len(meant), len(meant))
    assert shown.active_ms == sum(active_s * 1000 for *_, active_s in meant)
    assert shown.reached == tuple(sum(one[4] >= tenth * 10 for one in meant) for tenth in range(11))
    assert 0 <= shown.active_ms - sum(shown.band_ms) < 10 * len(meant)
    assert content.curve(store, replace(ALL, audience=Audience())).views == len(READERS)


def test_an_audience_is_an_account_a_function_or_a_class_of_windows(store: Client) -> None:
    assert content.curve(store, of(account_id="acme")).active_ms == 300_000
    assert content.curve(store, of(function="executive")).active_ms == 360_000
    assert content.curve(store, of(account_id="acme", function="technician")).active_ms == 60_000
    assert content.curve(store, of(account_id="acme", viewport="mobile")).active_ms == 60_000
    assert content.curve(store, of(viewport="tablet")).views == sum(one[3] is Viewport.tablet for one in READERS)
    assert content.curve(store, of(account_id=STAFF)).views == 0


def test_a_reps_figures_are_of_the_own_accounts_whatever_is_asked(store: Client) -> None:
    anns = of(reps=("ann",))
    assert content.curve(store, anns).views == 2
    assert {line.account_id for line in content.readers(store, anns)} == {"acme"}
    assert {move.account_id for move in content.moves(store, anns)} == {"acme"}
    others = of(reps=("ann",), account_id="bolt")
    assert content.curve(store, others).views == 0
    for ask in (content.sections, content.clicks, content.readers, content.moves):
        assert ask(store, others) == []
    assert content.contents(store, *MONTH, others.audience) == []
    assert content.curve(store, of(reps=())).views == 0


def test_clicks_stand_on_their_elements_each_once(store: Client) -> None:
    spots = {(spot.element, spot.text, spot.page_x): spot for spot in content.clicks(store, of(account_id="acme"))}
    assert {(element, text) for element, text, _ in spots} == {(one[0], one[1]) for one in CLICKS}
    assert all(spot.clicks == 1 for key, spot in spots.items() if spot.viewport == "desktop" and key[0] != CLICKS[0][0])
    (buy,) = [one for one in content.clicks(store, of(function="executive")) if one.element == CLICKS[0][0]]
    assert (buy.clicks, buy.rage, round(buy.x, 2), round(buy.y, 2)) == (2, 0, 0.55, 0.45)
    alike = [one for one in content.clicks(store, of(function="executive")) if one.element == "a.more"]
    assert [round(one.page_x, 1) for one in sorted(alike, key=lambda one: one.page_x)] == [0.2, 0.7]


def test_sections_readers_and_moves_say_whose_they_are(store: Client) -> None:
    plans, terms = content.sections(store, of(account_id="acme"))
    assert (plans.key, plans.title, plans.views, plans.active_ms) == ("plans", f"Plans {HOSTILE}", 2, 150_000)
    assert terms.active_ms == 75_000
    lines = content.readers(store, ALL)
    assert {(line.account_id, line.function) for line in lines} == {
        ("", ""), ("acme", "executive"), ("acme", "technician"), ("bolt", "executive"),
    }  # fmt: skip
    (move,) = content.moves(store, ALL)
    assert move == content.Move("acme", "Acme <b>Pumps</b>", "cold", "hot", 2)


def test_the_list_counts_as_the_page_does(store: Client) -> None:
    (line,) = content.contents(store, *MONTH, ALL.audience)
    shown = content.curve(store, ALL)
    assert line[2:] == (shown.views, shown.readers, shown.active_ms)
    (mine,) = content.contents(store, *MONTH, of(reps=("ann",)).audience)
    assert mine[2:] == (2, 2, 300_000)
    assert HOSTILE in line.title


def test_a_shown_statement_is_one_that_runs(store: Client) -> None:
    odd = replace(ALL, url="https://www.example.com/a'b%20(c)\\")
    for question in Question:
        assert store.execute(content.shown(question, odd, store)) is not None
    assert store.execute(content.shown(Question.curve, ALL, store))[0][0] == content.curve(store, ALL).views


def test_a_page_is_found_without_reading_the_others(store: Client, figure: Callable[[str], None]) -> None:
    """30,000 visitors on 1,000 pages over 100 days; one in a hundred is known, of 40 accounts."""
    store.execute("""
        INSERT INTO events (visitor_id, site, event_id, type, happened, received, page_view_id, url, active_ms,
                            depth_pct, element)
        SELECT concat('w-', toString(intDiv(number, 10))), 'main', concat('e-', toString(number)),
               ['page_view', 'page_progress', 'click'][1 + least(number % 10, 2)], moment, moment,
               concat('p-', toString(intDiv(number, 10))),
               concat('https://www.example.com/w/', toString(intDiv(number, 10) % 1000)), 1000, 50, 'a'
        FROM (SELECT number, toDateTime64('2026-11-20 00:00:00', 3, 'UTC')
                     - toIntervalDay(sipHash64(intDiv(number, 10)) % 100) AS moment
              FROM numbers(300000))
    """)
    store.execute("""
        INSERT INTO identified (visitor_id, contact_id, account_id, evidence, valid_from, recorded)
        SELECT concat('w-', toString(number)), concat('c-', toString(number)), concat('k-', toString(number % 40)),
               moment, moment, moment
        FROM (SELECT 7 + 100 * number AS number, toDateTime64('2026-01-01 00:00:00', 3, 'UTC') AS moment
              FROM numbers(200))
    """)
    for table in ("page_reads", "page_clicks", "identified_accounts", "interest", "directory"):
        store.execute(f"OPTIMIZE TABLE {table} FINAL")
    (stored,) = store.execute("SELECT count() FROM events")[0]
    page = replace(ALL, url="https://www.example.com/w/7")
    for whose in ({}, {"account_id": "k-7"}, {"function": "executive"}, {"reps": ("ann",)}, {"viewport": "mobile"}):
        scope = replace(page, audience=replace(ALL.audience, **whose))
        for question in Question:
            sql = content.statement(question, scope.audience)
            read = rows_read_by(store, partial(store.execute, sql, scope.given))
            said = f"content page {whose or 'of all'}, {question}"
            figure(f"{said}: {read} rows read of {stored} ({100 * read / stored:.2f} %)")
            assert read <= stored / 100
    assert content.curve(store, page).views > 0
    assert content.curve(store, replace(page, audience=replace(ALL.audience, account_id="k-7"))).views > 0
