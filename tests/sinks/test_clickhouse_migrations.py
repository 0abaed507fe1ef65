"""The database comes to the state the code needs, whoever brings it there and however often."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_driver import Client

from schemas.errors import InputError, UnavailableError
from schemas.settings import Settings
from sinks.clickhouse.client import connect, wait_for_clickhouse
from sinks.clickhouse.migrate import Migration, _apply, _shown, known_migrations, migrate, pending
from sinks.clickhouse.rows import TABLES
from tests.sinks.clickhouse_store import spare_database
from tests.support.clickhouse import ClickHouseAddress
from tests.support.migrated import make_migrated
from tests.support.ports import free_port

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def settings(clickhouse: ClickHouseAddress) -> Iterator[Settings]:
    with spare_database(clickhouse) as settings:
        yield settings


def columns(client: Client) -> list[tuple[str, ...]]:
    query = "SELECT table, name, type, default_expression FROM system.columns WHERE database = currentDatabase()"
    return sorted(client.execute(query))


def tables(client: Client) -> list[tuple[str, str]]:
    query = """
        SELECT name, replaceAll(create_table_query, currentDatabase(), '') FROM system.tables
        WHERE database = currentDatabase() ORDER BY name
    """
    return list(client.execute(query))


def names() -> list[str]:
    return [migration.name for migration in known_migrations()]


def test_a_missing_database_is_made_and_a_second_run_applies_nothing(settings: Settings) -> None:
    assert migrate(settings) == names()
    assert migrate(settings) == []


def test_the_stores_of_other_tests_are_as_the_migrations_would_make_them(
    settings: Settings, clickhouse: ClickHouseAddress
) -> None:
    migrate(settings)
    with spare_database(clickhouse) as other:
        make_migrated(other)
        assert migrate(other) == []
        with connect(settings) as migrated, connect(other) as made:
            assert tables(made) == tables(migrated)


def test_every_table_of_the_writer_has_exactly_its_columns(settings: Settings) -> None:
    make_migrated(settings)
    with connect(settings) as client:
        for table in TABLES.values():
            columns = [row[0] for row in client.execute(f"DESCRIBE TABLE {table.name}") if row[2] != "ALIAS"]
            assert sorted(table.columns) == sorted(columns)


def test_processes_that_migrate_at_once_do_no_harm(settings: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(settings), range(4)))
    assert names() in applied
    with connect(settings) as client:
        recorded = client.execute("SELECT name FROM schema_migrations FINAL ORDER BY name")
    assert [name for (name,) in recorded] == names()


def test_a_migration_that_died_half_way_is_applied_again(settings: Settings) -> None:
    make_migrated(settings)
    with connect(settings) as client:
        client.execute("INSERT INTO events (visitor_id, event_id) VALUES", [("v1", "e1")])
        client.execute("TRUNCATE TABLE schema_migrations")
    assert migrate(settings) == names()
    with connect(settings) as client:
        assert client.execute("SELECT count() FROM events") == [(1,)]


def test_reads_of_machines_from_before_they_were_told_apart_are_taken_out(settings: Settings) -> None:
    before = [migration for migration in known_migrations() if migration.name < "0006"]
    make_migrated(settings)
    with connect(settings) as client:
        for migration in before:  # the view is again what it was
            _apply(client, migration)
        rows = [
            ("bot", "e1", "pv1", NOW, 10, True),
            ("person", "e2", "pv2", NOW, 20, False),
            ("both", "e3", "pv3", NOW, 40, True),
            ("both", "e4", "pv3", NOW, 30, False),
        ]
        client.execute(
            "INSERT INTO events (visitor_id, event_id, page_view_id, happened, active_ms, automated) VALUES", rows
        )
        query = "SELECT visitor_id, active_ms FROM reads FINAL ORDER BY visitor_id"
        assert client.execute(query) == [("bot", 10), ("both", 40), ("person", 20)]
        client.execute("TRUNCATE TABLE schema_migrations")
    migrate(settings)
    with connect(settings) as client:
        assert client.execute(query) == [("both", 30), ("person", 20)]


def test_a_database_newer_than_the_code_is_refused(settings: Settings) -> None:
    make_migrated(settings)
    with connect(settings) as client:
        client.execute("INSERT INTO schema_migrations (name, checksum) VALUES", [("9999_later", "x")])
    with pytest.raises(InputError, match="9999_later"):
        migrate(settings)


def test_a_changed_migration_is_named() -> None:
    old, new = Migration("0001_tables", "SELECT 1;"), Migration("0001_tables", "SELECT 2;")
    with pytest.raises(InputError, match="0001_tables was changed"):
        pending([new], {old.name: old.checksum})


def test_only_what_is_not_applied_is_pending() -> None:
    first, second = Migration("0001_a", "SELECT 1;"), Migration("0002_b", "SELECT 2;")
    assert pending([first, second], {first.name: first.checksum}) == [second]


def test_every_statement_can_be_run_twice_and_every_migration_after_the_last(settings: Settings) -> None:
    migrate(settings)
    with connect(settings) as client:
        before = columns(client)
        for migration in known_migrations():
            doubled = ";\n".join(sql for each in migration.statements() for sql in (_shown(each),) * 2)
            _apply(client, Migration(migration.name, doubled))
        assert columns(client) == before


def test_reads_that_were_stored_before_page_pings_keep_their_active_time(settings: Settings) -> None:
    with connect(settings, database="") as client:
        client.execute(f"CREATE DATABASE {settings.clickhouse_database}")
    older = [one for one in known_migrations() if one.name < "0005"]
    with connect(settings) as client:
        for migration in older:
            for statement in migration.statements():
                client.execute(statement.sql)
        row = {"visitor_id": "v", "site": "s", "event_id": "e", "page_view_id": "p", "url": "https://e.example/"}
        client.execute(
            "INSERT INTO events (visitor_id, site, event_id, page_view_id, url, active_ms, type) VALUES",
            [{**row, "active_ms": 4200, "type": "page_progress"}],
        )
    migrate(settings)
    with connect(settings) as client:
        assert client.execute("SELECT active_ms, url FROM reads FINAL") == [(4200, "https://e.example/")]


def test_a_clickhouse_that_is_away_is_said_in_one_line(settings: Settings) -> None:
    away = settings.model_copy(update={"clickhouse_port": free_port()})
    with pytest.raises(UnavailableError, match=r"^ClickHouse does not answer at 127\.0\.0\.1:\d+: start it.*$"):
        wait_for_clickhouse(away, 0.1, threading.Event())


def test_waiting_for_clickhouse_ends_when_stopped(settings: Settings) -> None:
    away = settings.model_copy(update={"clickhouse_port": free_port()})
    stop = threading.Event()
    waiting = ThreadPoolExecutor(1).submit(wait_for_clickhouse, away, 60, stop)
    stop.set()
    assert waiting.result(timeout=5) is None


def test_a_database_that_is_not_there_is_named(settings: Settings) -> None:
    with pytest.raises(InputError, match=settings.clickhouse_database):
        connect(settings)


def test_what_was_sorted_by_random_ids_is_found_by_account_and_rep_afterwards(settings: Settings) -> None:
    make_migrated(settings)
    with connect(settings) as client:
        for name in ("rep_briefs", "rep_outcomes", "brief_outcomes", "account_standings"):
            source = {"rep_briefs": "briefs", "account_standings": "interest"}.get(name, "outcomes")
            client.execute(f"DROP TABLE {name}_of_{source}")
            client.execute(f"DROP TABLE {name}")
        for table, key in (("briefs", "brief_id"), ("outcomes", "outcome_id")):  # as the first migration made them
            client.execute(f"CREATE TABLE before AS {table} ENGINE = ReplacingMergeTree ORDER BY {key}")
            client.execute(f"EXCHANGE TABLES before AND {table}")
            client.execute("DROP TABLE before")
        client.execute("CREATE TABLE before AS interest ENGINE = ReplacingMergeTree(told) ORDER BY (account_id, day)")
        client.execute("EXCHANGE TABLES before AND interest")
        client.execute("DROP TABLE before")
        for reads in (1, 2):  # told twice: the last stands
            client.execute(
                "INSERT INTO briefs (brief_id, account_id, rep_id, decided, reads) VALUES",
                [("b", "a", "r", NOW, reads)],
            )
        outcome = ("o", "d", "r", ["b"], "sent", NOW)
        client.execute(
            "INSERT INTO outcomes (outcome_id, delivery_id, rep_id, brief_ids, kind, at) VALUES", [outcome, outcome]
        )
        days = [("a", NOW.date() - timedelta(days=day), NOW, 10.0 - day) for day in range(3)]
        client.execute("INSERT INTO interest (account_id, day, told, score) VALUES", days)
        client.execute("ALTER TABLE schema_migrations DELETE WHERE name LIKE '0034%'", settings={"mutations_sync": 2})
    assert [name[:4] for name in migrate(settings)] == ["0034"]
    with connect(settings) as client:
        assert client.execute("SELECT brief_id, reads FROM briefs FINAL") == [("b", 2)]
        assert client.execute("SELECT rep_id, brief_id, reads FROM rep_briefs FINAL") == [("r", "b", 2)]
        assert client.execute("SELECT brief_id, kind, outcome_id FROM brief_outcomes FINAL") == [("b", "sent", "o")]
        assert client.execute("SELECT rep_id, brief_ids, delivery_id FROM rep_outcomes FINAL") == [("r", ["b"], "d")]
        assert client.execute("SELECT account_id, score FROM account_standings FINAL") == [("a", 10.0)]
        assert client.execute("SELECT count() FROM interest FINAL") == [(3,)]
        keys = "SELECT name, sorting_key FROM system.tables WHERE database = currentDatabase() AND name IN %(names)s"
        assert dict(client.execute(keys, {"names": ("briefs", "outcomes")})) == {
            "briefs": "account_id, brief_id", "outcomes": "kind, rep_id, outcome_id",
        }  # fmt: skip
        assert not client.execute(
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE '%\\_by\\_%'"
        )


def test_what_was_read_before_the_rollup_had_it_view_by_view_is_in_it_once(settings: Settings) -> None:
    make_migrated(settings)
    minutes = [NOW + timedelta(minutes=n) for n in range(4)]
    insert = (
        "INSERT INTO events (event_id, type, happened, active_ms, beat_ms, depth_pct, visitor_id, site, page_view_id, "
        "url) VALUES"
    )
    rows = [
        (*event, "v", "s", "p", "https://e.example/")
        for event in (
            ("e1", "page_view", minutes[0], 0, 0, 0),
            ("e2", "page_progress", minutes[3], 4000, 0, 60),
            ("e3", "page_ping", minutes[1], 0, 10_000, 0),
            ("e4", "page_ping", minutes[2], 0, 10_000, 20),
        )
    ]
    seen = (
        "SELECT url, mapValues(minMap(starts)), mapValues(maxMap(depths)), "
        "arraySum(arrayMap(ping -> ping.3, groupUniqArrayArray(pings))) FROM content_days GROUP BY url"
    )
    told = "SELECT url, active_ms, depth_pct FROM reads FINAL"
    with connect(settings) as client:
        client.execute(insert, rows)
        expected, expected_reads = client.execute(seen), client.execute(told)
        client.execute("TRUNCATE TABLE content_days")
        client.execute("CREATE TABLE before AS reads ENGINE = AggregatingMergeTree "
                       "ORDER BY (visitor_id, site, page_view_id) SETTINGS index_granularity = 256")  # fmt: skip
        client.execute("INSERT INTO before SELECT * FROM reads")
        client.execute("EXCHANGE TABLES before AND reads")
        client.execute("DROP TABLE before")
        client.execute("ALTER TABLE schema_migrations DELETE WHERE name LIKE '0035%'", settings={"mutations_sync": 2})
    assert [name[:4] for name in migrate(settings)] == ["0035"]
    with connect(settings) as client:
        minute = int(NOW.timestamp() // 60)
        assert client.execute(seen) == expected == [("https://e.example/", [minute], [60], 20_000)]
        assert client.execute(told) == expected_reads == [("https://e.example/", 20_000, 60)]
        client.execute(insert, rows)
        assert client.execute(seen) == expected
        (engine,) = client.execute(
            "SELECT engine_full FROM system.tables WHERE name = 'reads' AND database = currentDatabase()"
        )[0]
        assert "index_granularity = 64" in engine
