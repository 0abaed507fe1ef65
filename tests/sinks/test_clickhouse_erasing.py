"""Who is forgotten is gone from every table, rollups included, and all others stand as if that one had never been."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from clickhouse_driver import Client

from readbrief.export import export
from readbrief.replay import rebuild_into
from schemas import topics
from schemas.activity import Activity, ActivityItem
from schemas.dead_letter import DeadLetter, DeadLetterStage
from schemas.envelope import Envelope
from schemas.errors import InputError
from schemas.events import Click, Event, PagePing, PageProgress, SectionAttention
from schemas.rep_mail import RepMail
from schemas.settings import Settings
from schemas.topics import DAY_MS
from sinks.clickhouse import content_queries
from sinks.clickhouse.client import connect
from sinks.clickhouse.content_queries import Audience, Scope
from sinks.clickhouse.erasing import CONDITIONS, counts, erase, people_of
from sinks.clickhouse.rows import TABLES
from sinks.clickhouse.writer import Writer
from sinks.consumer import Record
from sinks.report.queries import Query, ask
from tests.sinks.clickhouse_store import migrated_database
from tests.sinks.store_samples import (
    CONTACT,
    NOW_MS,
    URL,
    brief,
    bundle,
    decision,
    delivery,
    email_click,
    entity,
    envelope,
    identified,
    identify,
    interest,
    outcome,
    page_view,
)
from tests.support.clickhouse import ClickHouseAddress

ROLLUPS = ("content_days", "account_days")


@pytest.fixture(scope="module")
def shared(clickhouse: ClickHouseAddress) -> Iterator[Settings]:
    with migrated_database(clickhouse) as settings:
        yield settings


@pytest.fixture
def client(shared: Settings) -> Iterator[Client]:
    with connect(shared) as client:
        for table in (*CONDITIONS, *ROLLUPS):
            client.execute(f"TRUNCATE TABLE {table}")
        yield client


def reading(visitor_id: str, active_ms: int) -> list[Envelope]:
    page = {"page_view_id": f"p-{visitor_id}", "url": URL}
    events: list[Event] = [
        page_view(f"view-{visitor_id}", page_view_id=page["page_view_id"]),
        PageProgress(event_id=f"progress-{visitor_id}", occurred_ms=NOW_MS, active_ms=active_ms, depth_pct=50,
                     bands=(active_ms, *([0] * 9)),
                     sections=(SectionAttention(key="plans", active_ms=active_ms),), **page),
        Click(event_id=f"click-{visitor_id}", occurred_ms=NOW_MS, element="a", page_x=0, page_y=0, **page),
        PagePing(event_id=f"ping-{visitor_id}", occurred_ms=NOW_MS, beat_ms=10, **page),
    ]  # fmt: skip
    return [envelope(event, visitor_id) for event in events]


def write(client: Client, records: list[Record]) -> None:
    Writer(client, lambda *_: pytest.fail("nothing is set aside"), dead_letter_limit=1).write(records, NOW_MS)


def others() -> list[Record]:
    """Return what is somebody else's."""
    items = tuple(ActivityItem(contact_id="c9", envelope=one) for one in reading("v9", 700))
    told = Activity(account_id="a1", items=items)
    return [
        bundle(reading("v9", 700)),
        Record("activity", 0, 0, b"a1", told.to_bytes(), NOW_MS),
        entity(CONTACT.model_copy(update={"contact_id": "c9", "account_id": "a9"})),
    ]


def theirs() -> list[Record]:
    """Return what the store has of contact c1, who is visitor v1 and reads for account a1."""
    items = tuple(ActivityItem(contact_id="c1", envelope=one) for one in reading("v1", 4000))
    letter = DeadLetter.of(DeadLetterStage.collector, "/v1/events", "bad", b'{"visitor_id":"v1"}', NOW_MS)
    named = brief().model_copy(update={"interest": interest()})
    return [
        bundle([*reading("v1", 4000), envelope(identify(), "v1"), envelope(email_click(), "mail-c1")]),
        Record("activity", 0, 0, b"a1", Activity(account_id="a1", items=items).to_bytes(), NOW_MS),
        Record("identified", 0, 0, b"v1", identified("v1").to_bytes(), NOW_MS),
        Record("interest", 0, 0, b"a1", interest().to_bytes(), NOW_MS),
        Record("deliveries", 0, 0, b"r1", delivery(briefs=[named]).to_bytes(), NOW_MS),
        Record("outcomes", 0, 0, b"r1", outcome().to_bytes(), NOW_MS),
        Record("dead-letters", 0, 0, None, letter.to_bytes(), NOW_MS),
        entity(CONTACT),
    ]


OF_ACCOUNTS = {"briefs", "rep_briefs", "account_days", "decisions", "sent_messages"}  # which name nobody


def contents(client: Client) -> dict[str, list[Any]]:
    tables = [
        "reads",
        "identified_accounts",
        "account_standings",
        "rep_outcomes",
        "brief_outcomes",
        *(table.name for table in TABLES.values()),
    ]
    return {table: client.execute(f"SELECT * FROM {table} FINAL ORDER BY ALL") for table in tables}  # noqa: S608 - our names


def answers(client: Client) -> list[Any]:
    always = date(2000, 1, 1), date(2100, 1, 1)
    page = Scope(URL, *always)
    return [
        content_queries.contents(client, *always, Audience()),
        content_queries.curve(client, page),
        content_queries.clicks(client, page),
        content_queries.sections(client, page),
        [line for line in content_queries.contents(client, *always, Audience(account_id="a1")) if line.views],
        ask(client, Query.contents, NOW_MS - 3 * DAY_MS, NOW_MS + 3 * DAY_MS),
        client.execute("SELECT mapKeys(maxMap(depths)), arraySort(groupUniqArrayArray(pings)) FROM content_days"),
    ]


def test_a_forgotten_contact_leaves_the_others_as_if_it_had_never_been(client: Client) -> None:
    write(client, others())
    expected, expected_answers = contents(client), answers(client)
    write(client, theirs())
    people = people_of(client, "contact", "c1")
    assert people.visitors == ("v1",)
    assert all(counts(client, people)[table] for table in CONDITIONS if table not in OF_ACCOUNTS)
    gone = erase(client, people)
    assert gone["events"] == 6
    assert contents(client) == expected
    assert answers(client) == expected_answers
    assert set(counts(client, people).values()) == {0}


def test_a_forgotten_account_takes_its_contacts_and_their_visitors_along(client: Client) -> None:
    write(client, theirs())
    people = people_of(client, "account", "a1")
    assert (people.visitors, people.contacts, people.accounts) == (("v1",), ("c1",), ("a1",))
    erase(client, people)
    assert set(counts(client, people).values()) == {0}
    assert client.execute("SELECT visitor_id FROM events FINAL") == []


def test_what_was_decided_and_sent_of_a_forgotten_account_goes_and_of_another_stays(client: Client) -> None:
    """Where a message stands names no account: it goes with the brief that was sent."""
    first = brief("brief_2")
    summary = first.interest.model_copy(update={"account_id": "a9"})
    another = first.model_copy(update={"account_id": "a9", "interest": summary})
    write(client, [
        Record("briefs", 0, 0, b"r1", RepMail(rep_id="r1", briefs=(brief(), another)).to_bytes(), NOW_MS),
        Record("decisions", 0, 0, b"a1", decision("of-a1").to_bytes(), NOW_MS),
        Record("decisions", 0, 1, b"a9", decision("of-a9").model_copy(update={"account_id": "a9"}).to_bytes(), NOW_MS),
    ])  # fmt: skip
    sent = [(one, "sales", "C1", "1.0", datetime.fromtimestamp(NOW_MS / 1000, UTC)) for one in ("brief_1", "brief_2")]
    client.execute("INSERT INTO sent_messages (brief_id, target, place, message, at) VALUES", sent)
    people = people_of(client, "account", "a1")
    found = counts(client, people)
    assert (found["briefs"], found["decisions"], found["sent_messages"]) == (1, 1, 1)
    erase(client, people)
    assert client.execute("SELECT brief_id FROM briefs FINAL") == [("brief_2",)]
    assert client.execute("SELECT brief_id FROM rep_briefs FINAL") == [("brief_2",)]
    assert client.execute("SELECT decision_id FROM decisions FINAL") == [("decision_of-a9_sent_free",)]
    assert client.execute("SELECT brief_id FROM sent_messages FINAL") == [("brief_2",)]


def test_the_list_of_accounts_shows_the_newest_summary_that_is_left(client: Client) -> None:
    """The newest day's names somebody who is forgotten; the one told last, without them, is of the day before."""
    without = interest(NOW_MS - 86_400_000, score=7).model_copy(update={"readers": ()})
    write(client, [
        Record("interest", 0, 0, b"a1", interest(NOW_MS, score=99).to_bytes(), NOW_MS),
        Record("interest", 0, 1, b"a1", without.to_bytes(), NOW_MS + 1),
        entity(CONTACT),
    ])  # fmt: skip
    standing = "SELECT account_id, score, readers FROM account_standings FINAL"
    assert client.execute(standing) == [("a1", 99, 1)]
    erase(client, people_of(client, "contact", "c1"))
    assert client.execute(standing) == [("a1", 7, 0)]
    erase(client, people_of(client, "account", "a1"))
    assert client.execute(standing) == []


def test_a_kind_that_is_none_is_named(client: Client) -> None:
    with pytest.raises(InputError, match="'rep' is none of contact, visitor, account"):
        people_of(client, "rep", "r1")


def test_an_export_has_all_of_a_person_and_nothing_of_others(shared: Settings, client: Client) -> None:
    write(client, [*others(), *theirs()])
    found = export(shared, "contact", "c1")
    assert [one["event"]["event_id"] for one in found["events"]].count("view-v1") == 1
    assert {one["visitor_id"] for one in found["events"]} == {"v1", "mail-c1"}
    assert found["directory"][0]["email"] == CONTACT.email
    assert [read["active_ms"] for read in found["reads"]] == [4000]
    assert "v9" not in str(found)


def test_a_range_of_events_is_written_into_a_fresh_database_with_all_that_is_derived(
    shared: Settings, client: Client
) -> None:
    write(client, [bundle(reading("v1", 4000)), *others()])
    fresh = f"{shared.clickhouse_database}_fresh"
    try:
        said: list[str] = []
        assert rebuild_into(shared, fresh, NOW_MS, NOW_MS + 1, said.append) == 8
        with connect(shared, database=fresh) as rebuilt:
            assert answers(rebuilt)[:3] == answers(client)[:3]
            assert rebuilt.execute("SELECT count() FROM reads FINAL") == [(2,)]
        assert rebuild_into(shared, fresh, 0, NOW_MS, said.append) == 0
        with pytest.raises(InputError, match="live database"):
            rebuild_into(shared, shared.clickhouse_database, 0, 1, said.append)
    finally:
        client.execute(f"DROP DATABASE IF EXISTS {fresh}")


def test_every_table_of_a_topic_says_what_it_has_of_people() -> None:
    assert {table.name for table in TABLES.values()} <= set(CONDITIONS)
    assert topics.EVENTS.name in CONDITIONS
