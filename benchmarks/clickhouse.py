"""The store: how fast the sink is beside a bare insert, what the pages' queries read, and how much an event takes.

Ten times as many events are ten times as long a time at the same traffic; the pages ask for the last 30 days in both
cases. READBRIEF_BENCH_EVENTS sets the smaller number (2,000,000), READBRIEF_BENCH_GROWTH by how much the larger one is
more (10). All figures but the bytes are ratios of one run. Times are the shortest of several: whatever else the machine
does only adds to them. What is read says the same on any machine.
"""

import os
import tempfile
import time
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from clickhouse_driver import Client
from rich.console import Console
from rich.progress import track

from benchmarks.clickhouse_accounts import statements as accounts
from benchmarks.clickhouse_cost import Cost, cost_of
from benchmarks.clickhouse_events import DAYS, END, statements
from benchmarks.clickhouse_pages import asked
from benchmarks.reports import report
from schemas.envelope import Bundle, Envelope
from schemas.settings import Settings
from sinks.clickhouse.client import connect
from sinks.clickhouse.event_rows import EVENTS, rows
from sinks.clickhouse.inserting import INSERT_SETTINGS, ROWS_PER_INSERT
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.writer import Writer
from sinks.consumer import Record
from tests.support.clickhouse import start_clickhouse
from tests.support.ports import free_port

FEW = int(os.environ.get("READBRIEF_BENCH_EVENTS", "2000000"))
GROWTH = int(os.environ.get("READBRIEF_BENCH_GROWTH", "10"))
SINK_EVENTS, BUNDLE, ROUNDS = 200_000, 200, 4
BATCH = 100
"""So many bundles are handled at once: as many rows as the sink takes at most."""

_SECRET = "a secret for benchmarks"  # noqa: S105 - it guards nothing
_FILL_SETTINGS = {"max_partitions_per_insert_block": 0, "optimize_on_insert": 0, "max_insert_threads": 2}
_ROLLUPS = ("reads", "content_days", "page_reads", "page_clicks")
_TABLES = ("events", *_ROLLUPS)
_MERGE_TIMEOUT_S = 1800
"""A merge says nothing until it is done."""
T = TypeVar("T")


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
            with connect(settings, answer_timeout_s=_MERGE_TIMEOUT_S) as client:
                met += _growth(client, settings)
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


def _growth(client: Client, settings: Settings) -> list[bool]:
    """Ask the pages' queries with few events and with many; the newest events come first, the older ones after."""
    many = FEW * GROWTH
    window = END - timedelta(days=DAYS)
    _fill(client, statements(many - FEW, FEW, DAYS * GROWTH, many), window, END)
    met = [_line("bytes per event", _bytes_per_event(client), "<=", 40, _sizes(client))]
    few = _measured(client, settings)
    _fill(client, statements(0, many - FEW, DAYS * GROWTH, many), END - timedelta(days=DAYS * GROWTH), window)
    grown = _measured(client, settings)
    for name, before in few.items():
        after = grown[name]
        for cost, stored in ((before, FEW), (after, many)):
            met.append(_line(f"{name}: rows read, % of {stored:,}", 100 * cost.rows / stored, "<=", 1, str(cost)))
        cpu = f"{after.cpu_seconds / max(before.cpu_seconds, 1e-6):.2f} of CPU"
        met.append(_line(f"{name}: time, {GROWTH} times as many", after.seconds / before.seconds, "<", 2, cpu))
    return met


def _fill(client: Client, inserts: list[str], first: datetime, end: datetime) -> None:
    """Insert, and merge what was inserted: in production it comes over months, and is merged long before.

    Meanwhile nothing is merged, so that every row is merged once instead of several times.
    """
    for table in _TABLES:
        client.execute(f"SYSTEM STOP MERGES {table}")
    for insert in _shown(inserts, "inserting"):
        client.execute(insert, settings=_FILL_SETTINGS)
    for insert in accounts(first, end):
        client.execute(insert, settings=_FILL_SETTINGS)
    for table in _TABLES:
        client.execute(f"SYSTEM START MERGES {table}")
    _merge(client)


def _merge(client: Client) -> None:
    """Merge each month of each table to one part; one statement for each, as a long one would be taken for dead."""
    query = "SELECT DISTINCT table, partition_id FROM system.parts WHERE active AND database = currentDatabase()"
    for table, partition in _shown(client.execute(query + " ORDER BY ALL"), "merging"):
        client.execute(f"OPTIMIZE TABLE {table} PARTITION ID '{partition}' FINAL")


def _measured(client: Client, settings: Settings) -> dict[str, Cost]:
    return {name: cost_of(client, query) for name, query in _shown(asked(client, settings).items(), "asking")}


def _shown(steps: Collection[T], what: str) -> Iterable[T]:
    """Go through steps that take long together, and show how far that is."""
    return track(steps, what, console=Console(stderr=True))


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
    each = ", ".join(f"{table} {size:.1f}" for table, size in found)
    return f"derived from it besides: {sum(size for _, size in found):.1f} ({each})"


def _line(what: str, value: float, relation: str, target: float, detail: str = "") -> bool:
    met = {"<=": value <= target, ">=": value >= target, "<": value < target}[relation]
    print(f"{'ok  ' if met else 'MISS'}  {what}: {value:.2f} (target {relation} {target:.2f})  {detail}", flush=True)
    return met
