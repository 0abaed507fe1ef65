"""The process that keeps everything in ClickHouse: one loop of insert, set aside, stitch, and commit last."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import structlog
from clickhouse_driver.errors import NetworkError, SocketTimeoutError

from schemas.envelope import Envelope
from schemas.errors import UnavailableError
from schemas.settings import Settings
from sinks.clickhouse.client import connect, wait_for_clickhouse
from sinks.clickhouse.health import Health, served
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.queries import visitor_events
from sinks.clickhouse.rows import TABLES
from sinks.clickhouse.stitching import Stitcher
from sinks.clickhouse.writer import Publish, Writer
from sinks.consumer import Pace, Patience, Positions, Record, run_consumer

_log = structlog.get_logger()

GROUP = "readbrief-clickhouse"


def run(
    settings: Settings, publish: Publish, stop: threading.Event, on_ready: Callable[[], None] = lambda: None
) -> None:
    """Migrate, then store every topic that has a table, until `stop` is set; `on_ready` is called once it begins.

    If ClickHouse goes away later, the process waits for it and holds its place in the topics.

    Raises:
        UnavailableError: ClickHouse or Kafka does not answer at the start.
        InputError: the database is newer than the code, or too many records in a row can't be read or stored.
        clickhouse_driver.errors.Error: ClickHouse refuses an insert whatever is in it; nothing of that batch is
            committed.
    """
    health = Health()
    with served(health, settings.clickhouse_metrics_host, settings.clickhouse_metrics_port):
        wait_for_clickhouse(settings, settings.start_wait_s, stop)
        if stop.is_set():
            return
        migrate(settings)
        store = _Store(settings, publish)
        try:
            on_ready()
            run_consumer(
                settings.kafka_bootstrap,
                GROUP,
                TABLES,
                store.handle,
                stop,
                pace=Pace(session_timeout_s=settings.kafka_session_timeout_s),
                wait_s=settings.start_wait_s,
                patience=_patience(health),
            )
        finally:
            store.close()
    _log.info("clickhouse_process_stopped")


class _Store:
    """What is done with each batch: insert, set aside, stitch. It connects anew after ClickHouse was away."""

    def __init__(self, settings: Settings, publish: Publish) -> None:
        self._settings = settings
        self._client = connect(settings)
        self._writer = Writer(self._client, publish, settings.dead_letter_limit)
        self._stitcher = Stitcher(self._history, publish, settings.history_days)
        self._is_broken = False

    def handle(self, records: Sequence[Record], positions: Positions) -> Positions:
        """Store records, and return the positions that must not be committed past.

        Raises:
            UnavailableError: ClickHouse does not answer; the same records are to be handled again.
        """
        now_ms = time.time_ns() // 1_000_000
        if self._is_broken:
            self._client.disconnect()
            self._client = connect(self._settings)
            self._writer.use(self._client)
        self._is_broken = True
        try:
            self._stitcher.add(self._writer.write(records, now_ms))
            held = self._stitcher.advance(positions, now_ms)
        except (NetworkError, SocketTimeoutError, EOFError) as error:
            raise UnavailableError(f"ClickHouse went away while history was read: {error!r}") from error
        self._is_broken = False
        return held

    def close(self) -> None:
        """End the connection."""
        self._client.disconnect()

    def _history(self, visitor_id: str, since_ms: int, until_ms: int | None) -> Iterator[Envelope]:
        return visitor_events(self._client, visitor_id, since_ms, until_ms)


def _patience(health: Health) -> Patience:
    def on_away(error: UnavailableError, pause_s: float) -> None:
        health.went_away(str(error), time.time_ns() // 1_000_000)
        _log.warning("clickhouse_away", reason=str(error), pause_s=pause_s)

    def on_back() -> None:
        health.came_back()
        _log.info("clickhouse_back")

    return Patience(on_away, on_back)
