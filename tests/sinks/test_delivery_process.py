"""The whole delivery process on every broker: from the topic to the inbox, and back to the topic; killed, too."""

import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer

from schemas import topics
from schemas.dead_letter import DeadLetter
from schemas.delivery import ChannelKind, Delivery, Outcome, OutcomeKind
from schemas.directory import Account, Channel, Contact, Rep
from schemas.settings import Settings
from sinks.delivery.process import GROUP, run
from tests.sinks.clickhouse_store import spare_database
from tests.sinks.delivery_samples import MET_MS, a_delivery, a_directory
from tests.sinks.delivery_servers import MailServer, chat_service, mail_server
from tests.sinks.topics_on_broker import committed, make_topics, producing
from tests.support.clickhouse import ClickHouseAddress
from tests.support.ports import free_port
from tests.support.processes import Running, start

PATIENCE_S = 60.0
NAMES = {topics.DELIVERIES.name: 1, topics.OUTCOMES.name: 1, topics.DEAD_LETTERS.name: 1, topics.DIRECTORY.name: 1}


@pytest.fixture(scope="module")
def store(clickhouse: ClickHouseAddress) -> Iterator[Settings]:
    with spare_database(clickhouse) as spare:
        yield spare


class Published:
    """What the process tells, read from the broker as it comes."""

    def __init__(self, broker: str) -> None:
        self._consumer = KafkaConsumer(
            topics.OUTCOMES.name, topics.DEAD_LETTERS.name, bootstrap_servers=broker, auto_offset_reset="earliest"
        )
        self.outcomes: list[tuple[bytes | None, Outcome]] = []
        self.dead_letters: list[DeadLetter] = []

    def wait(self, is_there: Callable[[], bool], child: Running) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_there():
            for records in self._consumer.poll(timeout_ms=100).values():
                for record in records:
                    if record.topic == topics.OUTCOMES.name:
                        self.outcomes.append((record.key, Outcome.from_bytes(record.value)))
                    else:
                        self.dead_letters.append(DeadLetter.from_bytes(record.value))
            if child.process.poll() is not None or time.monotonic() > deadline:
                raise child.failure(f"waited in vain; outcomes so far: {len(self.outcomes)}")

    def of(self, deliveries: list[Delivery]) -> dict[str, list[Outcome]]:
        wanted: dict[str, list[Outcome]] = {delivery.delivery_id: [] for delivery in deliveries}
        for _, outcome in self.outcomes:
            if outcome.delivery_id in wanted:
                wanted[outcome.delivery_id].append(outcome)
        return wanted

    def close(self) -> None:
        self._consumer.close()


@pytest.fixture
def published(broker: str) -> Iterator[Published]:
    make_topics(broker, NAMES)
    with producing(broker) as producer:
        directory = a_directory()
        channels = (
            Channel(kind=ChannelKind.chat, target="team"),
            Channel(kind=ChannelKind.email, target="r@example.com"),
        )
        for number in range(5):
            directory.put(Rep(rep_id=f"rep-of-many-{number}", name="R", channels=channels))
        entities: tuple[Account | Contact | Rep, ...] = (
            *directory.accounts.values(), *directory.contacts.values(), *directory.reps.values()
        )  # fmt: skip
        for entity in entities:
            producer.send(topics.DIRECTORY.name, key=entity.entity_id.encode(), value=entity.to_bytes())
    reader = Published(broker)
    yield reader
    reader.close()


def begin(store: Settings, broker: str, server: MailServer, output: Path, **more: str) -> Running:
    environment = {
        "READBRIEF_SECRET": "a-secret-of-the-tests",
        "READBRIEF_KAFKA_BOOTSTRAP": broker,
        "READBRIEF_KAFKA_SESSION_TIMEOUT_S": "6",
        "READBRIEF_CLICKHOUSE_HOST": store.clickhouse_host,
        "READBRIEF_CLICKHOUSE_PORT": str(store.clickhouse_port),
        "READBRIEF_CLICKHOUSE_DATABASE": store.clickhouse_database,
        "READBRIEF_SMTP_PORT": str(server.port),
        "READBRIEF_DELIVERY_BACKOFF_S": "0.05",
        "PYTHONUNBUFFERED": "1",
    }
    return start(
        [sys.executable, "-m", "tests.sinks.delivery_child", "process"], output, environment=environment | more
    )


def post(broker: str, *messages: Delivery | bytes) -> None:
    with producing(broker) as producer:
        for message in messages:
            value = message.to_bytes() if isinstance(message, Delivery) else message
            producer.send(topics.DELIVERIES.name, key=b"rep-1", value=value)


def fresh(channel: ChannelKind = ChannelKind.email, rep_id: str = "rep-1") -> Delivery:
    return a_delivery(channel=channel, delivery_id=f"delivery-{uuid.uuid4().hex}", rep_id=rep_id)


def test_deliveries_arrive_named_and_their_outcomes_are_told(
    broker: str, store: Settings, published: Published, tmp_path: Path
) -> None:
    mail, chat, broken = fresh(), fresh(ChannelKind.chat), f"not a delivery {uuid.uuid4().hex}".encode()
    with mail_server() as server, chat_service() as service:
        target = f'{{"team": "{service.url}"}}'
        child = begin(store, broker, server, tmp_path / "output.log", READBRIEF_CHAT_TARGETS=target)
        try:
            post(broker, mail, broken, chat, mail)
            published.wait(lambda: all(published.of([mail, chat]).values()), child)
            published.wait(lambda: any(letter.payload_bytes() == broken for letter in published.dead_letters), child)
            published.wait(lambda: committed(broker, GROUP, topics.DELIVERIES.name) is not None, child)
        finally:
            assert child.stop() == 0, child.tail()
        assert [each["Subject"][:13] for each in server.mails] == ["Acme Robotics"]
        assert server.mails[0]["To"] == "Jo Müller <jo@example.com>"
        assert [message["title"][:13] for message in service.messages] == ["Acme Robotics"]
        assert service.url not in child.output.read_text()
    told = published.of([mail, chat])
    assert {outcome.kind for outcomes in told.values() for outcome in outcomes} == {OutcomeKind.sent}
    ids = {mail.delivery_id, chat.delivery_id}
    assert {key for key, outcome in published.outcomes if outcome.delivery_id in ids} == {b"rep-1"}
    assert "latency_ms" in child.output.read_text()
    assert all(outcome.at_ms > MET_MS - 10 * 86_400_000 for outcomes in told.values() for outcome in outcomes)


def test_a_process_killed_amid_its_work_and_started_again_sends_nothing_twice_and_leaves_nothing_untold(
    broker: str, store: Settings, published: Published, tmp_path: Path
) -> None:
    deliveries = [fresh(rep_id=f"rep-of-many-{number % 5}") for number in range(40)]
    with mail_server() as server:
        child = begin(store, broker, server, tmp_path / "first.log")
        server.on_mail = lambda: child.process.kill() if len(server.mails) == 10 else None
        post(broker, *deliveries)
        try:
            assert child.process.wait(PATIENCE_S) == -9, child.tail()
        finally:
            child.kill()
        sent_before = len(server.mails)
        child = begin(store, broker, server, tmp_path / "second.log")
        try:
            published.wait(lambda: all(published.of(deliveries).values()), child)
        finally:
            assert child.stop() == 0, child.tail()
        arrived = [mail["X-Readbrief-Delivery"] for mail in server.mails]
    assert 10 <= sent_before < 40
    assert len(arrived) == len(set(arrived))
    for delivery_id, outcomes in published.of(deliveries).items():
        kinds = {outcome.kind for outcome in outcomes}
        assert len(kinds) == 1
        if kinds == {OutcomeKind.sent}:
            assert delivery_id in arrived
    uncertain = [each for each in published.of(deliveries).values() if each[0].kind is OutcomeKind.uncertain]
    assert len(uncertain) <= 8
    assert set(arrived) | {each[0].delivery_id for each in uncertain} == {each.delivery_id for each in deliveries}


def test_a_process_that_waits_for_clickhouse_sends_nothing_and_heeds_a_stop(store: Settings) -> None:
    unreachable = store.model_copy(update={"clickhouse_port": free_port(), "kafka_bootstrap": "127.0.0.1:1"})
    published: list[str] = []
    stop = threading.Event()
    threading.Timer(1.2, stop.set).start()
    began = time.monotonic()
    run(unreachable, lambda topic, _key, _value: published.append(topic), stop)
    assert 1 < time.monotonic() - began < 20
    assert published == []
