"""The weekly page's numbers, from ClickHouse."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from clickhouse_driver import Client

from schemas.errors import InputError
from sinks.report.queries import Query, as_run, ask
from sinks.report.week import week_named
from sinks.report.weekly import Weekly, weekly
from tests.sinks.clickhouse_store import migrated_store
from tests.sinks.report_store import BERLIN, HOSTILE, MONDAY_MS, SITE, fill
from tests.support.clickhouse import ClickHouseAddress

WEEK = week_named("2026-W47", BERLIN)


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouseAddress) -> Iterator[Client]:
    with migrated_store(clickhouse) as client:
        fill(client)
        yield client


@pytest.fixture(scope="module")
def page(client: Client) -> Weekly:
    found = {query: ask(client, query, WEEK.since_ms, WEEK.until_ms) for query in Query}
    return weekly(WEEK, found, ["pricing", "warranty"])


def test_a_week_is_monday_to_sunday_by_the_meetings_clock() -> None:
    assert (WEEK.since_ms, WEEK.until_ms - WEEK.since_ms) == (MONDAY_MS, 7 * 86_400_000)
    spring = week_named("2026-W13", ZoneInfo("Europe/Berlin"))  # the clocks go forward on its Sunday
    assert spring.until_ms - spring.since_ms == (7 * 24 - 1) * 3_600_000
    for wrong in ("2026-47", "2026-W54", "2026-W00", "W47"):
        with pytest.raises(InputError, match="is no week"):
            week_named(wrong, BERLIN)


def test_contents_move_the_accounts_that_read_them_before_turning_warmer(page: Weekly) -> None:
    assert [(line.url, line.accounts, line.names) for line in page.movers] == [
        (f"{SITE}/case", 2, ("Acme Pumps", "Coil <Works>")),
        (f"{SITE}/price", 1, ("Acme Pumps",)),
    ]


def test_a_content_that_most_leave_early_is_named_with_its_share(page: Weekly) -> None:
    (line,) = page.left
    assert (line.url, line.reads, line.left_early, line.early_share) == (f"{SITE}/paper", 10, 8, 0.8)


def test_where_readers_stop_is_the_tenth_with_the_largest_fall(page: Weekly) -> None:
    paper = next(line for line in page.stops if line.url == f"{SITE}/paper")
    assert paper.reached == (1.0, 1.0, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2)
    assert (paper.stops_at, paper.median_active_s, paper.readers) == (3, 20, 10)


def test_objections_stand_under_their_topic_with_the_contents_that_answer_it(page: Weekly) -> None:
    assert [(line.topic, [one.text for one in line.heard], line.contents) for line in page.objections] == [
        ("installation", ["Who fits it?"], ()),
        # What was read to the end more often, but two months ago, comes after.
        ("pricing", [HOSTILE], ("Prices", "Tariffs of last year")),
    ]


def test_topics_that_are_asked_for_and_have_no_content_are_named(page: Weekly) -> None:
    assert page.uncovered == ("installation", "warranty")


def test_a_reps_briefs_are_counted_once_each_with_what_became_of_them(page: Weekly) -> None:
    said = {line.rep_id: line for line in page.reps}
    ann, bo = said["ann"], said["bo"]
    assert (ann.name, ann.sent, ann.opened, ann.useful, ann.acted, ann.first_action_s) == (
        "Ann Meyer",
        2,
        1,
        1,
        1,
        1800,
    )
    assert (bo.sent, bo.opened, bo.first_action_s) == (1, 0, 3600)  # from when it reached him: the mail came back
    assert (page.sent, page.opened, page.useful, page.reads) == (3, 1, 1, 14)


def test_an_account_of_a_rep_who_is_gone_has_no_owner(page: Weekly) -> None:
    assert [(line.account_id, line.name, line.temperature) for line in page.ownerless] == [
        ("coil", "Coil <Works>", "warm")
    ]


def test_every_query_runs_as_it_is_shown(client: Client) -> None:
    for query in Query:
        shown = client.execute(as_run(query, WEEK.since_ms, WEEK.until_ms))
        assert len(shown) == len(ask(client, query, WEEK.since_ms, WEEK.until_ms))


def test_an_empty_week_is_a_page_of_nothing(client: Client) -> None:
    empty = week_named("2025-W01", BERLIN)
    page = weekly(empty, {query: ask(client, query, empty.since_ms, empty.until_ms) for query in Query}, [])
    assert (page.reads, page.sent, page.movers, page.left, page.objections) == (0, 0, (), (), ())
