"""A partition's state is rebuilt from its changelog, whoever has written there."""

import pytest
from aiokafka.structs import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.changelog import FencedError, PartitionState
from streams.kafka_batches import Record, Sent
from streams.records import HEAD, Change, MemoryTable
from streams.stage import Work

CHANGELOG = TopicPartition("accounts-state", 0)


class Log:
    """A changelog's partition, as Kafka would keep it."""

    def __init__(self) -> None:
        self.records: list[ConsumerRecord] = []

    def append(self, records: list[tuple[TopicPartition, Record]]) -> list[Sent]:
        first = len(self.records)
        for _, record in records:
            at = len(self.records)
            key, value, headers = record.key, record.value, tuple(record.headers)
            self.records.append(
                ConsumerRecord(CHANGELOG.topic, 0, at, 0, 0, key, value, None, len(key), len(value or b""), headers)
            )
        return [Sent(first, len(records))] if records else []

    def follow(self, state: PartitionState) -> PartitionState:
        for record in self.records[state.position :]:
            state.replay(record)
        return state

    def owner(self) -> PartitionState:
        """Return a state that has taken the partition over."""
        state = self.follow(PartitionState(CHANGELOG))
        self.append([state.claim()])
        return self.follow(state)

    def write(self, state: PartitionState, work: Work) -> None:
        state.written(self.append(state.records_of(work)))
        state.apply(work)


def head(key: str, value: bytes | None) -> Work:
    return Work(changes=[Change(key, HEAD, value)])


@st.composite
def works(draw: st.DrawFn) -> list[Work]:
    keys, names = st.sampled_from("abc"), st.sampled_from((HEAD, b"due", b"read-1", b"read-2"))
    change = st.builds(Change, keys, names, st.one_of(st.none(), st.binary(max_size=3)))
    due = st.dictionaries(keys, st.one_of(st.none(), st.integers(0, 9)))
    return draw(st.lists(st.builds(Work, changes=st.lists(change, max_size=4), due=due), max_size=8))


@given(works(), st.integers(0, 8))
def test_state_rebuilt_is_the_state_there_was_wherever_another_takes_over(done: list[Work], handover: int) -> None:
    log = Log()
    owner = log.owner()
    for number, work in enumerate(done):
        if number == handover:
            owner = log.owner()
        log.write(owner, work)
    rebuilt = log.follow(PartitionState(CHANGELOG))
    assert rebuilt.table.keys == owner.table.keys
    assert rebuilt.due.pop_due(10) == owner.due.pop_due(10)
    assert rebuilt.position == owner.position == len(log.records)


def test_what_a_former_owner_writes_is_ignored_and_it_finds_out() -> None:
    log = Log()
    sleeper = log.owner()
    log.write(sleeper, head("acme", b"old"))
    successor = log.owner()
    log.write(successor, head("acme", b"new"))
    with pytest.raises(FencedError, match="another owner"):
        log.write(sleeper, head("acme", b"older still"))
    assert log.follow(PartitionState(CHANGELOG)).table.get("acme") == {HEAD: b"new"}
    assert log.follow(successor).table.get("acme") == {HEAD: b"new"}


def test_a_key_taken_off_before_a_rebalance_is_due_again_after_it() -> None:
    log = Log()
    owner = log.owner()
    log.write(owner, Work(due={"acme": 5}))
    assert owner.due.pop_due(6) == [("acme", 5)]
    assert log.follow(owner).due.pop_due(6) == []  # nothing new stands in the changelog
    owner.renew_due()
    assert owner.due.pop_due(6) == [("acme", 5)]


def test_a_moment_that_is_taken_back_is_gone_after_a_restart_too() -> None:
    log = Log()
    owner = log.owner()
    log.write(owner, Work(due={"acme": 5}))
    assert owner.due.pop_due(6) == [("acme", 5)]
    assert log.follow(PartitionState(CHANGELOG)).due.pop_due(6) == [("acme", 5)]
    log.write(owner, Work(due={"acme": None}))
    assert log.follow(PartitionState(CHANGELOG)).due.pop_due(6) == []


def test_what_was_made_of_records_is_forgotten_when_they_change_and_when_others_are_used_more() -> None:
    table = MemoryTable(max_decoded=1)
    table.apply([Change("a", HEAD, b"1"), Change("b", HEAD, b"2")])
    table.keep_decoded("a", "made of a")
    assert table.keys["a"].decoded == "made of a"
    table.keep_decoded("b", "made of b")
    assert (table.keys["a"].decoded, table.keys["b"].decoded) == (None, "made of b")
    table.apply([Change("b", b"more", b"3")])
    assert table.keys["b"].decoded is None
