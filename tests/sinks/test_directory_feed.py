"""The directory in memory is what its topic says, from the beginning on."""

import time
from collections.abc import Callable

import pytest

from schemas.directory import Account
from schemas.errors import UnavailableError
from sinks.directory_feed import DirectoryFeed
from tests.sinks.store_samples import ACCOUNT, CONTACT, CONTENT, ENTITIES, REP
from tests.sinks.topics_on_broker import make_topics, produce, spare_name
from tests.support.ports import free_port


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def many(number: int, name: str) -> list[tuple[int, bytes | None, bytes | None]]:
    accounts = [Account(account_id=f"many-{n}", name=name, rep_id="r1") for n in range(number)]
    return [(0, account.entity_id.encode(), account.to_bytes()) for account in accounts]


@pytest.fixture
def topic(broker: str) -> str:
    name = spare_name("directory")
    make_topics(broker, {name: 3})
    return name


def test_an_empty_topic_is_current_at_once(broker: str, topic: str) -> None:
    with DirectoryFeed(broker, topic) as feed:
        feed.wait_current(20)
        assert feed.directory.size() == 0


def test_it_waits_for_a_topic_that_is_not_there_yet(broker: str) -> None:
    topic = spare_name("directory")
    with DirectoryFeed(broker, topic) as feed:
        with pytest.raises(UnavailableError):
            feed.wait_current(1)
        make_topics(broker, {topic: 1})
        produce(broker, topic, [(0, b"rep:r1", REP.to_bytes())])
        feed.wait_current(20)
        wait_until(lambda: feed.directory.reps.get("r1") == REP)


def test_it_holds_everything_when_current_and_then_follows(broker: str, topic: str) -> None:
    key = CONTACT.entity_id.encode()
    messages = [(n % 3, one.entity_id.encode(), one.to_bytes()) for n, one in enumerate(ENTITIES)]
    # So many that they stand in several batches: there some brokers tell a wrong end of the topic.
    produce(broker, topic, [*many(5000, "old"), *many(5000, "new"), (2, b"account:odd", b"{}"), *messages])
    with DirectoryFeed(broker, topic) as feed:
        feed.wait_current(30)
        directory = feed.directory
        assert [directory.accounts[f"many-{n}"].name for n in range(5000)] == ["new"] * 5000
        assert directory.accounts["a1"] == ACCOUNT
        assert directory.contacts["c1"] == CONTACT
        assert directory.reps["r1"] == REP
        assert directory.contents[CONTENT.url] == CONTENT
        renamed = CONTACT.model_copy(update={"name": "Ada L."})
        produce(broker, topic, [(1, key, renamed.to_bytes())])
        wait_until(lambda: directory.contacts["c1"] == renamed)
        produce(broker, topic, [(1, key, None)])
        wait_until(lambda: "c1" not in directory.contacts)


def test_a_broker_that_is_away_is_said_in_one_line() -> None:
    with (
        DirectoryFeed(f"127.0.0.1:{free_port()}") as feed,
        pytest.raises(UnavailableError, match=r"^the directory can't be read from Kafka at .*$"),
    ):
        feed.wait_current(0.2)
