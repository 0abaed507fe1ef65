"""A record becomes rows, and nothing else happens."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas import topics
from schemas.brief import Brief
from schemas.errors import InputError
from schemas.interest import Interest
from schemas.rep_mail import Released, RepMail
from sinks.clickhouse.event_rows import envelope_of
from sinks.clickhouse.rows import TABLES, rows
from sinks.clickhouse.table import UnreadableRecordError
from sinks.clickhouse.writer import read_all
from sinks.consumer import Record
from tests.sinks.store_samples import NOW_MS, bundle, envelope, one_of_each_event, one_record_of_each_topic, tombstone

SAMPLES = Path(__file__).parents[1] / "schemas" / "samples" / "v1"
POISON = Record("events", 3, 7, None, b"\xffnot json")


def test_every_topic_that_the_store_reads_has_a_table() -> None:
    read = {topic.name for topic in topics.TOPICS if "clickhouse" in topic.readers}
    assert set(TABLES) == read


@pytest.mark.parametrize("record", one_record_of_each_topic(), ids=lambda record: record.origin)
def test_every_row_has_a_value_for_every_column(record: Record) -> None:
    table, made = rows(record)
    assert made
    assert {len(row) for row in made} == {len(table.columns)}


def test_a_bundle_becomes_one_row_per_envelope_that_holds_it_whole() -> None:
    envelopes = [envelope(event) for event in one_of_each_event()]
    table, made = rows(bundle(envelopes, partition=4, offset=9))
    named = [dict(zip(table.columns, row, strict=True)) for row in made]
    assert [envelope_of(row) for row in made] == envelopes
    assert {row["envelope"] for row in named} == {""}
    assert {(row["kafka_partition"], row["kafka_offset"]) for row in named} == {(4, 9)}
    assert named[0]["url"] == "https://www.example.com/pricing"


def test_a_machines_event_is_kept_and_marked_with_its_network() -> None:
    sent = envelope(one_of_each_event()[0]).model_copy(update={"automated": True, "client_network": "203.0.113.0/24"})
    table, made = rows(bundle([sent]))
    row = dict(zip(table.columns, made[0], strict=True))
    assert (row["automated"], row["client_network"]) == (True, "203.0.113.0/24")


def test_a_replay_that_only_tells_what_was_released_has_no_rows() -> None:
    mail = RepMail(rep_id="r1", released=(Released(brief_id="b1", account_id="a1", at_ms=NOW_MS),))
    assert rows(Record("briefs", 0, 0, b"r1", mail.to_bytes()))[1] == []


@pytest.mark.parametrize("topic", sorted(set(TABLES) - {"directory", "interest"}))
def test_a_record_without_a_value_is_unreadable(topic: str) -> None:
    with pytest.raises(UnreadableRecordError):
        rows(Record(topic, 0, 0, b"k", None))


def test_a_tombstone_deletes_by_its_key_and_needs_one() -> None:
    table, made = rows(tombstone("contact:c1", 5))
    row = dict(zip(table.columns, made[0], strict=True))
    assert (row["entity_id"], row["deleted"]) == ("contact:c1", 1)
    for key in (None, b"", b"\xff"):
        with pytest.raises(UnreadableRecordError):
            rows(Record("directory", 0, 0, key, None))


def test_what_is_no_message_names_its_field() -> None:
    with pytest.raises(ValidationError):
        rows(POISON)


def test_what_can_be_read_is_kept_beside_what_can_not() -> None:
    good = one_record_of_each_topic()
    reading = read_all([POISON, *good, POISON], 0, limit=1)
    assert reading.readable == good
    assert [record for record, _ in reading.unreadable] == [POISON, POISON]
    assert reading.unreadable_in_a_row == 1


def test_a_good_record_ends_a_row_of_bad_ones() -> None:
    good = bundle([])
    assert read_all([POISON, POISON, good, POISON, POISON], 0, limit=2).unreadable_in_a_row == 2


def test_more_than_the_limit_in_a_row_stops_over_batches_too() -> None:
    assert read_all([POISON], 1, limit=2).unreadable_in_a_row == 2
    with pytest.raises(InputError, match=r"3 records in a row .*events/3/7"):
        read_all([POISON], 2, limit=2)


def test_how_an_account_stands_has_columns_of_its_own() -> None:
    sample = SAMPLES / "Interest.committee-and-silence.json"
    table, ((*values,),) = rows(Record("interest", 0, 0, b"acme", sample.read_bytes()))
    row = dict(zip(table.columns, values, strict=True))
    said = Interest.from_bytes(sample.read_bytes())
    assert (row["buying_stage"], row["trend"], row["silent_days"]) == ("contract", "rising", 40)
    assert (row["unknown_visitors"], row["usual_week_ms"], row["cools"]) == (1, 24_000, said.cools_ms)
    assert row["missing_functions"] == ["executive", "department_head", "user", "technical_lead", "purchasing_head"]
    assert sum(row["reasons"].values()) == pytest.approx(said.score)


def test_a_hand_over_says_from_whom_and_why() -> None:
    brief = Brief.from_bytes((SAMPLES / "Brief.hand-over.json").read_bytes())
    table, ((*values,),) = rows(Record("briefs", 0, 0, b"dora", RepMail(rep_id="dora", briefs=(brief,)).to_bytes()))
    row = dict(zip(table.columns, values, strict=True))
    assert (row["hand_over"], row["handed_over_by"], row["lifecycle"]) == ("lifecycle", "omar", "won")
