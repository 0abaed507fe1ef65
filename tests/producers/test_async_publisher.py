import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from producers.async_publisher import AsyncPublisher
from producers.publisher import Position
from schemas.errors import UnavailableError
from schemas.topics import DEAD_LETTERS, DIRECTORY, EVENTS
from tests.producers.kafka_topics import PARTITIONS, make_topics, reading
from tests.support.brokers import start_kafka
from tests.support.ports import free_port


def run(publish: Callable[[AsyncPublisher], Coroutine[Any, Any, None]], bootstrap: str, **options: Any) -> None:
    """Run what publishes between the publisher's start and its close."""

    async def scenario() -> None:
        publisher = AsyncPublisher(bootstrap, **options)
        publisher.start()
        try:
            await publish(publisher)
        finally:
            await publisher.close()

    asyncio.run(scenario())


async def connected(publisher: AsyncPublisher) -> None:
    until = time.monotonic() + 10
    while not await asyncio.to_thread(publisher.reachable):
        assert time.monotonic() < until, "it was not connected in time"
        await asyncio.sleep(0.02)


def test_what_is_published_is_acknowledged_with_its_place_and_in_order(topics: str) -> None:
    sent: list[asyncio.Future[Position]] = []

    async def publish(publisher: AsyncPublisher) -> None:
        # Handed over before there is a connection, and not waited for: closing does that.
        sent.extend(publisher.send(DIRECTORY.name, b"async:%d" % number, b"key", 0) for number in range(300))
        await connected(publisher)
        assert publisher.partitions(EVENTS.name) == PARTITIONS

    run(publish, topics, topics=(EVENTS.name, DIRECTORY.name))
    places = [future.result() for future in sent]
    assert {place.partition for place in places} == {0}
    assert [place.offset for place in places] == sorted({place.offset for place in places})
    with reading(topics, DIRECTORY.name) as reader:
        reader.find(lambda _, value: value == b"async:299")
        mine = [value for _, _, value in reader.read if value and value.startswith(b"async:")]
        assert mine == [b"async:%d" % number for number in range(300)]


def test_a_closed_one_takes_nothing(topics: str) -> None:
    async def scenario() -> None:
        publisher = AsyncPublisher(topics)
        publisher.start()
        await publisher.close()
        with pytest.raises(UnavailableError, match="closed"):
            await publisher.send(EVENTS.name, b"late")

    asyncio.run(scenario())


def test_a_topic_not_named_at_first_is_found_when_it_is_needed(topics: str) -> None:
    async def publish(publisher: AsyncPublisher) -> None:
        assert (await publisher.send(DIRECTORY.name, b"x", b"test:needed")).offset >= 0

    run(publish, topics, topics=(EVENTS.name,))


def test_a_missing_topic_is_named_and_found_once_it_is_made(tmp_path: Path) -> None:
    kafka = start_kafka(tmp_path / "kafka")

    async def publish(publisher: AsyncPublisher) -> None:
        with pytest.raises(UnavailableError, match=f"no topic {EVENTS.name}, {DEAD_LETTERS.name} yet"):
            await publisher.send(EVENTS.name, b"x")
        assert not publisher.reachable()
        await asyncio.to_thread(make_topics, kafka.bootstrap)
        await connected(publisher)
        assert (await publisher.send(EVENTS.name, b"x")).offset == 0

    try:
        run(publish, kafka.bootstrap, topics=(EVENTS.name, DEAD_LETTERS.name))
    finally:
        kafka.stop()


@pytest.mark.parametrize("port", [None, "no-port"])
def test_a_broker_that_is_away_is_named_at_once(port: str | None) -> None:
    address = f"127.0.0.1:{port or free_port()}"

    async def publish(publisher: AsyncPublisher) -> None:
        for _ in range(2):  # the second is known to be in vain
            with pytest.raises(UnavailableError, match=f"Kafka at {address} can't be reached: start it, or set READB"):
                await publisher.send(EVENTS.name, b"x")
        with pytest.raises(UnavailableError):
            publisher.partitions(EVENTS.name)

    began = time.monotonic()
    with capture_logs() as logs:
        run(publish, address)
    assert time.monotonic() - began < 3
    assert [log["event"] for log in logs] == ["kafka_unreachable"]


def test_a_server_that_never_answers_is_given_up_on() -> None:
    async def publish(publisher: AsyncPublisher) -> None:
        with pytest.raises(UnavailableError):
            await publisher.send(EVENTS.name, b"x")

    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        run(publish, f"127.0.0.1:{silent.getsockname()[1]}")
        assert time.monotonic() - began < 10


def test_what_waits_is_bounded() -> None:
    async def publish(publisher: AsyncPublisher) -> None:
        first, second = (publisher.send(EVENTS.name, b"x" * 600) for _ in range(2))
        assert isinstance(second.exception(), UnavailableError)
        await asyncio.sleep(0.2)
        assert not first.done()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        run(publish, f"127.0.0.1:{silent.getsockname()[1]}", max_waiting_bytes=1000, delivery_timeout_s=1)


def test_a_message_too_large_fails_alone(topics: str) -> None:
    async def publish(publisher: AsyncPublisher) -> None:
        await connected(publisher)
        large, small = publisher.send(DIRECTORY.name, b"x" * 2_000_000), publisher.send(DIRECTORY.name, b"small")
        with pytest.raises(Exception, match="too large"):
            await large
        assert (await small).offset >= 0
        assert publisher.reachable()

    run(publish, topics, topics=(DIRECTORY.name,))


def test_a_broker_that_goes_and_comes_back_is_used_again(tmp_path: Path) -> None:
    kafka = start_kafka(tmp_path / "kafka")
    make_topics(kafka.bootstrap)

    async def publish(publisher: AsyncPublisher) -> None:
        assert (await publisher.send(EVENTS.name, b"before", partition=0)).offset == 0
        await asyncio.to_thread(kafka.kill)
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            await publisher.send(EVENTS.name, b"lost", partition=0)
        assert time.monotonic() - began < 4
        assert not publisher.reachable()
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            await publisher.send(EVENTS.name, b"in vain", partition=0)
        assert time.monotonic() - began < 0.5
        await asyncio.to_thread(kafka.start)
        await connected(publisher)
        await publisher.send(EVENTS.name, b"after", partition=0)

    try:
        run(publish, kafka.bootstrap, topics=(EVENTS.name,), delivery_timeout_s=2)
        with reading(kafka.bootstrap, EVENTS.name) as reader:
            reader.find(lambda _, value: value == b"after")
            assert [value for _, _, value in reader.read] == [b"before", b"after"]
    finally:
        kafka.stop()
