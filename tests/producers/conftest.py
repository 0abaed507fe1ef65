"""One collector per broker, shared by the tests that leave it running."""

from collections.abc import Iterator

import pytest

from schemas.topics import DEAD_LETTERS, EVENTS
from tests.producers.collector_process import RunningCollector, collector
from tests.producers.kafka_topics import TopicReader, make_topics, reading
from tests.producers.waiting import wait_ready


@pytest.fixture(scope="session")
def topics(broker: str) -> str:
    make_topics(broker)
    return broker


@pytest.fixture(scope="session")
def running_collector(topics: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    with collector(topics, tmp_path_factory.mktemp("collector") / "output.log") as started:
        wait_ready(started.url)
        yield started


@pytest.fixture
def events(topics: str) -> Iterator[TopicReader]:
    with reading(topics, EVENTS.name) as reader:
        yield reader


@pytest.fixture(scope="session")
def dead_letters(topics: str) -> Iterator[TopicReader]:
    with reading(topics, DEAD_LETTERS.name) as reader:
        yield reader
