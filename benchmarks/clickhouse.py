"""The store: how fast the sink is beside a bare insert, what the pages' queries read, and how much an event takes.

Ten times as many events are ten times as long a time at the same traffic; the pages ask for the last 30 days in both
cases. READBRIEF_BENCH_EVENTS sets the smaller number (2,000,000), READBRIEF_BENCH_GROWTH by how much the larger one is
more (10). All figures but the bytes are ratios of one run.
"""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from clickhouse_driver import Client

from benchmarks.clickhouse_events import DAYS, END, statements
from benchmarks.reports import report
from schemas.envelope import Bundle, Envelope
from schemas.settings import Settings
from sinks.clickhouse import content_queries, page_queries, queries
from sinks.clickhouse.client import connect
from sinks.clickhouse.content_queries import Audience, Scope
from sinks.clickhouse.event_rows import EVENTS, rows
from sinks.clickhouse.inserting import INSERT_SETTINGS, ROWS_PER_INSERT
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.writer import Writer
from sinks.consumer import Record
from tests.support.clickhouse import start_clickhouse
from tests.support.ports import free_port

FEW = int(os.environ.get("READBRIEF_BENCH_EVENTS", "2000000"))
GROWTH = int(os.environ.get("READBRIEF_BENCH_GROWTH", "10"))
SINK_EVENTS, BUNDLE, ROUNDS = 200_000, 200, 2
BATCH = 100
"""So many bundles are handled at once: as many rows as the sink takes at most."""
REPEATS = 7

_SECRET = "a secret for benchmarks"  # noqa: S105 - it guards nothing
_URL = "https://www.example.com/guides/page-17"
_FILL_SETTINGS = {"max_partitions_per_insert_block": 0, "optimize_on_insert": 0, "max_insert_threads": 2}
_ROLLUPS = ("reads", "content_days", "page_reads", "page_clicks")
Query = Callable[[Client], object]


def run() -> bool:
    """Measure everything; returns whether every target was met."""
    with tempfile.TemporaryDirectory(prefix="readbrief-bench-") as made:
        directory = Path(made)
        port = free_port()
        server = start_clickhouse(port, directory / "clickhouse", directory / "clickhouse.log")
        try:
            settings = Settings(secret=_SECRET, clickhouse_port=port, clickhouse_database="bench")
            met = [_sink(settings)]
            migrate(settings)
            with connect(settings) as client:
                met += _growth(client)
            return all(met)
        finally:
            server.stop()


def _sink(settings: Settings) -> bool:
    """Compare the sink, from a bundle's bytes to the insert's answer, with the insert of rows made before."""
    records = _bundles()
    made = [row for record in records for row in rows(record)]
    blocks = [
        list(zip(*made[first : first + ROWS_PER_INSERT], strict=True)) for first in range(0, len(made), ROWS_PER_INSERT)
    ]
    del made
    best = {"sink": 0.0, "bare": 0.0}
    for number in range(
        ROUNDS
    ):  # in turns, each into tables of its own: whatever else the machine does hits both alike
        for name in ("sink", "bare"):
            own = settings.model_copy(update={"clickhouse_database": f"{name}_{number}"})
            migrate(own)
            with connect(own) as client:
                began = time.perf_counter()
                if name == "sink":
                    writer = Writer(client, _nothing_is_set_aside, dead_letter_limit=1)
                    for first in range(0, len(records), BATCH):
                        writer.write(records[first : first + BATCH], 0)
                else:
                    for block in blocks:
                        client.execute(EVENTS.insert, block, columnar=True, settings=INSERT_SETTINGS)
                best[name] = max(best[name], SINK_EVENTS / (time.perf_counter() - began))
    detail = f"{best['sink']:.0f} of {best['bare']:.0f} rows/s"
    return _line("sink, of a bare columnar insert of the same rows", best["sink"] / best["bare"], ">=", 0.60, detail)


def _bundles() -> list[Record]:
    """Return bundles of the snippet's own kind of report, each of many visitors."""
    events = report()["events"]
    records = []
    for first in range(0, SINK_EVENTS, BUNDLE):
        envelopes = []
        for number in range(first, first + BUNDLE):
            view, nth = divmod(number, len(events))
            event = events[nth] | {"event_id": f"e-{number}", "page_view_id": f"pv-{view}"}
            at_ms = event["occurred_ms"] + number
            said = {"site": "www", "visitor_id": f"v-{view}", "sent_ms": at_ms, "received_ms": at_ms + 40}
            envelopes.append(Envelope.model_validate({**said, "occurred_ms": at_ms, "event": event}))
        value = Bundle(envelopes=tuple(envelopes)).to_bytes()
        records.append(Record("events", 0, first, None, value, 0))
    return records


def _nothing_is_set_aside(*message: object) -> None:
    raise SystemExit(f"a message was set aside: {message!r}")


def _growth(client: Client) -> list[bool]:
    """Ask the pages' queries with few events and with many; the newest events come first, the older ones after."""
    many = FEW * GROWTH
    _fill(client, statements(many - FEW, FEW, DAYS * GROWTH, many), ("events", *_ROLLUPS))
    asked = _asked(client)
    few_found = {name: _measure(client, query) for name, query in asked.items()}
    bytes_per_event = _bytes_per_event(client)
    met = [_line("bytes per event", bytes_per_event, "<=", 40, _sizes(client))]
    met += [
        _line(f"{name}: rows read, % of {FEW:,}", 100 * read / FEW, "<=", 1, f"{read:,} rows, {1000 * took:.1f} ms")
        for name, (took, read) in few_found.items()
    ]
    # The older months' events are left to the merges of the background, which are enough for what is found by key.
    _fill(client, statements(0, many - FEW, DAYS * GROWTH, many), _ROLLUPS)
    for name, query in asked.items():
        took, read = _measure(client, query)
        met.append(_line(f"{name}: rows read, % of {many:,}", 100 * read / many, "<=", 1, f"{read:,} rows"))
        grown = took / few_found[name][0]
        met.append(_line(f"{name}: time with {GROWTH} times as much", grown, "<", 2, f"{1000 * took:.1f} ms"))
    return met


def _fill(client: Client, inserts: list[str], merged: tuple[str, ...]) -> None:
    """Insert, and merge what was inserted at once: in production it comes over weeks, and is merged long before."""
    for insert in inserts:
        client.execute(insert, settings=_FILL_SETTINGS)
    for table in merged:
        client.execute(f"OPTIMIZE TABLE {table} FINAL")


def _asked(client: Client) -> dict[str, Query]:
    first, last = (END - timedelta(days=DAYS)).date(), END.date()
    visitor = client.execute("SELECT visitor_id FROM events ORDER BY received DESC LIMIT 1")[0][0]
    account = client.execute(
        "SELECT account_id FROM identified WHERE visitor_id IN (SELECT visitor_id FROM reads) "
        "GROUP BY account_id ORDER BY count() DESC, account_id LIMIT 1"
    )[0][0]
    page = Scope(_URL, first, last)
    theirs = Scope(_URL, first, last, Audience(account_id=account))
    return {
        "page for all: curve": lambda on: content_queries.curve(on, page),
        "page for all: sections": lambda on: content_queries.sections(on, page),
        "page for all: clicks": lambda on: content_queries.clicks(on, page),
        "page for an account: curve": lambda on: content_queries.curve(on, theirs),
        "page by reader": lambda on: content_queries.readers(on, page),
        "list of contents": lambda on: content_queries.contents(on, first, last, Audience()),
        "account timeline": lambda on: page_queries.account_timeline(on, account, first, last),
        "visitor history": lambda on: list(queries.visitor_events(on, visitor, 0, None)),
    }


def _measure(client: Client, query: Query) -> tuple[float, int]:
    """Return the shortest time of several, in seconds, and the rows read; to find nothing measures nothing."""
    best = float("inf")
    for _ in range(REPEATS):
        began = time.perf_counter()
        if not query(client):
            raise SystemExit("a query found nothing")
        best = min(best, time.perf_counter() - began)
    before = _selected(client)
    query(client)
    return best, _selected(client) - before


def _selected(client: Client) -> int:
    """Return how many rows the server has read from tables since it started; nobody else asks it anything."""
    return int(client.execute("SELECT value FROM system.events WHERE event = 'SelectedRows'")[0][0])


def _bytes_per_event(client: Client) -> float:
    query = (
        "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts "
        "WHERE active AND database = 'bench' AND table = 'events'"
    )
    return float(client.execute(query)[0][0])


def _sizes(client: Client) -> str:
    query = """
        SELECT table, sum(bytes_on_disk) / %(events)s AS size FROM system.parts
        WHERE active AND database = 'bench' AND table IN %(tables)s
        GROUP BY table ORDER BY table
    """
    found = client.execute(query, {"events": FEW, "tables": _ROLLUPS})
    return "derived from it besides: " + ", ".join(f"{table} {size:.1f}" for table, size in found)


def _line(what: str, value: float, relation: str, target: float, detail: str) -> bool:
    met = {"<=": value <= target, ">=": value >= target, "<": value < target}[relation]
    print(f"{'ok  ' if met else 'MISS'}  {what}: {value:.2f} (target {relation} {target:.2f})  {detail}", flush=True)
    return met
