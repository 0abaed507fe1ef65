"""The whole process on a broker and ClickHouse: insert, set aside, stitch, and commit last, whenever it is killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clickhouse_driver import Client
from kafka import KafkaConsumer, TopicPartition

from readbrief.embedded import broker as embedded
from schemas import topics
from schemas.activity import Activity
from schemas.dead_letter import DeadLetter
from schemas.settings import Settings
from sinks.clickhouse.client import connect
from sinks.clickhouse.process import GROUP
from sinks.clickhouse.rows import TABLES
from tests.sinks.clickhouse_store import spare_database
from tests.sinks.store_samples import (
    NOW_MS,
    bundle,
    envelope,
    identified,
    identify,
    one_record_of_each_topic,
    page_view,
)
from tests.sinks.topics_on_broker import committed, make_topics, produce
from tests.support.brokers import start_kafka
from tests.support.clickhouse import ClickHouseAddress
from tests.support.migrated import make_migrated
from tests.support.ports import free_port
from tests.support.processes import Running, running, start

PATIENCE_S = 120.0  # with whole stacks beside it
PARTITIONS = 2
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module", params=["embedded", "kafka"])
def own_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker that no other test writes to: the names of topics and group are fixed here."""
    directory = tmp_path_factory.mktemp("own-broker")
    if request.param == "kafka":
        server = start_kafka(directory)
        try:
            yield server.bootstrap
        finally:
            server.stop()
        return
    bootstrap = f"127.0.0.1:{free_port()}"
    command = embedded.command(int(bootstrap.rpartition(":")[2]))
    with running(command, directory / "output.log", ready=lambda: embedded.wait_ready(bootstrap, 0)):
        yield bootstrap


@pytest.fixture
def settings(clickhouse: ClickHouseAddress, own_broker: str) -> Iterator[Settings]:
    make_topics(own_broker, {topic.name: PARTITIONS if topic.keyed else 1 for topic in topics.TOPICS})
    with spare_database(clickhouse) as settings:
        yield settings.model_copy(update={"kafka_bootstrap": own_broker})


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    make_migrated(settings)
    with connect(settings) as client:
        yield client


@contextmanager
def sink(settings: Settings, output: Path, kill_on: str = "", limit: int = 3) -> Iterator[Running]:
    environment = {
        "READBRIEF_SECRET": settings.secret.get_secret_value(),
        "READBRIEF_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "READBRIEF_KAFKA_SESSION_TIMEOUT_S": "6",
        "READBRIEF_CLICKHOUSE_PORT": str(settings.clickhouse_port),
        "READBRIEF_CLICKHOUSE_DATABASE": settings.clickhouse_database,
        "READBRIEF_DEAD_LETTER_LIMIT": str(limit),
        "KILL_ON": kill_on,
    }
    command = [sys.executable, "-m", "tests.sinks.clickhouse_process_main"]
    process = start(command, output, environment=environment)
    try:
        yield process
    finally:
        process.stop()


def wait_until(condition: Callable[[], object], process: Running) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.process.poll() is None, process.tail()
        assert time.monotonic() < deadline, process.tail()
        time.sleep(0.1)


def wait_killed(process: Running) -> None:
    try:
        assert process.process.wait(PATIENCE_S) == -signal.SIGKILL, process.tail()
    except subprocess.TimeoutExpired:
        pytest.fail(process.tail())


def read_topic(bootstrap: str, topic: str) -> list[bytes]:
    """Give the values that stand in a topic now."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        numbers = sorted(consumer.partitions_for_topic(topic) or ())
        consumer.assign([TopicPartition(topic, number) for number in numbers])
        found: list[bytes] = []
        while polled := consumer.poll(timeout_ms=1500):
            found += [record.value for records in polled.values() for record in records]
        return found
    finally:
        consumer.close()


def count(client: Client, table: str) -> int:
    return int(client.execute(f"SELECT count() FROM {table} FINAL")[0][0])  # noqa: S608 - our names


def stitched_events(settings: Settings, visitor_id: str) -> list[list[str]]:
    """Give the ids of a visitor's events, message by message."""
    messages = map(Activity.from_bytes, read_topic(settings.kafka_bootstrap, "activity"))
    mine = [one for one in messages if one.items[0].envelope.visitor_id == visitor_id]
    assert all(one.stitched and one.account_id == "a1" for one in mine)
    return [[item.envelope.event.event_id for item in one.items] for one in mine]


def events_at(settings: Settings, visitor_id: str, event_ids: list[str], partition: int) -> int:
    """Put a visitor's history on `events`, with the event that identifies at its end, and give that one's offset."""
    history = [envelope(page_view(one, NOW_MS - 1000 + n), visitor_id) for n, one in enumerate(event_ids[:-1])]
    told = envelope(identify(event_ids[-1]), visitor_id)
    values = [bundle([one]).value for one in [*history, told]]
    return produce(settings.kafka_bootstrap, "events", [(partition, None, value) for value in values])[-1]


def test_every_topic_goes_in_and_a_visitor_is_stitched(settings: Settings, client: Client, tmp_path: Path) -> None:
    for record in one_record_of_each_topic():
        produce(settings.kafka_bootstrap, record.topic, [(0, record.key, record.value)])
    ids = [f"e{n}" for n in range(20)]
    last = events_at(settings, "known", ids, partition=1)
    # Named before it is stored: an offset that `events` has not reached yet holds the stitching back.
    later = identified("known", partition=1, offset=last + 1).to_bytes()
    (place,) = produce(settings.kafka_bootstrap, "identified", [(1, b"known", later)])
    with sink(settings, tmp_path / "output.log") as process:
        wait_until(lambda: (committed(settings.kafka_bootstrap, GROUP, "events", 1) or 0) > last, process)
        assert all(count(client, table.name) for table in TABLES.values())
        assert (committed(settings.kafka_bootstrap, GROUP, "identified", 1) or 0) <= place
        assert stitched_events(settings, "known") == []
        more = bundle([envelope(page_view("e-last", NOW_MS + 1), "known")])
        produce(settings.kafka_bootstrap, "events", [(1, None, more.value)])
        wait_until(lambda: committed(settings.kafka_bootstrap, GROUP, "identified", 1) == place + 1, process)
        assert stitched_events(settings, "known") == [[*ids, "e-last"]]
        began = time.monotonic()
        assert process.stop() == 0, process.tail()
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("kill_on", ["dead-letters", "activity"])
def test_killed_between_insert_and_commit_nothing_is_lost_and_nothing_is_double(
    settings: Settings, client: Client, tmp_path: Path, kill_on: str
) -> None:
    visitor_id, ids = f"killed-on-{kill_on}", [f"e{n}" for n in range(50)]
    last = events_at(settings, visitor_id, ids, partition=0)
    poison = b"\xff" + kill_on.encode()
    produce(settings.kafka_bootstrap, "interest", [(0, b"a1", poison)])
    said = identified(visitor_id, partition=0, offset=last).to_bytes()
    (place,) = produce(settings.kafka_bootstrap, "identified", [(0, b"v", said)])
    mine = "SELECT count() FROM events FINAL WHERE visitor_id = %(v)s"
    with sink(settings, tmp_path / "killed.log", kill_on) as process:
        wait_killed(process)
    assert client.execute(mine, {"v": visitor_id}) == [(50,)]
    assert (committed(settings.kafka_bootstrap, GROUP, "events") or 0) <= last
    with sink(settings, tmp_path / "again.log") as process:
        wait_until(lambda: (committed(settings.kafka_bootstrap, GROUP, "identified") or 0) > place, process)
        wait_until(lambda: (committed(settings.kafka_bootstrap, GROUP, "events") or 0) > last, process)
        query = "SELECT count() FROM dead_letters FINAL WHERE base64Decode(payload) LIKE %(end)s"
        wait_until(lambda: client.execute(query, {"end": f"%{kill_on}"}) == [(1,)], process)
    assert client.execute(mine, {"v": visitor_id}) == [(50,)]
    told = stitched_events(settings, visitor_id)
    assert told
    assert all(one == ids for one in told)


def test_too_many_unreadable_records_stop_the_process_until_the_limit_is_raised(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    def letters() -> list[bytes]:
        found = map(DeadLetter.from_bytes, read_topic(settings.kafka_bootstrap, "dead-letters"))
        return sorted(one.payload_bytes() for one in found if one.payload_bytes().startswith(b"bad"))

    bad = [b"bad %d" % n for n in range(4)]
    produce(settings.kafka_bootstrap, "outcomes", [(0, b"r1", value) for value in bad])
    with sink(settings, tmp_path / "stopped.log", limit=3) as process:
        assert process.process.wait(PATIENCE_S) > 0
        assert "4 records in a row can't be read" in process.tail()
    assert letters() == []
    with sink(settings, tmp_path / "raised.log", limit=4) as process:
        wait_until(lambda: count(client, "dead_letters") == len(bad), process)
    assert letters() == bad
