"""Fixtures of brokers: the embedded one, real Kafka, and both in turn."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from readbrief.embedded import broker as embedded
from tests.support.kafka_install import KafkaUnavailableError, install, is_available
from tests.support.kafka_server import KafkaServer
from tests.support.ports import free_port
from tests.support.processes import running

_GIVEN = "KAFKA_BOOTSTRAP_SERVERS"
_ONLY_EMBEDDED = (
    "no Apache Kafka here (java and mvn, or KAFKA_BOOTSTRAP_SERVERS): ONLY THE EMBEDDED BROKER IS TESTED, "
    "which promises less"
)


def kafka_is_expected() -> bool:
    """Tell whether tests on real Kafka can run, or must: in CI a missing Kafka is a failure."""
    return bool(os.environ.get(_GIVEN)) or is_available() or os.environ.get("CI") == "true"


def pytest_report_header() -> str:
    """Say at the top of every run what the tests run on."""
    if os.environ.get(_GIVEN):
        return f"brokers: embedded, and Apache Kafka at {os.environ[_GIVEN]}"
    if is_available():
        return "brokers: embedded, and an Apache Kafka of our own"
    return f"brokers: {_ONLY_EMBEDDED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it again where it is read."""
    if not kafka_is_expected():
        terminalreporter.section("Apache Kafka is missing", red=True, bold=True)
        terminalreporter.line(_ONLY_EMBEDDED)


@pytest.fixture(scope="session")
def embedded_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the embedded broker; gives `host:port`."""
    port = free_port()
    bootstrap = f"127.0.0.1:{port}"
    output = tmp_path_factory.mktemp("embedded-broker") / "output.log"
    with running(embedded.command(port), output, ready=lambda: embedded.wait_ready(bootstrap, 0)):
        yield bootstrap


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Take or start real Kafka; gives `host:port`."""
    given = os.environ.get(_GIVEN)
    if given:
        yield given.split(",")[0]
        return
    server = start_kafka(tmp_path_factory.mktemp("kafka"))
    try:
        yield server.bootstrap
    finally:
        server.stop()


def start_kafka(directory: Path) -> KafkaServer:
    """Start a Kafka of the test's own, which it may stop and kill; skips the test where there is none, fails in CI."""
    try:
        server = KafkaServer(directory)
    except KafkaUnavailableError as error:
        if os.environ.get("CI") == "true" or is_available():
            pytest.fail(f"Apache Kafka is missing: {error}")
        pytest.skip(_ONLY_EMBEDDED)
    server.start()
    return server


@pytest.fixture(scope="session", params=["embedded", "kafka"])
def broker(request: pytest.FixtureRequest) -> str:
    """Run the test on the embedded broker and on real Kafka; gives `host:port`."""
    return str(request.getfixturevalue(f"{request.param}_broker"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Kafka before the first test, so that no test's time limit covers a download."""
    wanted = any({"kafka_broker", "broker"} & set(getattr(item, "fixturenames", ())) for item in session.items)
    if not wanted or os.environ.get(_GIVEN) or not is_available() or session.config.option.collectonly:
        return
    try:
        install()
    except KafkaUnavailableError as error:
        print(error, file=sys.__stderr__)
