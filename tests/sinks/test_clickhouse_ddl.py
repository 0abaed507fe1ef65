"""What the statements say on a cluster, and what the settings make of the tables' last days."""

import pytest

from schemas.errors import InputError
from sinks.clickhouse.ddl import Statement, statements
from sinks.clickhouse.migrate import known_migrations
from sinks.clickhouse.retention import changes

TABLE = """
-- A comment; with a semicolon
CREATE TABLE IF NOT EXISTS t
(
    a String -- no end; here
)
ENGINE = ReplacingMergeTree(seen)
ORDER BY a;

-- if: SELECT 1
EXCHANGE TABLES t AND u;

INSERT INTO t SELECT * FROM u;
"""


def test_a_file_is_split_at_semicolons_that_end_a_line_and_keeps_its_guards() -> None:
    first, second, third = statements(TABLE)
    assert first.sql.startswith("CREATE TABLE")
    assert second == Statement("EXCHANGE TABLES t AND u", "SELECT 1")
    assert third == Statement("INSERT INTO t SELECT * FROM u")


def test_on_a_cluster_tables_are_replicated_and_rows_are_moved_once() -> None:
    first, second, third = (one.sql for one in statements(TABLE, "main"))
    assert "CREATE TABLE IF NOT EXISTS t ON CLUSTER `main`" in first
    assert (
        "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', seen)\nORDER" in first
    )
    assert second == "EXCHANGE TABLES t AND u ON CLUSTER `main`"
    assert third == "INSERT INTO t SELECT * FROM u"


def test_on_a_cluster_no_migration_leaves_a_table_to_one_server() -> None:
    for migration in known_migrations():
        for one, plain in zip(migration.statements("main"), migration.statements(), strict=True):
            if plain.sql.startswith("INSERT"):
                assert one == plain
            else:
                assert "ON CLUSTER `main`" in one.sql, one.sql
            assert one.sql.count("ENGINE = ") == one.sql.count("ENGINE = Replicated"), one.sql
            assert one.guard == plain.guard


def test_days_to_keep_are_put_on_a_table_once_and_taken_off_again() -> None:
    plain = "ReplacingMergeTree ORDER BY a"
    (put,) = changes({"events": 90}, {"events": plain, "reads": plain})
    assert put == (
        "ALTER TABLE events MODIFY TTL toDateTime(received) + toIntervalDay(90) "
        "SETTINGS materialize_ttl_after_modify = 0"
    )
    kept = f"{plain} TTL toDateTime(received) + toIntervalDay(90) SETTINGS index_granularity = 2048"
    assert changes({"events": 90}, {"events": kept}) == []
    assert len(changes({"events": 91}, {"events": kept})) == 1
    assert changes({}, {"events": kept}, "main") == ["ALTER TABLE events ON CLUSTER `main` REMOVE TTL"]


@pytest.mark.parametrize("table", ["delivery_ledger", "directory", "no_such"])
def test_a_table_that_loses_nothing_by_age_is_refused_by_name(table: str) -> None:
    with pytest.raises(InputError, match=table):
        changes({table: 1}, {})
