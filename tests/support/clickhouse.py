"""Fixture of the embedded ClickHouse."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from readbrief.embedded import clickhouse as embedded
from readbrief.embedded.lifetime import HOST
from tests.support.ports import free_port
from tests.support.processes import Running, start

_START_SECONDS = 30.0


@dataclass(frozen=True)
class ClickHouseAddress:
    """Where a ClickHouse listens."""

    host: str
    port: int


def start_clickhouse(port: int, data: Path, output: Path) -> Running:
    """Start an embedded ClickHouse and wait until it answers. Raises ProcessFailedError if it does not."""
    started = start(embedded.command(port, data), output)
    try:
        started.wait_until(lambda: embedded.wait_ready(HOST, port, 0), _START_SECONDS)
    except BaseException:
        started.kill()
        raise
    return started


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseAddress]:
    """Start an embedded ClickHouse on a directory of its own; gives host and port."""
    directory = tmp_path_factory.mktemp("clickhouse")
    port = free_port()
    started = start_clickhouse(port, directory / "data", directory / "output.log")
    try:
        yield ClickHouseAddress(HOST, port)
    finally:
        started.stop()
