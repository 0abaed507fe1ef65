"""The delivery process: reads deliveries, sends each once, and tells what became of it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from schemas import topics
from schemas.feedback import FeedbackLinks, MailMarks
from schemas.settings import Settings
from sinks.broker_wait import wait_for_broker
from sinks.clickhouse.client import wait_for_clickhouse
from sinks.clickhouse.migrate import migrate
from sinks.consumer import Pace, run_consumer
from sinks.delivery.attempts import pauses
from sinks.delivery.chat import silence_url_logging
from sinks.delivery.deliver import Courier
from sinks.delivery.ledger import DeliveryLedger
from sinks.delivery.memory import DeliveryMemory
from sinks.delivery.workload import Publish, Workload
from sinks.directory_feed import DirectoryFeed

_log = structlog.get_logger()

GROUP = "readbrief-delivery"
DIRECTORY_WAIT_S = 60
WORKERS = 8
_BATCH_BYTES = 1_000_000
_LINGER_S = 0.05
_BUDGET_S = 60.0
_LONGEST_TRY_S = 30


def run(
    settings: Settings,
    publish: Publish,
    stop: threading.Event,
    on_ready: Callable[[], None] = lambda: None,
    links: FeedbackLinks | None = None,
    marks: MailMarks | None = None,
) -> None:
    """Deliver until `stop` is set; `on_ready` is called once it begins.

    `links` makes the links that come back, `marks` what tells a mail that does.

    Raises:
        UnavailableError: ClickHouse or Kafka does not answer.
        InputError: the database is newer than the code, or too many deliveries in a row can't be used.
    """
    silence_url_logging()
    wait_for_clickhouse(settings, settings.start_wait_s, stop)
    wait_for_broker(settings.kafka_bootstrap, settings.start_wait_s, stop)
    if stop.is_set():
        return
    migrate(settings)
    ledger, memory = DeliveryLedger.open(settings), DeliveryMemory.open(settings)
    try:
        with DirectoryFeed(settings.kafka_bootstrap) as feed, ThreadPoolExecutor(WORKERS, "delivery") as pool:
            feed.wait_current(DIRECTORY_WAIT_S)
            courier = Courier(settings, feed.directory, ledger, _now_ms, stop, memory, links, marks=marks)
            work = Workload(courier, publish, pool, _BUDGET_S)
            on_ready()
            run_consumer(
                settings.kafka_bootstrap, GROUP, [topics.DELIVERIES.name], work.handle, stop, pace=_pace(settings)
            )
    finally:
        ledger.close()
        memory.close()
    _log.info("delivery_process_stopped")


def _pace(settings: Settings) -> Pace:
    """Return how long a batch may last: its time budget, and all tries of a delivery begun just before its end.

    A member that is slower still loses its partitions to another; the ledger keeps the two from sending twice.
    """
    waits_s = sum(pauses(settings.delivery_attempts, settings.delivery_backoff_s))
    return Pace(
        batch_bytes=_BATCH_BYTES,
        linger_s=_LINGER_S,
        session_timeout_s=settings.kafka_session_timeout_s,
        longest_batch_s=int(_BUDGET_S + settings.delivery_attempts * _LONGEST_TRY_S + waits_s),
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
