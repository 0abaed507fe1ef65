"""How far groups are behind is what was written less what was committed, on every broker."""

import psutil
import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from schemas.errors import UnavailableError
from sinks.lags import GROUPS, KeptLags, Lag, group_lags
from tests.sinks.topics_on_broker import make_topics, produce, spare_name
from tests.support.ports import free_port

PATIENCE_S = 60.0


def commit(bootstrap: str, group: str, topic: str, offsets: dict[int, int]) -> None:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    try:
        named = {TopicPartition(topic, number): OffsetAndMetadata(at, "", -1) for number, at in offsets.items()}
        consumer.assign(list(named))
        consumer.commit(named)
    finally:
        consumer.close()


def test_a_group_is_behind_by_what_it_has_not_committed_in_all_partitions(broker: str) -> None:
    topic, half, ahead, new = spare_name("lags"), spare_name("half"), spare_name("ahead"), spare_name("new")
    make_topics(broker, {topic: 3})
    produce(broker, topic, [(number % 2, b"k", b"v") for number in range(7)])  # 4, 3 and none
    commit(broker, half, topic, {0: 4, 1: 1})
    commit(broker, ahead, topic, {0: 4, 1: 3, 2: 0})
    asked = [(half, topic), (ahead, topic), (new, topic), (new, spare_name("no-such-topic"))]
    assert [lag.behind for lag in group_lags(broker, asked, PATIENCE_S)] == [2, 0, 7, None]
    produce(broker, topic, [(2, b"k", b"v")] * 5)
    assert group_lags(broker, asked[:2], PATIENCE_S) == [Lag(half, topic, 7), Lag(ahead, topic, 5)]


def test_a_look_changes_nothing_for_the_group(broker: str) -> None:
    topic, group = spare_name("lags"), spare_name("group")
    make_topics(broker, {topic: 1})
    produce(broker, topic, [(0, b"k", b"v")] * 3)
    twice = [group_lags(broker, [(group, topic)], PATIENCE_S) for _ in range(2)]
    assert twice == [[Lag(group, topic, 3)]] * 2


def test_a_broker_that_is_away_is_said_to_be_and_no_file_stays_open() -> None:
    before = psutil.Process().num_fds()
    with pytest.raises(UnavailableError, match="no Kafka broker answers"):
        group_lags(f"127.0.0.1:{free_port()}", GROUPS[:1])
    assert psutil.Process().num_fds() <= before


def test_many_who_look_within_seconds_ask_once() -> None:
    asked: list[list[Lag]] = []
    now_s = 100.0

    def ask() -> list[Lag]:
        asked.append([Lag("group", "topic", len(asked))])
        return asked[-1]

    kept = KeptLags(ask, lambda: now_s)
    assert [kept() for _ in range(5)] == [[Lag("group", "topic", 0)]] * 5
    now_s += 60
    assert kept() == [Lag("group", "topic", 1)]
    assert len(asked) == 2
