"""What was stored comes back once each, in order, and bounded in time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from clickhouse_driver import Client

from schemas.decision import Rule, Verdict
from schemas.delivery import OutcomeKind
from schemas.events import EmailOpen, IdentifyMethod
from schemas.rep_mail import RepMail
from sinks.clickhouse import queries
from sinks.clickhouse.writer import Writer
from sinks.consumer import Record
from tests.sinks.clickhouse_store import migrated_store
from tests.sinks.rows_read import rows_read_by
from tests.sinks.store_samples import (
    ACCOUNT,
    CONTACT,
    ENTITIES,
    NOW_MS,
    brief,
    bundle,
    decision,
    delivery,
    email_click,
    entity,
    envelope,
    identified,
    identify,
    outcome,
    page_view,
    tombstone,
    withdraw,
)
from tests.support.clickhouse import ClickHouseAddress

DAY_MS = 86_400_000


@pytest.fixture
def client(clickhouse: ClickHouseAddress) -> Iterator[Client]:
    with migrated_store(clickhouse) as client:
        yield client


@pytest.fixture
def writer(client: Client) -> Writer:
    return Writer(client, lambda *_: pytest.fail("nothing here is unreadable"), dead_letter_limit=1)


def mail(*brief_ids: str) -> Record:
    briefs = tuple(brief(brief_id, NOW_MS + n) for n, brief_id in enumerate(brief_ids))
    return Record("briefs", 0, 0, b"r1", RepMail(rep_id="r1", briefs=briefs).to_bytes())


def test_a_visitors_events_come_once_each_in_the_order_they_occurred(client: Client, writer: Writer) -> None:
    events = [envelope(page_view(f"e{n}", NOW_MS + n)) for n in range(5)]
    writer.write([bundle([*events[::-1], *events]), bundle([envelope(page_view(), "v2")])], NOW_MS)
    assert list(queries.visitor_events(client, "v1", 0, None)) == events


def test_a_visitors_events_begin_at_since_and_end_before_until(client: Client, writer: Writer) -> None:
    events = [envelope(page_view(f"e{n}", NOW_MS + n)) for n in range(5)]
    writer.write([bundle(events)], NOW_MS)
    assert list(queries.visitor_events(client, "v1", NOW_MS + 1, NOW_MS + 4)) == events[1:4]


def test_a_history_is_read_of_the_visitors_own_months_alone(client: Client) -> None:
    """Of 200,000 events over ten months, a visitor's lie in two; the last two months are asked for."""
    client.execute("""
        INSERT INTO events (visitor_id, site, event_id, type, happened, received, page_view_id)
        SELECT concat('w-', toString(cityHash64(intDiv(number, 20)))), 'main', toString(number), 'page_view', moment,
               moment, 'p'
        FROM (SELECT number, toDateTime64('2026-01-15 00:00:00', 3, 'UTC')
                     + toIntervalMonth(intDiv(number, 20000)) AS moment
              FROM numbers(200000))
    """)
    row = ("w-5", "main", "page_view", "p", "https://e.example/", "desktop")
    january, october = (datetime(2026, month, 15, tzinfo=UTC) for month in (1, 10))
    client.execute(
        "INSERT INTO events (visitor_id, site, type, page_view_id, url, viewport, event_id, happened, received) VALUES",
        [(*row, "early", january, january), (*row, "late", october, october)],
    )
    client.execute("OPTIMIZE TABLE events FINAL")
    september_ms = round(datetime(2026, 9, 1, tzinfo=UTC).timestamp() * 1000)
    for since_ms, events, months in ((september_ms, ["late"], 1), (0, ["early", "late"], 2)):
        found: list[str] = []

        def look(since_ms: int = since_ms, found: list[str] = found) -> None:
            found[:] = [one.event.event_id for one in queries.visitor_events(client, "w-5", since_ms, None)]

        read = rows_read_by(client, look)
        assert found == events
        assert read <= 2 * 2048 * months + 100


def test_a_visitors_id_is_data_and_never_a_query(client: Client, writer: Writer) -> None:
    writer.write([bundle([envelope(page_view())])], NOW_MS)
    assert list(queries.visitor_events(client, "' OR 1 = 1 --", 0, None)) == []


def test_known_visitors_come_whole_as_received_and_anonymous_ones_not_at_all(client: Client, writer: Writer) -> None:
    known = [envelope(page_view("e1", NOW_MS), "v1"), envelope(identify("e2", NOW_MS + 2), "v1")]
    mails = [
        envelope(email_click("e3", NOW_MS + 1), "m1"),
        envelope(EmailOpen(event_id="e4", occurred_ms=NOW_MS + 3, contact_id="c2", campaign_id="spring"), "m2"),
    ]
    anonymous = envelope(page_view("e5", NOW_MS + 1), "v2")
    writer.write([bundle([*mails, anonymous, *known, *known])], NOW_MS)
    (chunk,) = queries.known_visitors_events(client, 0)
    assert chunk == [known[0], mails[0], known[1], mails[1]]


def news(visitor_id: str, offset: int, **more: Any) -> Record:
    return Record("identified", 0, offset, b"v", identified(visitor_id, **more).to_bytes(), NOW_MS + offset)


def test_who_was_recognised_by_a_network_comes_back_and_so_does_what_was_taken_back(
    client: Client, writer: Writer
) -> None:
    long_ago = NOW_MS - 400 * DAY_MS
    by_network = envelope(page_view("e1", NOW_MS), "v1")
    back = envelope(withdraw("e2", long_ago), "v2")
    writer.write([bundle([by_network, back]), news("v1", 0, method=IdentifyMethod.network)], NOW_MS)
    assert list(queries.known_visitors_events(client, NOW_MS - DAY_MS)) == [[back, by_network]]


def test_who_a_visitor_is_taken_for_is_what_stands_and_its_evidence_all_there_was(
    client: Client, writer: Writer
) -> None:
    told, back = envelope(identify("e1")), envelope(withdraw("e2", NOW_MS + 5))
    writer.write([bundle([told, back, envelope(page_view("e3"))])], NOW_MS)
    writer.write([news("v1", 0), news("v1", 1, from_ms=9), news("v2", 2)], NOW_MS)
    assert [one.from_ms for one in queries.identified_spans(client, "v1")] == [0, 9]
    writer.write([news("v1", 3, withdrawn=True)], NOW_MS)
    assert [one.from_ms for one in queries.identified_spans(client, "v1")] == [9]
    assert list(queries.identifying_events(client, "v1")) == [told, back]
    kept = client.execute("SELECT contact_id, withdrawn, confidence FROM identified FINAL WHERE visitor_id = 'v1'")
    assert sorted(kept) == [("c1", False, 100), ("c1", True, 100)]


def test_who_was_identified_long_ago_is_still_known(client: Client, writer: Writer) -> None:
    long_ago = NOW_MS - 400 * DAY_MS
    told = envelope(identify("e1", long_ago))
    late = envelope(page_view("e3", NOW_MS))
    writer.write([bundle([told, envelope(page_view("e2", long_ago)), late])], NOW_MS)
    assert list(queries.known_visitors_events(client, NOW_MS - DAY_MS)) == [[told, late]]


def test_many_events_come_in_chunks_and_leave_the_connection_usable(client: Client, writer: Writer) -> None:
    events = [envelope(identify(f"e{n:05}", NOW_MS + n)) for n in range(2 * queries.CHUNK + 1)]
    writer.write([bundle(events)], NOW_MS)
    chunks = list(queries.known_visitors_events(client, 0))
    assert [len(chunk) for chunk in chunks] == [queries.CHUNK, queries.CHUNK, 1]
    assert [one for chunk in chunks for one in chunk] == events
    assert client.execute("SELECT 1") == [(1,)]


def test_told_briefs_are_those_decided_since(client: Client, writer: Writer) -> None:
    writer.write([mail("b1", "b2", "b3"), mail("b1")], NOW_MS)
    assert list(queries.told_briefs(client, NOW_MS + 1)) == [brief("b2", NOW_MS + 1), brief("b3", NOW_MS + 2)]


def test_unreleased_briefs_are_in_no_delivery(client: Client, writer: Writer) -> None:
    writer.write([mail("b1", "b2", "b3")], NOW_MS)
    digest = delivery("d1", [brief("b1"), brief("b3")])
    writer.write([Record("deliveries", 0, 0, b"r1", digest.to_bytes())], NOW_MS)
    assert [one.brief_id for one in queries.unreleased_briefs(client)] == ["b2"]


def test_open_deliveries_have_no_outcome(client: Client, writer: Writer) -> None:
    for offset, delivery_id in enumerate(("d1", "d2")):
        writer.write([Record("deliveries", 0, offset, b"r1", delivery(delivery_id).to_bytes())], NOW_MS)
    writer.write([Record("outcomes", 0, 0, b"r1", outcome("o1", "d1").to_bytes())], NOW_MS)
    assert list(queries.open_deliveries(client)) == [delivery("d2")]


def test_the_directory_comes_back_without_what_was_deleted(client: Client, writer: Writer) -> None:
    writer.write([entity(said, offset) for offset, said in enumerate(ENTITIES)], NOW_MS)
    writer.write([tombstone(CONTACT.entity_id, 9, NOW_MS + 1)], NOW_MS)
    left = [said for said in ENTITIES if said is not CONTACT]
    assert list(queries.directory_entries(client)) == sorted(left, key=lambda said: said.entity_id)
    assert ACCOUNT in left


def test_a_brief_that_was_merged_into_one_that_left_has_left(client: Client, writer: Writer) -> None:
    sent = brief("b2").model_copy(update={"merges": ("b1", "b0")})
    told = Record("deliveries", 0, 0, b"r1", delivery("d1", [sent]).to_bytes())
    writer.write([mail("b0", "b1", "b2", "b3"), told], NOW_MS)
    assert [one.brief_id for one in queries.unreleased_briefs(client)] == ["b3"]


def test_what_was_decided_about_an_account_comes_once_each_in_order(client: Client, writer: Writer) -> None:
    held, sent = decision("b1", Verdict.held, Rule.cooldown), decision("b1", at=5)
    other = decision("b9").model_copy(update={"account_id": "a2", "decision_id": "other"})
    records = [Record("decisions", 0, n, b"a1", one.to_bytes()) for n, one in enumerate((sent, held, other, held))]
    writer.write(records, NOW_MS)
    assert list(queries.decisions_on(client, "a1")) == [held, sent]


def test_answers_and_what_became_of_an_accounts_messages_are_found(client: Client, writer: Writer) -> None:
    went = outcome("o1", "d1")
    opened = outcome("o2", "d1").model_copy(update={"kind": OutcomeKind.opened, "at_ms": NOW_MS + 1})
    elsewhere = outcome("o3", "d2").model_copy(update={"brief_ids": ("another",), "kind": OutcomeKind.opened})
    values = [one.to_bytes() for one in (opened, went, elsewhere)]
    writer.write([mail("brief_1"), *(Record("outcomes", 0, n, b"r1", value) for n, value in enumerate(values))], NOW_MS)
    assert list(queries.outcomes_on(client, "a1")) == [went, opened]
    assert {one.outcome_id for one in queries.answers(client, NOW_MS)} == {"o2", "o3"}
    assert [one.outcome_id for one in queries.answers(client, NOW_MS + 1)] == ["o2"]
    assert [one.brief_id for one in queries.briefs_on(client, "a1")] == ["brief_1"]
