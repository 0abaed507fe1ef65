"""Poll, handle, commit, in that order, on every broker: at least once, whatever happens between.

poll    [0 1 2]          [3 4]
handle         [0 1 2]        [3 4] ✗
commit                3            .  <- 3 and 4 come again
"""

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from schemas.errors import UnavailableError
from sinks.consumer import Pace, Partition, Positions, Record, run_consumer
from tests.sinks.topics_on_broker import committed, make_topics, produce, producing, spare_name
from tests.support.ports import free_port

PACE = Pace(linger_s=0.3, session_timeout_s=10)
PATIENCE_S = 60.0


class Member:
    """A consumer in a thread of its own, with all that it was handed."""

    def __init__(
        self, bootstrap: str, group: str, topics: Sequence[str], answer: Callable[["Member"], Positions]
    ) -> None:
        self.records: list[Record] = []
        self.calls: list[tuple[int, dict[Partition, int]]] = []
        self.error: Exception | None = None
        self.stop = threading.Event()
        self._answer = answer
        self._thread = threading.Thread(target=self._run, args=(bootstrap, group, topics), daemon=True)
        self._thread.start()

    def _run(self, bootstrap: str, group: str, topics: Sequence[str]) -> None:
        try:
            run_consumer(bootstrap, group, topics, self._handle, self.stop, pace=PACE)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def _handle(self, records: Sequence[Record], positions: Positions) -> Positions:
        self.calls.append((len(records), dict(positions)))
        self.records += records
        return self._answer(self)

    @property
    def values(self) -> list[bytes | None]:
        return [record.value for record in self.records]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert self.error is None, self.error
            assert time.monotonic() < deadline, f"waited {PATIENCE_S} s in vain; calls: {self.calls[-5:]}"
            time.sleep(0.02)

    def wait_settled(self) -> None:
        self.wait_until(lambda: bool(self.calls and self.calls[-1][1]))

    def end(self) -> float:
        began = time.monotonic()
        self.stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        return time.monotonic() - began


def nothing_held(_: Member) -> Positions:
    return {}


def spare_topic(broker: str, partitions: int = 1) -> str:
    topic = spare_name("topic")
    make_topics(broker, {topic: partitions})
    return topic


def test_records_are_committed_after_they_are_handled_and_come_once(broker: str) -> None:
    topic, group = spare_topic(broker), spare_name("group")
    produce(broker, topic, [(0, b"k", b"%d" % n) for n in range(3)])
    seen: list[int | None] = []

    def look(member: Member) -> Positions:
        if member.calls[-1][0]:
            seen.append(committed(broker, group, topic))
        return {}

    member = Member(broker, group, [topic], look)
    member.wait_until(lambda: len(member.records) == 3 and member.calls[-1][0] == 0)
    assert [(r.offset, r.key, r.value) for r in member.records] == [(n, b"k", b"%d" % n) for n in range(3)]
    assert all(abs(record.timestamp_ms / 1000 - time.time()) < 600 for record in member.records)
    assert seen[0] in (None, 0)
    assert committed(broker, group, topic) == 3
    assert member.calls[-1] == (0, {(topic, 0): 3})
    assert member.end() < 2
    again = Member(broker, group, [topic], nothing_held)
    produce(broker, topic, [(0, None, b"3")])
    again.wait_until(lambda: bool(again.records))
    assert (again.values, again.end() < 2) == ([b"3"], True)


def test_what_a_failed_handler_was_given_comes_again(broker: str) -> None:
    topic, group = spare_topic(broker), spare_name("group")
    produce(broker, topic, [(0, None, b"0")])

    def fail(member: Member) -> Positions:
        if member.records:
            raise ZeroDivisionError("the handler's own error")
        return {}

    member = Member(broker, group, [topic], fail)
    with pytest.raises(AssertionError, match="the handler's own error"):
        member.wait_until(lambda: False)
    assert isinstance(member.error, ZeroDivisionError)
    member.end()
    again = Member(broker, group, [topic], nothing_held)
    again.wait_until(lambda: bool(again.records))
    assert again.values == [b"0"]
    again.end()


def test_held_work_is_not_committed_past_and_goes_on_without_new_records(broker: str) -> None:
    topic, group = spare_topic(broker), spare_name("group")
    produce(broker, topic, [(0, None, b"%d" % n) for n in range(5)])
    release = threading.Event()

    def hold(member: Member) -> Positions:
        return {(topic, 0): 2} if member.records and not release.is_set() else {}

    member = Member(broker, group, [topic], hold)
    member.wait_until(lambda: len(member.records) == 5 and member.calls[-1][0] == 0)
    assert committed(broker, group, topic) == 2
    release.set()
    calls = len(member.calls)
    member.wait_until(lambda: len(member.calls) > calls + 2)
    assert committed(broker, group, topic) == 5
    assert {record.offset for record in member.records} == set(range(5))  # a rebalance may bring some again
    member.end()


def test_nothing_is_lost_while_members_come_and_go(broker: str) -> None:
    topics, group = [spare_name("left"), spare_name("right")], spare_name("group")
    make_topics(broker, dict.fromkeys(topics, 4))
    first = Member(broker, group, topics, nothing_held)
    first.wait_settled()
    sent: list[bytes] = []
    others: list[Member] = []
    with producing(broker) as producer:

        def send_while(condition: Callable[[], bool]) -> None:
            deadline = time.monotonic() + PATIENCE_S
            while condition():
                assert time.monotonic() < deadline
                sent.append(b"%d" % len(sent))
                producer.send(topics[len(sent) % 2], partition=len(sent) % 4, value=sent[-1])
                time.sleep(0.002)

        others.append(Member(broker, group, topics, nothing_held))
        send_while(lambda: not (others[0].calls and others[0].calls[-1][1]))
        mine = others[0].calls[-1][1]
        send_while(lambda: len(others[0].records) < 50)
        others[0].stop.set()
        send_while(lambda: len(first.calls[-1][1]) < 8)
    everybody = [first, *others]
    first.wait_until(lambda: {v for one in everybody for v in one.values} == set(sent))
    # Range assignment: who has a partition of one topic has it of the other.
    assert {number for name, number in mine if name == topics[0]} == {n for name, n in mine if name == topics[1]}
    for one in everybody:
        one.end()
    ends = {(topic, n): committed(broker, group, topic, n) for topic in topics for n in range(4)}
    assert sum(end or 0 for end in ends.values()) == len(sent)


def test_a_topic_made_later_is_read(broker: str) -> None:
    here, later, group = spare_topic(broker), spare_name("later"), spare_name("group")
    member = Member(broker, group, [here, later], nothing_held)
    member.wait_settled()
    make_topics(broker, {later: 2})
    produce(broker, later, [(1, None, b"late")])
    member.wait_until(lambda: bool(member.records))
    assert member.values == [b"late"]
    member.end()


def test_a_broker_that_is_away_is_said_in_one_line() -> None:
    with pytest.raises(UnavailableError, match=r"^no Kafka broker answers at 127\.0\.0\.1:\d+: start it.*$"):
        run_consumer(f"127.0.0.1:{free_port()}", "g", ["t"], lambda *_: None, threading.Event(), wait_s=0.1)


def test_waiting_for_a_broker_ends_when_stopped() -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    run_consumer(f"127.0.0.1:{free_port()}", "g", ["t"], lambda *_: None, stop, wait_s=60)
    assert time.monotonic() - began < 2
