"""What this project asks of a broker, asked of the embedded one and of real Kafka alike.

Where the embedded broker is known to be wrong, a test holds it to being wrong: once that is mended upstream, the test
fails and what works around it can go.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from readbrief.embedded import broker as embedded
from readbrief.embedded.lifetime import EmbeddedServerError
from tests.support.brokers import start_kafka
from tests.support.ports import free_port
from tests.support.processes import running, start

PARTITIONS = 3
READ_SECONDS = 45  # the embedded broker lets a group's first members wait for seconds
REBALANCE_MS = 3000

# Many joins of groups, which take the embedded broker seconds each.
pytestmark = pytest.mark.timeout(180)


def create_topic(bootstrap: str) -> str:
    name = f"contract-{uuid4().hex[:8]}"
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.create_topics([NewTopic(name=name, num_partitions=PARTITIONS, replication_factor=1)])
        wait_until(lambda: name in admin.list_topics(), "the topic is known")  # Kafka acknowledges before it is
    return name


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + READ_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.05)


def topics(bootstrap: str) -> set[str]:
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        return set(admin.list_topics())


@pytest.fixture
def topic(broker: str) -> str:
    return create_topic(broker)


@pytest.fixture
def producer(broker: str) -> Iterator[Any]:
    with closing(KafkaProducer(bootstrap_servers=broker, acks="all", enable_idempotence=True, linger_ms=5)) as producer:
        yield producer


def produce(producer: Any, topic: str, count: int, *, first: int = 0) -> dict[bytes, int]:
    """Send numbered messages under 20 keys and give the partition of each key, as the broker acknowledged it."""
    sent = [
        (_key(number), producer.send(topic, key=_key(number), value=b"%d" % number)) for number in _range(first, count)
    ]
    producer.flush(30)
    partitions: dict[bytes, int] = {}
    for key, future in sent:
        partition = future.get(30).partition
        assert partitions.setdefault(key, partition) == partition
    return partitions


def _range(first: int, count: int) -> range:
    return range(first, first + count)


def _key(number: int) -> bytes:
    return b"key %d" % (number % 20)


def open_reader(bootstrap: str, topic: str) -> Any:
    """Open a consumer of all partitions, without a group, at their beginning."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    consumer.assign(_partitions(topic))
    return consumer


def open_member(bootstrap: str, topic: str, group: str, **options: Any) -> Any:
    """Open a consumer that shares the topic with the rest of its group."""
    return KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_interval_ms=REBALANCE_MS,
        session_timeout_ms=6000,
        heartbeat_interval_ms=300,
        **options,
    )


def _partitions(topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(PARTITIONS)]


def read(consumer: Any, count: int) -> list[Any]:
    messages: list[Any] = []
    deadline = time.monotonic() + READ_SECONDS
    while len(messages) < count and time.monotonic() < deadline:
        for batch in consumer.poll(200).values():
            messages.extend(batch)
    return messages


def numbers(messages: list[Any]) -> list[int]:
    return sorted(int(message.value) for message in messages)


def test_messages_keep_their_key_s_partition_and_its_order(broker: str, topic: str, producer: Any) -> None:
    partition_of = produce(producer, topic, 1000)

    with closing(open_reader(broker, topic)) as reader:
        messages = read(reader, 1000)

    assert numbers(messages) == list(range(1000))
    assert set(partition_of.values()) == set(range(PARTITIONS))
    by_key = defaultdict(list)
    for message in messages:
        assert message.partition == partition_of[message.key]
        by_key[message.key].append(int(message.value))
    assert all(values == sorted(values) for values in by_key.values())


def test_offsets_count_up_from_zero_without_gaps(broker: str, topic: str, producer: Any) -> None:
    produce(producer, topic, 500)
    produce(producer, topic, 500, first=500)

    offsets = defaultdict(list)
    with closing(open_reader(broker, topic)) as reader:
        for message in read(reader, 1000):
            offsets[message.partition].append(message.offset)

    assert len(offsets) == PARTITIONS
    assert all(found == list(range(len(found))) for found in offsets.values())


def test_an_acknowledgement_names_the_offset_where_the_message_is_found(broker: str, topic: str, producer: Any) -> None:
    produce(producer, topic, 50)
    told = producer.send(
        topic, key=b"k", value=b"777", headers=[("h", b"\x00\xff")], timestamp_ms=1_700_000_000_123
    ).get(30)

    with closing(open_reader(broker, topic)) as reader:
        reader.seek(TopicPartition(topic, told.partition), told.offset)
        for other in set(_partitions(topic)) - {TopicPartition(topic, told.partition)}:
            reader.pause(other)
        found = read(reader, 1)[0]

    assert (found.key, found.value, found.offset) == (b"k", b"777", told.offset)
    assert (list(found.headers), found.timestamp) == ([("h", b"\x00\xff")], 1_700_000_000_123)


def test_messages_of_nearly_a_megabyte_and_tombstones_pass(broker: str, topic: str, producer: Any) -> None:
    large = bytes(range(256)) * 3500
    producer.send(topic, key=b"k", value=large).get(30)
    producer.send(topic, key=b"k", value=None).get(30)
    producer.send(topic, key=None, value=b"", partition=1).get(30)

    with closing(open_reader(broker, topic)) as reader:
        messages = read(reader, 3)

    assert [message.value for message in messages if message.key] == [large, None]
    assert [(message.value, message.partition) for message in messages if message.key is None] == [(b"", 1)]


def test_a_group_goes_on_where_it_committed(broker: str, topic: str, producer: Any) -> None:
    group = f"group-{topic}"
    produce(producer, topic, 100)
    with closing(open_member(broker, topic, group)) as first:
        assert numbers(read(first, 100)) == list(range(100))
        first.commit()
        produce(producer, topic, 100, first=100)
        assert numbers(read(first, 100)) == list(range(100, 200))  # not committed: whoever comes next gets it again

    with closing(open_member(broker, topic, group)) as second:
        again = numbers(read(second, 100))
        committed = [second.committed(partition) for partition in _partitions(topic)]

    assert again == list(range(100, 200))
    assert sum(committed) == 100


def test_members_of_a_group_share_the_partitions_and_take_over(broker: str, topic: str, producer: Any) -> None:
    with closing(open_member(broker, topic, f"group-{topic}")) as stays, ThreadPoolExecutor(1) as pool:
        wait_until(lambda: _share(stays) == PARTITIONS, "the first member has all partitions")
        leave = threading.Event()
        other = pool.submit(_take_part, broker, topic, leave)
        try:
            wait_until(lambda: 0 < _share(stays) < PARTITIONS, "two members share the partitions")
        finally:
            leave.set()
        wait_until(lambda: _share(stays) == PARTITIONS, "the first member takes over")
        produce(producer, topic, 100)
        assert numbers(read(stays, 100)) == list(range(100))
    assert other.result() > 0


def _share(member: Any) -> int:
    member.poll(1000)  # with short polls, kafka-python does not get back into a group of the embedded broker
    return len(member.assignment())


def _take_part(bootstrap: str, topic: str, leave: threading.Event) -> int:
    """Be a member of the group until told to leave; gives the most partitions it had."""
    most = 0
    with closing(open_member(bootstrap, topic, f"group-{topic}")) as member:
        while not leave.is_set():
            most = max(most, _share(member))
    return most


def test_the_high_watermark_of_a_fetch_is_right(broker: str, topic: str, producer: Any) -> None:
    partition_of = produce(producer, topic, 1000)
    count = Counter(partition_of[_key(number)] for number in range(1000))

    with closing(open_reader(broker, topic)) as reader:
        read(reader, 1000)
        marks = {partition.partition: reader.highwater(partition) for partition in _partitions(topic)}

    assert marks == count


def test_a_deleted_topic_is_gone(broker: str, topic: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=broker)) as admin:
        admin.delete_topics([topic])
        wait_until(lambda: topic not in admin.list_topics(), "the topic is gone")


def test_the_beginning_is_known(broker: str, topic: str, producer: Any) -> None:
    produce(producer, topic, 100)
    with closing(open_reader(broker, topic)) as reader:
        assert set(reader.beginning_offsets(_partitions(topic)).values()) == {0}


def _produce_two_batches(bootstrap: str, topic: str) -> tuple[int, int]:
    """Fill partition 0 with 30 messages in two batches; gives the base offset of the last, and the end."""
    with closing(KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=300)) as producer:
        for size in (10, 20):
            for number in range(size):
                producer.send(topic, partition=0, value=b"%d" % number)
            producer.flush(30)
    return 10, 30


def _end_offset(bootstrap: str, topic: str) -> int:
    with closing(open_reader(bootstrap, topic)) as reader:
        return int(reader.end_offsets([TopicPartition(topic, 0)])[TopicPartition(topic, 0)])


def test_kafka_tells_the_end_of_a_partition(kafka_broker: str) -> None:
    topic = create_topic(kafka_broker)
    _, end = _produce_two_batches(kafka_broker, topic)
    assert _end_offset(kafka_broker, topic) == end


def test_the_embedded_broker_still_tells_a_wrong_end(embedded_broker: str) -> None:
    topic = create_topic(embedded_broker)
    last_batch, end = _produce_two_batches(embedded_broker, topic)
    told = _end_offset(embedded_broker, topic)
    assert told != end, "mended upstream: lag and Faust's table recovery need no probe of the high watermark any more"
    assert told == last_batch + 1


def test_kafka_keeps_messages_and_commits_over_a_stop_and_a_kill(tmp_path: Path) -> None:
    server = start_kafka(tmp_path)
    try:
        topic = create_topic(server.bootstrap)
        with closing(KafkaProducer(bootstrap_servers=server.bootstrap, acks="all")) as producer:
            produce(producer, topic, 100)
            with closing(open_member(server.bootstrap, topic, "group")) as member:
                read(member, 100)
                member.commit()
            server.stop()
            server.start()
            produce(producer, topic, 100, first=100)  # the same producer goes on
        server.kill()
        server.start()
        with closing(open_reader(server.bootstrap, topic)) as reader:
            assert numbers(read(reader, 200)) == list(range(200))
        with closing(open_member(server.bootstrap, topic, "group")) as member:
            assert numbers(read(member, 100)) == list(range(100, 200))
    finally:
        server.stop()


def test_the_embedded_broker_still_forgets_everything_when_it_stops(tmp_path: Path) -> None:
    port = free_port()
    bootstrap = f"127.0.0.1:{port}"

    def ready() -> None:
        embedded.wait_ready(bootstrap, 0)

    with running(embedded.command(port), tmp_path / "first.log", ready=ready):
        topic = create_topic(bootstrap)
        assert topic in topics(bootstrap)
    with running(embedded.command(port), tmp_path / "second.log", ready=ready):
        assert topic not in topics(bootstrap), "mended upstream: `up` need not rebuild state from ClickHouse any more"


def test_the_embedded_broker_names_a_taken_port(embedded_broker: str, tmp_path: Path) -> None:
    port = int(embedded_broker.rpartition(":")[2])
    second = start(embedded.command(port), tmp_path / "output.log")
    assert second.process.wait(20) == 1
    assert f"port {port} of 127.0.0.1 is taken" in second.tail()


def test_waiting_for_a_broker_that_is_not_there_ends_with_its_address() -> None:
    with pytest.raises(EmbeddedServerError, match=r"no broker answered at 127\.0\.0\.1:1 within 0\.1 s"):
        embedded.wait_ready("127.0.0.1:1", 0.1)


def test_the_embedded_broker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    port = free_port()
    script = "import subprocess, sys, time\nprint(subprocess.Popen(sys.argv[1:]).pid, flush=True)\ntime.sleep(60)"
    command = embedded.command(port)
    parent = start([command[0], "-c", script, *command], tmp_path / "output.log")
    try:
        parent.wait_until(lambda: embedded.wait_ready(f"127.0.0.1:{port}", 0), 30)
        child = psutil.Process(int(parent.output.read_text().split()[0]))
    finally:
        parent.kill()
    child.wait(10)
