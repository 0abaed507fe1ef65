import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.publisher import Publisher, partition_of
from schemas.errors import UnavailableError
from schemas.topics import DIRECTORY, EVENTS
from tests.producers.kafka_topics import PARTITIONS, reading
from tests.support.ports import free_port


@pytest.mark.parametrize(
    ("key", "murmur2"),
    [  # from Apache Kafka's own tests of its hash
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_partitions_are_those_of_kafkas_own_hash(key: str, murmur2: int) -> None:
    for count in (1, 6, 1000):
        assert partition_of(key, count) == (murmur2 & 0x7FFFFFFF) % count


@given(st.text(max_size=80), st.integers(1, 1000))
def test_a_partition_is_one_of_those_there_are(key: str, count: int) -> None:
    assert 0 <= partition_of(key, count) < count


def test_what_is_published_is_acknowledged_with_its_place(topics: str) -> None:
    publisher = Publisher(topics, topics=(EVENTS.name, DIRECTORY.name))
    try:
        publisher.connect()
        assert publisher.partitions(EVENTS.name) == PARTITIONS
        first = publisher.publish(DIRECTORY.name, b"one", b"test:publisher")
        second = publisher.publish(DIRECTORY.name, b"two", b"test:publisher")
        deleted = publisher.publish(DIRECTORY.name, None, b"test:publisher")
        assert first.offset < second.offset < deleted.offset
        assert first.partition == second.partition
    finally:
        publisher.close()
    with reading(topics, DIRECTORY.name) as reader:
        reader.find(lambda key, value: (key, value) == (b"test:publisher", None))
        values = [value for _, key, value in reader.read if key == b"test:publisher"]
        assert values[-3:] == [b"one", b"two", None]


def test_closing_waits_for_what_was_handed_over(topics: str) -> None:
    publisher = Publisher(topics, topics=(DIRECTORY.name,))
    sent = [publisher.send(DIRECTORY.name, str(number).encode(), b"test:close") for number in range(500)]
    publisher.close()
    publisher.close()
    assert all(future.done() for future in sent)
    assert [future.result().offset for future in sent] == sorted(future.result().offset for future in sent)
    late = publisher.send(DIRECTORY.name, b"late", b"test:close")
    assert isinstance(late.exception(1), UnavailableError)


def test_a_missing_topic_is_named(topics: str) -> None:
    publisher = Publisher(topics, topics=("no-such-topic",))
    try:
        with pytest.raises(UnavailableError, match="no-such-topic"):
            publisher.connect()
    finally:
        publisher.close()


def test_a_broker_that_is_away_is_named_within_seconds() -> None:
    address = f"127.0.0.1:{free_port()}"
    began = time.monotonic()
    publisher = Publisher(address)
    try:
        with pytest.raises(UnavailableError, match=f"Kafka at {address} can't be reached: start it, or set READBRIEF_"):
            publisher.connect()
        with pytest.raises(UnavailableError):
            publisher.publish(EVENTS.name, b"x")
        with pytest.raises(UnavailableError):
            publisher.partitions(EVENTS.name)
    finally:
        publisher.close()
    assert time.monotonic() - began < 5


def test_a_server_that_never_answers_is_given_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        publisher = Publisher(f"127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        try:
            with pytest.raises(UnavailableError):
                publisher.publish(EVENTS.name, b"x")
            assert time.monotonic() - began < 10
        finally:
            publisher.close()


def test_what_waits_is_bounded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        publisher = Publisher(f"127.0.0.1:{silent.getsockname()[1]}", max_waiting_bytes=1000)
        try:
            first, second = (publisher.send(EVENTS.name, b"x" * 600) for _ in range(2))
            assert isinstance(second.exception(0.5), UnavailableError)
            assert not first.done()
        finally:
            publisher.close()
        assert first.done()


def test_a_message_too_large_fails_alone(topics: str) -> None:
    publisher = Publisher(topics, topics=(DIRECTORY.name,))
    try:
        publisher.connect()
        with pytest.raises(Exception, match="too large"):
            publisher.publish(DIRECTORY.name, b"x" * 2_000_000, b"test:large")
        assert publisher.publish(DIRECTORY.name, b"small", b"test:large").offset >= 0
    finally:
        publisher.close()


def test_many_threads_may_publish_at_once(topics: str) -> None:
    publisher = Publisher(topics, topics=(DIRECTORY.name,))
    offsets: list[int] = []

    def work() -> None:
        offsets.extend(publisher.publish(DIRECTORY.name, b"v", b"test:threads").offset for _ in range(30))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    publisher.close()
    assert len(set(offsets)) == 240
