"""The embedded ClickHouse answers clickhouse-driver as a server does, and keeps what it has acknowledged."""

import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from clickhouse_driver import Client
from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.errors import ServerException, UnknownTypeError

from tests.support.clickhouse import ClickHouseAddress

MOMENT = datetime(2026, 3, 1, 12, 30, 15, 123000, tzinfo=UTC)


def connect(address: ClickHouseAddress, **options: Any) -> Client:
    return Client(address.host, address.port, **options)


@pytest.fixture
def client(clickhouse: ClickHouseAddress) -> Iterator[Client]:
    with connect(clickhouse) as client:
        client.execute("CREATE DATABASE spare")
        client.execute("USE spare")
        yield client
    with connect(clickhouse) as client:
        client.execute("DROP DATABASE spare")


@pytest.mark.parametrize(
    ("column_type", "values"),
    [
        ("String", ["", "plain", "Grüße, 世界 🚀", "with 'quotes' and \\ and \0", "x" * 100_000]),
        ("FixedString(3)", ["abc", "äb"]),
        ("UInt8", [0, 255]),
        ("UInt16", [0, 65535]),
        ("UInt32", [0, 2**32 - 1]),
        ("UInt64", [0, 2**64 - 1]),
        ("Int8", [-128, 127]),
        ("Int16", [-(2**15), 2**15 - 1]),
        ("Int32", [-(2**31), 2**31 - 1]),
        ("Int64", [-(2**63), 2**63 - 1]),
        ("UInt256", [0, 2**255]),
        ("Float64", [0.0, -1.5, 1e300]),
        ("Float32", [0.5, -2.25]),
        ("Bool", [True, False]),
        ("Date", [date(2026, 3, 1), date(1970, 1, 1)]),
        ("DateTime('UTC')", [MOMENT.replace(microsecond=0)]),
        ("DateTime('Europe/Berlin')", [MOMENT.replace(microsecond=0)]),
        ("Nullable(DateTime('Asia/Tokyo'))", [MOMENT.replace(microsecond=0), None]),
        ("Array(DateTime('UTC'))", [[MOMENT.replace(microsecond=0)], []]),
        ("DateTime", [MOMENT.replace(microsecond=0, tzinfo=None)]),
        ("DateTime64(3, 'UTC')", [MOMENT, datetime(1970, 1, 1, tzinfo=UTC)]),
        ("UUID", [UUID(int=0), UUID("01890a5d-ac96-774b-bcce-b302099a8057")]),
        ("LowCardinality(String)", ["a", "b", "a", ""]),
        ("LowCardinality(Nullable(String))", ["a", None, "a"]),
        ("Nullable(String)", [None, "", "x"]),
        ("Nullable(UInt64)", [None, 7]),
        ("Nullable(DateTime64(3, 'UTC'))", [None, MOMENT]),
        ("Enum8('cold' = 1, 'warm, (or so)' = 2, 'it\\'s hot' = 3)", ["cold", "warm, (or so)"]),
        ("Enum16('a' = 1, 'b' = 1000)", ["b", "a"]),
        ("Array(String)", [[], ["a"], ["b", "c"]]),
        ("Array(UInt64)", [[], [1, 2**63]]),
        ("Array(Array(Nullable(UInt8)))", [[], [[]], [[1, None], [2]]]),
        ("Array(LowCardinality(String))", [["a", "b", "a"], ["c"]]),
        ("Map(String, UInt64)", [{}, {"band 1": 12, "band 2": 2**40}]),
        ("Map(LowCardinality(String), Array(String))", [{"a": ["x", "y"]}, {"b": []}]),
        ("Tuple(UInt8, String)", [(1, "one"), (2, "two")]),
        ("Tuple(x UInt8, `the y` Array(String))", [(1, ["one"]), (2, [])]),
        ("SimpleAggregateFunction(max, UInt64)", [1, 2**63]),
        ("SimpleAggregateFunction(groupUniqArrayArray, Array(String))", [["a"], []]),
    ],
)
def test_values_come_back_as_they_were_sent(client: Client, column_type: str, values: list[Any]) -> None:
    client.execute(f"CREATE TABLE t (n UInt64, v {column_type}, after String) ENGINE = MergeTree ORDER BY n")
    rows = [(number, value, f"after {number}") for number, value in enumerate(values)]

    client.execute("INSERT INTO t VALUES", rows)

    assert client.execute("SELECT * FROM t ORDER BY n") == rows


def test_json_travels_as_string(client: Client) -> None:
    client.execute("CREATE TABLE t (body String) ENGINE = MergeTree ORDER BY body")
    client.execute("INSERT INTO t VALUES", [('{"topic": {"name": "pricing", "weight": 3}}',)])

    assert client.execute("SELECT JSONExtractInt(body, 'topic', 'weight') FROM t") == [(3,)]


def test_insert_takes_named_columns_and_fills_in_the_others(client: Client) -> None:
    client.execute(
        "CREATE TABLE t (a UInt8, b String DEFAULT 'b', c UInt8 MATERIALIZED a + 1, d UInt8 ALIAS a + 2,"
        " `odd ``name` UInt8) ENGINE = MergeTree ORDER BY a"
    )
    client.execute("INSERT INTO t (`odd ``name`, a) VALUES", [(9, 1)])
    client.execute("INSERT INTO spare.t (* EXCEPT (b)) FORMAT Native", [(2, 8)])
    client.execute("/* why */ insert into t -- all that can be given\n values", [{"a": 3, "b": "x", "odd `name": 7}])
    client.execute("INSERT INTO t (a) VALUES (4)")
    client.execute("INSERT INTO t (a) SELECT 5")

    assert client.execute("SELECT a, b, c, d, `odd ``name` FROM t ORDER BY a") == [
        (1, "b", 2, 3, 9),
        (2, "b", 3, 4, 8),
        (3, "x", 4, 5, 7),
        (4, "b", 5, 6, 0),
        (5, "b", 6, 7, 0),
    ]


def test_names_and_types_come_with_every_result(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt8, at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY a")
    columns = [("a", "UInt8"), ("at", "DateTime64(3, 'UTC')")]

    assert client.execute("SELECT * FROM t -- none yet", with_column_types=True) == ([], columns)
    client.execute("INSERT INTO t VALUES", [(1, MOMENT)])
    assert client.execute("SELECT * FROM t;", with_column_types=True) == ([(1, MOMENT)], columns)
    assert client.execute("SHOW TABLES", with_column_types=True) == ([("t",)], [("name", "String")])
    assert client.execute("SELECT 1 FORMAT TabSeparated") == [(1,)]


def test_types_that_cannot_be_sent_can_still_be_read(client: Client) -> None:
    client.execute("CREATE TABLE t (body JSON) ENGINE = MergeTree ORDER BY tuple()")
    client.execute("""INSERT INTO t VALUES ('{"topic": "pricing"}')""")

    assert client.execute("SELECT body.topic::String, body::String FROM t") == [("pricing", '{"topic":"pricing"}')]
    with pytest.raises(UnknownTypeError, match="Dynamic"):  # it arrived: it is the driver that can't read it
        client.execute("SELECT body.topic FROM t")


def test_parameters_are_escaped(client: Client) -> None:
    text = "it's \\ 100 % \n {x}"
    rows = client.execute(
        "SELECT %(text)s, %(number)s, %(list)s, %(at)s",
        {"text": text, "number": 7, "list": ["a'", "b"], "at": MOMENT.date()},
    )
    assert rows == [(text, 7, ["a'", "b"], "2026-03-01")]


def test_settings_last_for_one_query(client: Client) -> None:
    read = "SELECT getSetting('max_block_size')"
    client.execute("SET max_block_size = 777")

    assert client.execute(read, settings={"max_block_size": 123, "no_such_setting": 1}) == [(123,)]
    assert client.execute(read) == [(777,)]


def test_an_important_setting_must_be_known(clickhouse: ClickHouseAddress) -> None:
    with connect(clickhouse, settings_is_important=True) as client:
        with pytest.raises(ServerException) as failure:
            client.execute("SELECT 1", settings={"no_such_setting": 1})
        assert failure.value.code == 115
        assert client.execute("SELECT 1") == [(1,)]


def test_external_tables_are_there_for_one_query(client: Client) -> None:
    tables = [
        {
            "name": "wanted",
            "structure": [("id", "UInt64"), ("tags", "Array(String)")],
            "data": [{"id": 2, "tags": ["x"]}],
        },
        {"name": "others", "structure": [("id", "UInt64")], "data": [{"id": 3}]},
    ]
    query = "SELECT id, tags FROM wanted WHERE id NOT IN (SELECT id FROM others)"

    assert client.execute(query, external_tables=tables) == [(2, ["x"])]
    with pytest.raises(ServerException):
        client.execute(query)


@pytest.mark.parametrize(
    ("query", "rows", "code"),
    [
        ("SELECT * FROM no_such_table", None, 60),
        ("SELEC 1", None, 62),
        ("1", None, 62),
        ("SELECT no_such_column FROM system.one", None, 47),
        ("SELECT throwIf(number = 150000, 'late') FROM numbers(200000)", None, 395),
        ("CREATE TABLE spare.t (a UInt8) ENGINE = NoSuchEngine", None, 56),
        ("USE no_such_database", None, 81),
        ("INSERT INTO no_such_table VALUES", [(1,)], 60),
        ("INSERT INTO counted (no_such_column) VALUES", [(1,)], 16),
        ("INSERT INTO counted VALUES", [(number,) for number in range(3000)], 469),
        ("INSERT INTO viewed VALUES", [(1,)], 395),
        ("INSERT INTO stated VALUES", [(1,)], 48),
        ("SELECT {missing:UInt8}", None, 456),
    ],
)
def test_errors_arrive_with_clickhouse_s_code_and_leave_the_connection_usable(
    client: Client, query: str, rows: list[tuple[int]] | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.execute("CREATE TABLE counted (a UInt64, CONSTRAINT small CHECK a < 2999) ENGINE = MergeTree ORDER BY a")
    client.execute("CREATE TABLE stated (a AggregateFunction(uniq, UInt64)) ENGINE = MergeTree ORDER BY tuple()")
    client.execute("CREATE TABLE viewed (a UInt64) ENGINE = MergeTree ORDER BY a")
    client.execute("CREATE MATERIALIZED VIEW v ENGINE = Memory AS SELECT throwIf(a = 1) FROM viewed")
    connection = client.connection.socket
    # The driver itself throws the connection away after any error; here it has to go on with it.
    monkeypatch.setattr(client, "disconnect", lambda: setattr(client.connection, "is_query_executing", False))

    with pytest.raises(ServerException) as failure:
        client.execute(query, rows, settings={"insert_block_size": 1000} if rows else None)

    assert (failure.value.code, "DB::Exception" in str(failure.value)) == (code, True)
    assert client.execute("SELECT 1") == [(1,)]
    assert client.connection.socket is connection


def test_a_hundred_thousand_rows_go_in_and_out(client: Client) -> None:
    client.execute(
        "CREATE TABLE t (id UUID, at DateTime64(3, 'UTC'), account LowCardinality(String), page String,"
        " active_ms UInt64, bands Map(String, UInt64)) ENGINE = MergeTree ORDER BY active_ms"
    )
    rows = [
        (UUID(int=number), MOMENT, f"account {number % 500}", f"/page/{number}", number, {"1": number, "2": 7})
        for number in range(100_000)
    ]
    began = time.monotonic()
    client.execute("INSERT INTO t VALUES", rows)
    seconds = time.monotonic() - began

    assert client.execute("SELECT * FROM t ORDER BY active_ms") == rows
    assert client.last_query.progress.rows == len(rows)
    assert seconds < 20


def test_a_million_rows_stream_out(client: Client) -> None:
    total = sum(number for number, _ in client.execute_iter("SELECT number, toString(number) FROM numbers(1000000)"))
    assert total == 999_999 * 1_000_000 // 2


def test_aggregating_views_replacing_and_ttl_work(client: Client) -> None:
    client.execute(
        "CREATE TABLE reads (id String, active SimpleAggregateFunction(max, UInt64), bands AggregateFunction(maxMap,"
        " Map(String, UInt64)), tags SimpleAggregateFunction(groupUniqArrayArray, Array(String)))"
        " ENGINE = AggregatingMergeTree ORDER BY id"
    )
    client.execute(
        "CREATE TABLE events (id String, active UInt64, bands Map(String, UInt64), tags Array(String),"
        " at DateTime('UTC')) ENGINE = ReplacingMergeTree ORDER BY (id, active) TTL at + INTERVAL 1 DAY"
    )
    client.execute(
        "CREATE MATERIALIZED VIEW events_to_reads TO reads AS SELECT id, max(active) AS active,"
        " maxMapState(bands) AS bands, groupUniqArrayArray(tags) AS tags FROM events GROUP BY id"
    )
    now = datetime.now(UTC).replace(microsecond=0)
    event = ("read", 5, {"a": 1, "b": 9}, ["x"], now)
    old: tuple[Any, ...] = ("old", 1, {}, [], datetime(2020, 1, 1, tzinfo=UTC))
    client.execute("INSERT INTO events VALUES", [event, old])
    client.execute("INSERT INTO events VALUES", [event, ("read", 7, {"a": 3}, ["y"], now)])
    client.execute("OPTIMIZE TABLE events FINAL")

    assert client.execute("SELECT id, active FROM events FINAL ORDER BY active") == [("read", 5), ("read", 7)]
    merged = "SELECT max(active), maxMapMerge(bands), arraySort(groupUniqArrayArray(tags)) FROM reads WHERE id = 'read'"
    assert client.execute(merged) == [(7, {"a": 3, "b": 9}, ["x", "y"])]
    assert client.execute("SELECT active FROM reads FINAL WHERE id = 'read'") == [(7,)]
    client.execute("ALTER TABLE reads DELETE WHERE id = 'read'", settings={"mutations_sync": 1})
    assert client.execute("SELECT id FROM reads FINAL") == [("old",)]


def test_clients_work_side_by_side_each_with_its_own_session(clickhouse: ClickHouseAddress, client: Client) -> None:
    client.execute("CREATE TABLE t (worker UInt8, n UInt64) ENGINE = MergeTree ORDER BY n")

    def work(worker: int) -> list[tuple[int]]:
        with connect(clickhouse, database="spare") as own:
            own.execute(f"CREATE TEMPORARY TABLE mine AS SELECT {worker} AS worker")
            for batch in range(20):
                own.execute("INSERT INTO t VALUES", [(worker, batch * 100 + number) for number in range(100)])
                own.execute("SELECT count(), uniqExact(n) FROM t")
            rows: list[tuple[int]] = own.execute("SELECT count() FROM t WHERE worker = (SELECT worker FROM mine)")
            return rows

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [[(2000,)]] * 8


def test_a_client_that_stops_reading_or_leaves_hinders_nobody(clickhouse: ClickHouseAddress, client: Client) -> None:
    client.execute("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
    reading = connect(clickhouse).execute_iter("SELECT number FROM numbers(50000000)")
    next(reading)
    leaver = connect(clickhouse, database="spare")
    leaver.connection.connect()
    leaver.connection.send_query("INSERT INTO t VALUES")
    leaver.connection.send_external_tables(None)
    leaver.receive_sample_block()
    leaver.connection.socket.sendall(
        b"\x02\x00\x01\x00\x02\xff\xff\xff\xff\x00\x01\x05\x01n\x06UInt64\x01\x02"
    )  # half a block

    client.execute("INSERT INTO t VALUES", [(1,)])
    leaver.disconnect()
    client.execute("INSERT INTO t VALUES", [(2,)])

    assert client.execute("SELECT n FROM t ORDER BY n") == [(1,), (2,)]


def test_a_query_can_be_cancelled(clickhouse: ClickHouseAddress) -> None:
    with connect(clickhouse) as client:
        client.execute_iter("SELECT number FROM numbers(1000000000)")
        client.cancel()
        client.connection.is_query_executing = False
        assert client.execute("SELECT 1") == [(1,)]


def test_an_unknown_database_is_refused_at_the_door(clickhouse: ClickHouseAddress) -> None:
    with pytest.raises(ServerException) as failure:
        connect(clickhouse, database="no_such_database").execute("SELECT 1")
    assert failure.value.code == 81


def test_compression_is_refused_with_what_to_do(clickhouse: ClickHouseAddress) -> None:
    client = connect(clickhouse)
    client.connection.connect()
    client.connection.compression = 1
    with pytest.raises(ServerException, match="compression=False"):
        client.execute("SELECT 1")


def test_garbage_hurts_nobody_else(clickhouse: ClickHouseAddress, client: Client) -> None:
    client.execute("CREATE TABLE t (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    chance = random.Random(7)
    greeting = _greeting(clickhouse)
    openings = [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff" * 64,
        greeting,
        greeting + b"\x01",
        greeting + b"\x02\x00\x01\x00",
    ]
    for number in range(60):
        with socket.create_connection((clickhouse.host, clickhouse.port), timeout=5) as connection:
            with suppress(OSError):  # refused and closed before all of it was sent
                connection.sendall(openings[number % len(openings)] + chance.randbytes(chance.randrange(2000)))
            if number % 2:
                connection.shutdown(socket.SHUT_WR)
                with suppress(OSError):
                    connection.recv(100)

    client.execute("INSERT INTO t VALUES", [(1, "x")])
    assert client.execute("SELECT * FROM t") == [(1, "x")]


def _greeting(clickhouse: ClickHouseAddress) -> bytes:
    """What clickhouse-driver says first."""
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        connection = connect(clickhouse).connection
        connection.fout = BufferedSocketWriter(ours, 4096)
        connection.send_hello()
        return theirs.recv(4096)
