"""What is written stands in ClickHouse once, however often it is written; what can't be read is set aside."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from clickhouse_driver import Client

from schemas.dead_letter import DeadLetter
from schemas.envelope import Bundle
from schemas.errors import InputError
from schemas.events import Click, Event, PageProgress, SectionAttention
from sinks.clickhouse.event_rows import EVENTS
from sinks.clickhouse.queries import visitor_events
from sinks.clickhouse.rows import TABLES
from sinks.clickhouse.writer import Writer
from sinks.consumer import Record
from tests.sinks.clickhouse_store import migrated_store
from tests.sinks.store_samples import (
    ACCOUNT,
    NOW_MS,
    bundle,
    entity,
    envelope,
    interest,
    one_of_each_event,
    one_record_of_each_topic,
    page_view,
    tombstone,
)
from tests.support.clickhouse import ClickHouseAddress

POISON = Record("events", 3, 7, b"k", b"\xffnot json", NOW_MS)
Published = list[tuple[str, bytes | None, bytes | None]]


@pytest.fixture(scope="module")
def shared(clickhouse: ClickHouseAddress) -> Iterator[Client]:
    with migrated_store(clickhouse) as client:
        yield client


@pytest.fixture
def client(shared: Client) -> Client:
    rollups = ("content_days", "account_days", "identified_accounts")
    for table in ("reads", *rollups, *(table.name for table in TABLES.values())):
        shared.execute(f"TRUNCATE TABLE {table}")
    return shared


@pytest.fixture
def published() -> Published:
    return []


@pytest.fixture
def writer(client: Client, published: Published) -> Writer:
    return Writer(client, lambda *message: published.append(message), dead_letter_limit=3)


def contents(client: Client) -> dict[str, list[Any]]:
    tables = ["reads", *(table.name for table in TABLES.values())]
    return {table: client.execute(f"SELECT * FROM {table} FINAL ORDER BY ALL") for table in tables}  # noqa: S608 - our names


def test_a_column_that_no_row_fills_holds_what_it_would_if_it_were_sent(client: Client, writer: Writer) -> None:
    records = [bundle([envelope(event)], offset=offset) for offset, event in enumerate(one_of_each_event())]
    for record in records:
        writer.write([record], NOW_MS)  # each kind alone leaves out the columns of all the others
    left_out = contents(client)
    client.execute("TRUNCATE TABLE events")
    client.execute("TRUNCATE TABLE reads")
    client.execute(EVENTS.insert, [row for record in records for row in EVENTS.rows(record)])
    assert left_out == contents(client)
    statement, columns = EVENTS.statement(EVENTS.rows(records[0]))
    assert len(columns) < len(EVENTS.columns) / 2
    assert "campaign_id" not in statement


def test_the_same_records_twice_are_there_once(client: Client, writer: Writer) -> None:
    records = one_record_of_each_topic()
    writer.write(records, NOW_MS)
    once = contents(client)
    assert {name: len(rows) for name, rows in once.items()} == {
        "reads": 1,
        "events": len(one_of_each_event()),
        "identified": 1,
        "activity": 1,
        "interest": 1,
        "briefs": 1,
        "deliveries": 1,
        "outcomes": 1,
        "decisions": 1,
        "dead_letters": 1,
        "directory": 4,
    }
    writer.write(records[::-1] + records, NOW_MS + 1000)
    assert contents(client) == once


def test_an_envelope_comes_back_as_it_went_in(client: Client, writer: Writer) -> None:
    envelopes = [envelope(event) for event in one_of_each_event()]
    odd = page_view(
        "e-odd", NOW_MS + 10, title="quote ' back \\ percent % nul \x00 emoji 🦊 tab \t", url="https://x.y/%27"
    )
    writer.write([bundle([*envelopes, envelope(odd)])], NOW_MS)
    assert list(visitor_events(client, "v1", 0, None)) == [*envelopes, envelope(odd)]


def test_poison_becomes_a_dead_letter_and_the_rest_goes_in(
    client: Client, writer: Writer, published: Published
) -> None:
    good = bundle([envelope(page_view())])
    assert writer.write([POISON, good], NOW_MS) == [good]
    assert client.execute("SELECT event_id FROM events") == [("e-view",)]
    ((topic, key, value),) = published
    assert (topic, key) == ("dead-letters", None)
    letter = DeadLetter.from_bytes(value or b"")
    assert (letter.origin, letter.stage, letter.payload_bytes()) == ("events/3/7", "clickhouse", POISON.value)
    assert "JSON" in letter.reason


def test_a_dead_letter_is_never_dead_lettered(client: Client, writer: Writer, published: Published) -> None:
    assert writer.write([Record("dead-letters", 0, 1, None, b"{}", NOW_MS)], NOW_MS) == []
    assert published == []
    assert client.execute("SELECT count() FROM dead_letters") == [(0,)]


def test_too_many_in_a_row_stop_before_anything_is_written(
    client: Client, writer: Writer, published: Published
) -> None:
    writer.write([POISON] * 3, NOW_MS)
    del published[:]
    with pytest.raises(InputError, match="READBRIEF_DEAD_LETTER_LIMIT"):
        writer.write([POISON, bundle([envelope(page_view())])], NOW_MS)
    assert published == []
    assert client.execute("SELECT count() FROM events") == [(0,)]


def test_a_good_record_ends_the_row(writer: Writer, published: Published) -> None:
    for _ in range(4):
        writer.write([POISON, POISON], NOW_MS)
        writer.write([bundle([envelope(page_view())])], NOW_MS)
    assert len(published) == 8


def test_a_failed_insert_leaves_the_batch_to_be_written_again(
    client: Client, writer: Writer, published: Published
) -> None:
    client.execute("RENAME TABLE interest TO away")
    records = [POISON, *one_record_of_each_topic()]
    with pytest.raises(Exception, match="interest"):
        writer.write(records, NOW_MS)
    assert published == []
    client.execute("RENAME TABLE away TO interest")
    writer.write(records, NOW_MS)
    assert client.execute("SELECT count() FROM interest") == [(1,)]
    assert client.execute("SELECT count() FROM events FINAL") == [(len(one_of_each_event()),)]


def test_a_tombstone_deletes_and_a_later_entity_comes_back(client: Client, writer: Writer) -> None:
    names = "SELECT name FROM directory FINAL"
    writer.write([entity(ACCOUNT, 0, NOW_MS)], NOW_MS)
    writer.write([tombstone(ACCOUNT.entity_id, 1, NOW_MS + 1)], NOW_MS)
    assert client.execute(names) == []
    writer.write([entity(ACCOUNT, 0, NOW_MS)], NOW_MS)  # replayed
    assert client.execute(names) == []
    writer.write([entity(ACCOUNT.model_copy(update={"name": "Globex SE"}), 2, NOW_MS + 2)], NOW_MS)
    assert client.execute(names) == [("Globex SE",)]


def test_of_one_account_and_day_the_summary_told_last_is_kept(client: Client, writer: Writer) -> None:
    """What is taken back leaves a summary as of an earlier moment; what is replayed was told before."""
    day_ms = 86_400_000
    first, taken_back, next_day = interest(NOW_MS + 1, 2.0), interest(NOW_MS, 1.0), interest(NOW_MS + day_ms, 3.0)
    for told_ms, summary in ((10, first), (20, taken_back), (30, next_day), (10, first)):
        writer.write([Record("interest", 0, 0, b"a1", summary.to_bytes(), NOW_MS + told_ms)], NOW_MS)
    assert client.execute("SELECT score FROM interest FINAL ORDER BY day") == [(1.0,), (3.0,)]


def test_an_event_that_was_sent_twice_is_kept_as_last_received(client: Client, writer: Writer) -> None:
    first, again = (envelope(page_view(at_ms=at_ms), received_ms=at_ms) for at_ms in (NOW_MS, NOW_MS + 40))
    for one in (again, first):
        writer.write([bundle([one])], NOW_MS)
    assert list(visitor_events(client, "v1", 0, None)) == [again]


def test_more_rows_than_fit_one_insert_all_go_in(client: Client, writer: Writer) -> None:
    many = [envelope(page_view(f"e{n}"), visitor_id=f"v{n % 100}") for n in range(25_000)]
    writer.write([bundle(many)], NOW_MS)
    assert client.execute("SELECT count(), uniqExact(event_id) FROM events") == [(25_000, 25_000)]


def test_what_the_columns_can_not_hold_comes_back_too(client: Client, writer: Writer) -> None:
    twice = (SectionAttention(key="s", active_ms=1), SectionAttention(key="s", active_ms=2))
    page = {"page_view_id": "p1", "url": "https://www.example.com/pricing"}
    odd: list[Event] = [
        PageProgress(event_id="e1", occurred_ms=NOW_MS, active_ms=9, depth_pct=9, sections=twice, **page),
        Click(event_id="e2", occurred_ms=NOW_MS + 1, element="a", page_x=1 / 3, page_y=0.1234, **page),
    ]
    writer.write([bundle([envelope(event) for event in odd])], NOW_MS)
    assert list(visitor_events(client, "v1", 0, None)) == [envelope(event) for event in odd]
    assert client.execute("SELECT count() FROM events WHERE envelope != ''") == [(2,)]


def test_a_bad_envelope_is_set_aside_alone_and_the_rest_of_its_bundle_goes_in(
    client: Client, writer: Writer, published: Published
) -> None:
    good = bundle([envelope(page_view("e1")), envelope(page_view("e2"))])
    said = json.loads(good.value or b"")
    said["envelopes"].insert(1, {"site": "main", "event": {"type": "no such"}})
    writer.write([replace(good, value=json.dumps(said).encode())], NOW_MS)
    assert client.execute("SELECT event_id FROM events ORDER BY event_id") == [("e1",), ("e2",)]
    ((topic, _, value),) = published
    letter = json.loads(DeadLetter.from_bytes(value or b"").payload_bytes())
    assert topic == "dead-letters"
    assert letter["envelopes"] == [said["envelopes"][1]]


def test_a_row_that_clickhouse_refuses_is_set_aside_alone(client: Client, writer: Writer, published: Published) -> None:
    client.execute("ALTER TABLE events ADD CONSTRAINT poison CHECK event_id != 'e7'")
    try:
        writer.write([bundle([envelope(page_view(f"e{n}")) for n in range(20)])], NOW_MS)
    finally:
        client.execute("ALTER TABLE events DROP CONSTRAINT poison")
    assert client.execute("SELECT uniqExact(event_id), countIf(event_id = 'e7') FROM events") == [(19, 0)]
    ((_, _, value),) = published
    letter = DeadLetter.from_bytes(value or b"")
    (refused,) = Bundle.from_bytes(letter.payload_bytes()).envelopes
    assert refused.event.event_id == "e7"
    assert "poison" in letter.reason


def test_more_refused_rows_than_the_limit_stop_before_any_is_set_aside(
    client: Client, writer: Writer, published: Published
) -> None:
    client.execute("ALTER TABLE events ADD CONSTRAINT poison CHECK event_id NOT LIKE 'e1%'")
    try:
        with pytest.raises(InputError, match="READBRIEF_DEAD_LETTER_LIMIT"):
            writer.write([bundle([envelope(page_view(f"e{n}")) for n in range(20)])], NOW_MS)
    finally:
        client.execute("ALTER TABLE events DROP CONSTRAINT poison")
    assert published == []


def test_a_visitors_history_is_found_without_scanning(client: Client, writer: Writer) -> None:
    client.execute(
        "INSERT INTO events (visitor_id, site, page_view_id, happened, event_id, type, received, url) "
        "SELECT concat('other', toString(number %% 5000)), 'main', 'p', fromUnixTimestamp64Milli(toInt64(%(at)s)), "
        "toString(number), 'page_view', fromUnixTimestamp64Milli(toInt64(%(at)s)), 'https://e.example/' "
        "FROM numbers(200000)",
        {"at": NOW_MS},
    )
    writer.write([bundle([envelope(page_view(f"e{n}"), "needle") for n in range(30)])], NOW_MS)
    counted = "SELECT value FROM system.events WHERE event = 'SelectedRows'"
    ((before,),) = client.execute(counted)
    assert len(list(visitor_events(client, "needle", 0, None))) == 30
    read = client.execute(counted)[0][0] - before
    print(f"rows read for a history of 30 events among 200,030: {read:,}")
    assert 30 <= read <= 0.05 * 200_030
