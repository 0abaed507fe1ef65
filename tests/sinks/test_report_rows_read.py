"""What the weekly page says of contents is what the reads one by one say, and it does not read those one by one."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from clickhouse_driver import Client

from schemas.envelope import Envelope
from schemas.events import Event, PagePing, PageProgress
from sinks.clickhouse.writer import Writer
from sinks.report.queries import Query, ask
from sinks.report.week import week_named
from tests.sinks.clickhouse_store import migrated_store
from tests.sinks.report_store import BERLIN, DAY_MS, HOUR_MS, MONDAY_MS, SITE
from tests.sinks.report_store import fill as fill_week
from tests.sinks.rows_read import rows_read_by
from tests.sinks.store_samples import bundle, envelope
from tests.support.clickhouse import ClickHouseAddress

WEEK = week_named("2026-W47", BERLIN)
WEEK_ENDS = {"since": "2026-11-15 23:00:00.000", "until": "2026-11-22 23:00:00.000"}
ONE_BY_ONE = """
    SELECT url, count() AS reads, uniqExact(visitor_id) AS readers, quantileExact(0.5)(active_ms) AS median_active_ms,
           countIf(depth_pct < 50 AND active_ms < 45000) AS left_early,
           sumForEach(arrayMap(tenth -> toUInt64(depth_pct >= 10 * tenth), range(1, 11))) AS reached
    FROM (
        SELECT url, visitor_id, active_ms, depth_pct FROM reads FINAL
        WHERE started >= %(since)s AND started < %(until)s
    )
    GROUP BY url ORDER BY reads DESC, url
"""


@pytest.fixture
def client(clickhouse: ClickHouseAddress) -> Iterator[Client]:
    with migrated_store(clickhouse) as client:
        yield client


def reading(chance: random.Random, visitor: int) -> list[Envelope]:
    """Return a read that begins within an hour of the week's ends, or within it, and may be taken up days later."""
    page = {"page_view_id": f"p{visitor}", "url": f"{SITE}/{visitor % 3}"}
    begins = chance.choice([0, 0, 7 * DAY_MS, 3 * DAY_MS]) + MONDAY_MS + chance.randrange(-HOUR_MS, HOUR_MS)
    events: list[Event] = []
    for beat in range(chance.randrange(1, 5)):
        at_ms = begins + beat * chance.choice([20_000, 20_000, DAY_MS])
        said = {"event_id": f"e{beat}", "occurred_ms": at_ms, "depth_pct": chance.randrange(101), **page}
        if visitor % 4:
            events.append(PageProgress(active_ms=chance.randrange(120_000), **said))
        else:
            events.append(PagePing(beat_ms=chance.randrange(1, 40_000), **said))
    return [envelope(event, f"v{visitor}") for event in events]


def test_a_weeks_contents_are_those_of_its_reads(client: Client) -> None:
    """Also at the ends of the week, which no day in UTC ends with; pings add up, and what comes again is one."""
    chance = random.Random(35)
    every = [one for visitor in range(400) for one in reading(chance, visitor)]
    twice = [*every, *every]
    chance.shuffle(twice)
    writer = Writer(client, lambda *_: pytest.fail("nothing is set aside"), dead_letter_limit=1)
    for start in range(0, len(twice), 300):
        writer.write([bundle(twice[start : start + 300])], MONDAY_MS)
    rows, columns = client.execute(ONE_BY_ONE, WEEK_ENDS, with_column_types=True)
    expected = [dict(zip((name for name, _ in columns), row, strict=True)) for row in rows]
    assert len(expected) == 3
    assert all(0 < row["left_early"] < row["reads"] < 134 for row in expected)
    found = ask(client, Query.contents, WEEK.since_ms, WEEK.until_ms)
    assert [_counts(row) for row in found] == [_counts(row) for row in expected]
    assert {row["url"]: row["readers"] for row in found} == _readers_by_days(every)


def _readers_by_days(every: list[Envelope]) -> Counter[str]:
    """Return how many visitors each page had on the days in UTC that the week touches."""
    first, last = (datetime.fromisoformat(WEEK_ENDS[end]).date() for end in ("since", "until"))
    readers = {
        (event.url, one.visitor_id)
        for one in every
        if isinstance(event := one.event, PageProgress | PagePing)
        and first <= datetime.fromtimestamp(one.occurred_ms / 1000, UTC).date() <= last
    }
    return Counter(url for url, _ in readers)


def _counts(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("url", "reads", "median_active_ms", "left_early", "reached")}


def test_a_week_is_found_without_its_reads_one_by_one(client: Client, figure: Callable[[str], None]) -> None:
    """400,000 events of 50,000 reads on 8 pages over 30 days; one visitor in a hundred is known, of 40 accounts."""
    fill_week(client)
    client.execute("""
        INSERT INTO events (visitor_id, site, event_id, type, happened, received, page_view_id, url, active_ms,
                            depth_pct)
        SELECT concat('w-', toString(intDiv(number, 8))), 'main', concat('e-', toString(number)), 'page_progress',
               moment, moment, concat('p-', toString(intDiv(number, 8))),
               concat('https://www.example.com/w/', toString(intDiv(number, 8) % 8)), 1000, 50
        FROM (SELECT number, toDateTime64('2026-11-22 12:00:00', 3, 'UTC')
                     - toIntervalDay(sipHash64(intDiv(number, 8)) % 30) AS moment
              FROM numbers(400000))
    """)
    client.execute("""
        INSERT INTO identified (visitor_id, contact_id, account_id, evidence, valid_from, recorded)
        SELECT concat('w-', toString(100 * number)), concat('c-', toString(number)),
               concat('k-', toString(number % 40)), moment, moment, moment
        FROM (SELECT number, toDateTime64('2026-01-01 00:00:00', 3, 'UTC') AS moment FROM numbers(500))
    """)
    for table in ("reads", "content_days", "identified_accounts"):
        client.execute(f"OPTIMIZE TABLE {table} FINAL")
    ((stored,),) = client.execute("SELECT count() FROM events")
    for query in Query:
        assert ask(client, query, WEEK.since_ms, WEEK.until_ms)
        read = rows_read_by(client, partial(ask, client, query, WEEK.since_ms, WEEK.until_ms))
        figure(f"weekly page, {query}: {read} rows read of {stored} ({100 * read / stored:.2f} %)")
        assert read <= stored / 100
