"""The process that keeps everything in ClickHouse: one loop of insert, set aside, stitch, and commit last."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from schemas.settings import Settings
from sinks.clickhouse.client import connect, wait_for_clickhouse
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.queries import visitor_events
from sinks.clickhouse.rows import TABLES
from sinks.clickhouse.stitching import Stitcher
from sinks.clickhouse.writer import Publish, Writer
from sinks.consumer import Pace, Positions, Record, run_consumer

_log = structlog.get_logger()

GROUP = "readbrief-clickhouse"


def run(
    settings: Settings, publish: Publish, stop: threading.Event, on_ready: Callable[[], None] = lambda: None
) -> None:
    """Migrate, then store every topic that has a table, until `stop` is set; `on_ready` is called once it begins.

    Raises:
        UnavailableError: ClickHouse or Kafka does not answer.
        InputError: the database is newer than the code, or too many records in a row can't be read.
        clickhouse_driver.errors.Error: ClickHouse fails at an insert; nothing of that batch is committed.
    """
    wait_for_clickhouse(settings, settings.start_wait_s, stop)
    if stop.is_set():
        return
    migrate(settings)
    with connect(settings) as client:
        writer = Writer(client, publish, settings.dead_letter_limit)
        stitcher = Stitcher(partial(visitor_events, client), publish, settings.history_days)

        def handle(records: Sequence[Record], positions: Positions) -> Positions:
            now_ms = time.time_ns() // 1_000_000
            stitcher.add(writer.write(records, now_ms))
            return stitcher.advance(positions, now_ms)

        on_ready()
        pace = Pace(session_timeout_s=settings.kafka_session_timeout_s)
        run_consumer(settings.kafka_bootstrap, GROUP, TABLES, handle, stop, pace=pace, wait_s=settings.start_wait_s)
    _log.info("clickhouse_process_stopped")
