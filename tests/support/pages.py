"""The pages of the made-up company, served once for a module's tests."""

from collections.abc import Iterator

import pytest

from sinks.clickhouse.client import connect
from tests.sinks.clickhouse_store import migrated_database
from tests.sinks.web_world import Pages, fill, served_pages
from tests.support.clickhouse import ClickHouseAddress


@pytest.fixture(scope="module")
def pages(clickhouse: ClickHouseAddress) -> Iterator[Pages]:
    """Serve the filled store's pages."""
    with migrated_database(clickhouse) as settings:
        with connect(settings) as client:
            fill(client)
        with served_pages(settings) as served:
            yield served
