"""A database of a test's own, in the ClickHouse of the suite."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_driver import Client

from schemas.settings import Settings, load_settings
from sinks.clickhouse.client import connect
from tests.support.clickhouse import ClickHouseAddress
from tests.support.migrated import make_migrated


@contextmanager
def spare_database(address: ClickHouseAddress) -> Iterator[Settings]:
    """Give settings with a database that is not there yet, and drop it in the end."""
    settings = load_settings(
        secret="a secret that is long enough",
        clickhouse_host=address.host,
        clickhouse_port=address.port,
        clickhouse_database=f"test_{uuid.uuid4().hex[:12]}",
    )
    try:
        yield settings
    finally:
        with connect(settings, database="") as client:
            client.execute(f"DROP DATABASE IF EXISTS {settings.clickhouse_database}")


@contextmanager
def migrated_database(address: ClickHouseAddress) -> Iterator[Settings]:
    """Give settings with a migrated database of its own, and drop it in the end."""
    with spare_database(address) as settings:
        make_migrated(settings)
        yield settings


@contextmanager
def migrated_store(address: ClickHouseAddress) -> Iterator[Client]:
    """Give a connection to a migrated database that is dropped in the end."""
    with migrated_database(address) as settings, connect(settings) as client:
        yield client
