"""Brings the database to the state this code needs: numbered SQL files, each applied once.

ClickHouse has no lock to hold meanwhile. So that two processes may migrate at once, every statement can be run
twice, and a migration that is recorded twice is recorded once.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import structlog
from clickhouse_driver import Client

from schemas.errors import InputError
from schemas.settings import Settings
from sinks.clickhouse.client import connect

_log = structlog.get_logger()

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations
(
    name String,
    checksum String,
    applied DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY name
"""
# An older migration may come again after a newer one, and its view may then select for a column that is no longer one
# of the table's own. ClickHouse would refuse that, though the view is there and stays as it is.
_SETTINGS = {"allow_materialized_view_with_bad_select": 1}
_STATEMENT_END = re.compile(r";[ \t]*(?:\n|\Z)")


@dataclass(frozen=True)
class Migration:
    """One numbered SQL file."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What tells this text from any other."""
        return hashlib.blake2b(self.sql.encode(), digest_size=16).hexdigest()

    @property
    def statements(self) -> list[str]:
        """The statements, which end with a semicolon at the end of a line."""
        return [part.strip() for part in _STATEMENT_END.split(self.sql) if part.strip()]


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

    Raises:
        UnavailableError: ClickHouse does not answer.
        InputError: the database is newer than the code, or a migration was changed after it was applied.
    """
    database = settings.clickhouse_database
    with connect(settings, database="") as client:
        client.execute(f"CREATE DATABASE IF NOT EXISTS `{database}`")
    with connect(settings) as client:
        client.execute(_LEDGER)
        return [_apply(client, migration) for migration in pending(known_migrations(), _applied(client))]


def _applied(client: Client) -> dict[str, str]:
    return dict(client.execute("SELECT name, checksum FROM schema_migrations FINAL"))


def _apply(client: Client, migration: Migration) -> str:
    for statement in migration.statements:
        client.execute(statement, settings=_SETTINGS)
    client.execute("INSERT INTO schema_migrations (name, checksum) VALUES", [(migration.name, migration.checksum)])
    _log.info("clickhouse_migrated", migration=migration.name)
    return migration.name
