"""The spool's file format: what was written whole is read back, whatever happened to the rest."""

from hypothesis import given
from hypothesis import strategies as st

from producers.spool_records import SpoolRecord, encode, scan

RECORDS = st.lists(
    st.builds(SpoolRecord, st.integers(0, 1), st.integers(-1, 999), st.integers(0, 1000), st.binary(max_size=60)),
    max_size=8,
)
TEXTS = st.lists(  # what the collector writes is JSON, in which the mark can't stand
    st.builds(SpoolRecord, st.just(0), st.just(3), st.just(6), st.text(max_size=40).map(str.encode)),
    min_size=1,
    max_size=8,
)


@given(RECORDS)
def test_what_was_written_is_read_in_its_order(records: list[SpoolRecord]) -> None:
    data = b"".join(map(encode, records))
    assert scan(data) == (tuple(records), len(data), 0)


@given(TEXTS, st.data())
def test_a_tail_torn_anywhere_costs_only_the_record_it_is_in(records: list[SpoolRecord], data: st.DataObject) -> None:
    whole = b"".join(map(encode, records))
    cut = data.draw(st.integers(0, len(whole)))
    lengths = [len(encode(record)) for record in records]
    complete = sum(sum(lengths[: index + 1]) <= cut for index in range(len(records)))
    found = scan(whole[:cut])
    assert found.records == tuple(records[:complete])
    assert (found.consumed, found.damaged) == (sum(lengths[:complete]), 0)


@given(TEXTS, TEXTS, st.binary(max_size=100))
def test_rubbish_between_records_hides_none_of_them(
    before: list[SpoolRecord], after: list[SpoolRecord], rubbish: bytes
) -> None:
    data = b"".join(map(encode, before)) + rubbish + b"".join(map(encode, after))
    found = scan(data)
    assert found.records == (*before, *after)
    assert found.damaged == len(rubbish)


@given(TEXTS, st.data())
def test_a_flipped_bit_costs_one_record_and_never_changes_one(records: list[SpoolRecord], data: st.DataObject) -> None:
    whole = bytearray(b"".join(map(encode, records)))
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= 1 << data.draw(st.integers(0, 7))
    ends = [sum(len(encode(each)) for each in records[: index + 1]) for index in range(len(records))]
    hit = next(index for index, end in enumerate(ends) if position < end)
    assert scan(bytes(whole)).records == (*records[:hit], *records[hit + 1 :])


@given(TEXTS, st.integers(1, 4))
def test_reading_on_where_it_stopped_gives_every_record_once(records: list[SpoolRecord], at_once: int) -> None:
    data = b"".join(map(encode, records))
    read: list[SpoolRecord] = []
    while data:
        found = scan(data, at_once)
        read += found.records
        data = data[found.consumed :]
    assert read == records
