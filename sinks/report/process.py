"""The process that sends the weekly page on its day, once."""

import threading
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

import structlog

from schemas.errors import UnavailableError
from schemas.playbook import Playbook
from schemas.settings import Settings
from sinks.clickhouse.client import connect, wait_for_clickhouse
from sinks.clickhouse.migrate import migrate
from sinks.delivery.ledger import DeliveryLedger
from sinks.report.sending import addresses, letter_of, send, unsent, weekly_of
from sinks.report.week import due_week

_log = structlog.get_logger()

LOOK_EVERY_S = 60.0


def run(
    settings: Settings,
    playbook: Callable[[], Playbook],
    stop: threading.Event,
    on_ready: Callable[[], None] = lambda: None,
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> None:
    """Send each week's page once it is due, until `stop` is set; `on_ready` is called once it begins.

    Raises:
        UnavailableError: ClickHouse does not answer at the start.
        InputError: the database is newer than the code.
    """
    wait_for_clickhouse(settings, settings.start_wait_s, stop)
    if stop.is_set():
        return
    migrate(settings)
    on_ready()
    while True:
        try:
            send_due(settings, playbook(), now_ms)
        except UnavailableError as error:
            _log.warning("weekly_page_waits", reason=str(error))
        if stop.wait(LOOK_EVERY_S):
            break
    _log.info("reports_process_stopped")


def send_due(settings: Settings, playbook: Playbook, now_ms: Callable[[], int]) -> int:
    """Send the page that is due by now to whom it has not been sent, and return to how many it was tried.

    Raises:
        UnavailableError: ClickHouse does not answer.
    """
    zone = ZoneInfo(settings.report_time_zone)
    week = due_week(now_ms(), settings.report_day, settings.report_time, zone)
    to = addresses(settings)
    if week is None or not to:
        return 0
    ledger = DeliveryLedger.open(settings)
    try:
        if not unsent(ledger, week.name, to):
            return 0
        client = connect(settings)
        try:
            letter = letter_of(weekly_of(client, week, playbook), settings.report_language, playbook)
        finally:
            client.disconnect()
        return sum(1 for _ in send(settings, ledger, letter, to, now_ms))
    finally:
        ledger.close()
