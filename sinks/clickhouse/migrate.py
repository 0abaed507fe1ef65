"""Brings the database to the state this code needs: numbered SQL files, each applied once, by one process at a time.

Every statement can be run twice all the same: a process may die half-way, and its claim to migrate ends by itself.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import structlog
from clickhouse_driver import Client

from schemas.errors import InputError
from schemas.settings import Settings
from sinks.clickhouse.client import connect
from sinks.clickhouse.ddl import Statement, on_cluster, statements
from sinks.clickhouse.migration_lock import LEASE_S, MigrationLock
from sinks.clickhouse.retention import changes, engines_of

_log = structlog.get_logger()

LOCK_TIMEOUT_S = 120

_LEDGER = """CREATE TABLE IF NOT EXISTS schema_migrations
(
    name String,
    checksum String,
    applied DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY name"""
# An older migration may come again after a newer one, and its view may then select for a column that is no longer one
# of the table's own. ClickHouse would refuse that, though the view is there and stays as it is.
# One INSERT may bring events of many months.
_SETTINGS = {"allow_materialized_view_with_bad_select": 1, "max_partitions_per_insert_block": 0}


@dataclass(frozen=True)
class Migration:
    """One numbered SQL file."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What tells this text from any other."""
        return hashlib.blake2b(self.sql.encode(), digest_size=16).hexdigest()

    def statements(self, cluster: str = "") -> list[Statement]:
        """Return the statements, for a cluster if one is named."""
        return statements(self.sql, cluster)


def known_migrations() -> list[Migration]:
    """Return the migrations of this code, in order."""
    found = [file for file in files("sinks.clickhouse.migrations").iterdir() if file.name.endswith(".sql")]
    return [
        Migration(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
        for file in sorted(found, key=lambda file: file.name)
    ]


def pending(known: list[Migration], applied: Mapping[str, str]) -> list[Migration]:
    """Return the migrations that are not among the applied ones, which come as checksums by name.

    Raises:
        InputError: the database is newer than the code, or a migration was changed after it was applied.
    """
    unknown = sorted(applied.keys() - {migration.name for migration in known})
    if unknown:
        raise InputError(
            f"the database has migrations that this version of readbrief does not know ({', '.join(unknown)}): "
            "install the version that made them, or a newer one"
        )
    for migration in known:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise InputError(
                f"migration {migration.name} was changed after it was applied: restore it, and put the change "
                "into a new migration"
            )
    return [migration for migration in known if migration.name not in applied]


def migrate(settings: Settings) -> list[str]:
    """Create the database if it is missing, apply what is pending, and return the names of what was applied.

    Also puts on each table how long it is to keep its rows. Another process that migrates meanwhile is waited for.

    Raises:
        UnavailableError: ClickHouse does not answer, or another process holds the lock for too long.
        InputError: the database is newer than the code, or a migration was changed after it was applied.
    """
    cluster = settings.clickhouse_cluster
    with connect(settings, database="") as client:
        client.execute(_for_cluster(f"CREATE DATABASE IF NOT EXISTS `{settings.clickhouse_database}`", cluster))
    # A table that is made anew says nothing until it is; longer than the claim lasts nobody waits.
    with connect(settings, answer_timeout_s=LEASE_S) as client:
        client.execute(_for_cluster(_LEDGER, cluster))
        if not _outstanding(client, settings):
            return []
        lock = MigrationLock(client, cluster)
        with lock.held(LOCK_TIMEOUT_S):
            applied = [
                _apply(client, migration, lock, cluster) for migration in pending(known_migrations(), _applied(client))
            ]
            for statement in changes(settings.clickhouse_keep_days, engines_of(client), cluster):
                client.execute(statement)
                _log.info("clickhouse_retention_changed", statement=statement)
            return applied


def planned(settings: Settings) -> list[str]:
    """Return the statements that `migrate` would run now, and run none; guards are shown as comments.

    Raises:
        UnavailableError: ClickHouse does not answer.
        InputError: the database is newer than the code, or a migration was changed after it was applied.
    """
    cluster = settings.clickhouse_cluster
    with connect(settings, database="") as client:
        there = client.execute(
            "SELECT count() FROM system.tables WHERE database = %(database)s AND name = 'schema_migrations'",
            {"database": settings.clickhouse_database},
        )[0][0]
    if not there:
        create = _for_cluster(f"CREATE DATABASE IF NOT EXISTS `{settings.clickhouse_database}`", cluster)
        return [create, *(_shown(one) for each in known_migrations() for one in each.statements(cluster))]
    with connect(settings) as client:
        todo = pending(known_migrations(), _applied(client))
        kept = changes(settings.clickhouse_keep_days, engines_of(client), cluster)
    return [*(_shown(one) for each in todo for one in each.statements(cluster)), *kept]


def _outstanding(client: Client, settings: Settings) -> bool:
    """Tell whether there is anything to do, so that who starts when there is not needs no lock."""
    kept = changes(settings.clickhouse_keep_days, engines_of(client))
    return bool(pending(known_migrations(), _applied(client)) or kept)


def _shown(statement: Statement) -> str:
    return f"-- if: {statement.guard}\n{statement.sql}" if statement.guard else statement.sql


def _for_cluster(sql: str, cluster: str) -> str:
    return on_cluster(sql, cluster) if cluster else sql


def _applied(client: Client) -> dict[str, str]:
    return dict(client.execute("SELECT name, checksum FROM schema_migrations FINAL"))


def _apply(client: Client, migration: Migration, lock: MigrationLock | None = None, cluster: str = "") -> str:
    for statement in migration.statements(cluster):
        if lock:
            lock.renew()
        if statement.guard is None or _holds(client, statement.guard):
            client.execute(statement.sql, settings=_SETTINGS)
    client.execute("INSERT INTO schema_migrations (name, checksum) VALUES", [(migration.name, migration.checksum)])
    _log.info("clickhouse_migrated", migration=migration.name)
    return migration.name


def _holds(client: Client, query: str) -> bool:
    found = client.execute(query)
    return bool(found and found[0][0])
