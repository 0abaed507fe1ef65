"""Taking an identification back by command: one event in its visitor's partition, or a clear word why not."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from kafka import KafkaConsumer, TopicPartition

from producers.publisher import partition_of
from readbrief.identities import Known, check_known, known_of, withdraw, withdrawal
from schemas.activity import Identified
from schemas.envelope import Bundle
from schemas.errors import InputError
from schemas.settings import Settings
from schemas.topics import EVENTS
from sinks.clickhouse.client import connect
from sinks.clickhouse.writer import Writer
from sinks.consumer import Record
from tests.sinks.clickhouse_store import migrated_database
from tests.sinks.store_samples import NOW_MS, bundle, envelope, identified, identify
from tests.support.clickhouse import ClickHouseAddress
from tests.support.fresh_brokers import PARTITIONS

KNOWN = Known(
    "v1", (identified(),), (envelope(identify("e1", contact_id="c1")), envelope(identify("e2", contact_id="addr_77")))
)


@pytest.mark.parametrize(
    ("known", "event", "contact", "said"),
    [
        (Known("v1", (), ()), None, None, "not known to be anybody"),
        (KNOWN, "e9", None, "those that did: e1 (c1, email_link), e2 (addr_77, email_link)"),
        (KNOWN, None, "eli", "never said to be 'eli', but c1, addr_77"),
    ],
)
def test_what_there_is_none_of_is_not_taken_back(
    known: Known, event: str | None, contact: str | None, said: str
) -> None:
    with pytest.raises(InputError) as refused:
        check_known(known, event, contact)
    assert said in str(refused.value)


def test_what_there_is_may_be_taken_back() -> None:
    for event, contact in ((None, None), ("e1", None), (None, "c1"), (None, "addr_77")):
        check_known(KNOWN, event, contact)
    by_network = replace(KNOWN, events=(), spans=(identified().model_copy(update={"contact_id": ""}),))
    check_known(by_network, None, None)


@pytest.mark.parametrize(
    ("event", "contact", "reason", "said"),
    [
        ("e1", "c1", "why", "not both"),
        (None, None, "  ", "--reason"),
        ("not an id", None, "why", "evidence_id"),
        (None, None, "x" * 501, "reason"),
    ],
)
def test_what_breaks_a_rule_is_said(event: str | None, contact: str | None, reason: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        withdrawal("v1", event, contact, reason, NOW_MS)


@pytest.fixture
def visitor_known(clickhouse: ClickHouseAddress, fresh_broker: str) -> Iterator[tuple[Settings, str]]:
    """A store that holds who a visitor is, and a broker."""
    visitor_id = f"v-{uuid.uuid4().hex[:8]}"
    said: Identified = identified(visitor_id)
    with migrated_database(clickhouse) as spare:
        with connect(spare) as client:
            writer = Writer(client, lambda *_: pytest.fail("all of it is readable"), 1)
            writer.write([bundle([envelope(identify("e1"), visitor_id)])], NOW_MS)
            writer.write([Record("identified", 0, 0, b"v", said.to_bytes(), NOW_MS)], NOW_MS)
        yield spare.model_copy(update={"kafka_bootstrap": fresh_broker}), visitor_id


def test_a_withdrawal_is_an_event_on_the_visitors_partition(visitor_known: tuple[Settings, str]) -> None:
    settings, visitor_id = visitor_known
    assert [span.contact_id for span in known_of(settings, visitor_id).spans] == ["c1"]
    done = withdraw(settings, visitor_id, None, "c1", "It was a colleague", NOW_MS)

    its_own = TopicPartition(EVENTS.name, partition_of(visitor_id, PARTITIONS))
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, group_id=None, auto_offset_reset="earliest")
    try:
        consumer.assign([its_own])
        records = consumer.poll(timeout_ms=20_000)[its_own]
    finally:
        consumer.close()
    (sent,) = [one for record in records for one in Bundle.from_bytes(record.value).envelopes]
    assert (sent.visitor_id, sent.event, sent.occurred_ms) == (visitor_id, done, NOW_MS)


def test_who_a_visitor_is_taken_for_is_shown_as_plain_values() -> None:
    shown = KNOWN.as_json()
    assert [one["contact_id"] for one in shown["is"]] == ["c1"]
    assert [one["event_id"] for one in shown["events"]] == ["e1", "e2"]
    assert json.loads(json.dumps(shown)) == shown
