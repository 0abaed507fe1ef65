"""The production processes: each wires one wing to Kafka, and to what the wing needs of another."""

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from prometheus_client import start_http_server
from pydantic import SecretStr

from readbrief.child import Child
from readbrief.playbook_watch import PlaybookWatch
from readbrief.readiness import announce_ready
from schemas.addresses import ADDRESS_PURPOSE
from schemas.settings import Settings

DIRECTORY_TIMEOUT_S = 30
PUBLISH_TIMEOUT_S = 30

Publish = Callable[[str, bytes | None, bytes | None], None]


def run_collector(settings: Settings) -> int:
    """Serve the collector until SIGTERM."""
    from producers.collector.process import run
    from sinks.web.overlay import overlay_of

    run(settings, lambda token: overlay_of(settings, token, time.time_ns() // 1_000_000))
    return 0


def run_streams(settings: Settings) -> NoReturn:
    """Run a stream worker until SIGTERM; it starts once it knows the directory. It ends the process."""
    from sinks.broker_wait import wait_for_broker
    from sinks.directory_feed import DirectoryFeed
    from streams.app import run_worker

    watch = PlaybookWatch(settings.playbook)
    if settings.streams_metrics_port:
        start_http_server(settings.streams_metrics_port, settings.streams_metrics_host)
    wait_for_broker(settings.kafka_bootstrap, settings.start_wait_s, threading.Event())
    feed = DirectoryFeed(settings.kafka_bootstrap, address_key=settings.signing_key(ADDRESS_PURPOSE))
    try:
        feed.wait_current(DIRECTORY_TIMEOUT_S)
        code = run_worker(settings, watch.playbook, feed.directory, announce_ready, watch.renewed)
    finally:
        feed.close()
    _leave_at_once(code)


def run_clickhouse(settings: Settings) -> int:
    """Store every topic in ClickHouse, and stitch the history of visitors that become known, until SIGTERM."""
    from sinks.clickhouse.process import run

    with _publishing(settings) as publish:
        run(settings, publish, _stop_on_signals(), on_ready=announce_ready)
    return 0


def run_delivery(settings: Settings) -> int:
    """Send deliveries by mail and chat until SIGTERM."""
    from producers.feedback_links import feedback_link
    from producers.mail_marks import mail_mark
    from sinks.delivery.process import run

    links, marks = partial(feedback_link, settings), partial(mail_mark, settings)
    with _publishing(settings) as publish:
        run(settings, publish, _stop_on_signals(), on_ready=announce_ready, links=links, marks=marks)
    return 0


def run_reports(settings: Settings) -> int:
    """Send the weekly page on its day until SIGTERM."""
    from sinks.report.process import run

    watch = PlaybookWatch(settings.playbook)
    run(settings, watch.current, _stop_on_signals(), on_ready=announce_ready)
    return 0


def run_web(settings: Settings) -> int:
    """Serve the pages until SIGTERM; they start once the directory is known."""
    from producers.publisher import Publisher
    from sinks.broker_wait import wait_for_broker
    from sinks.directory_feed import DirectoryFeed
    from sinks.lags import KeptLags, group_lags
    from sinks.web.process import run

    watch = PlaybookWatch(settings.playbook)
    wait_for_broker(settings.kafka_bootstrap, settings.start_wait_s, threading.Event())
    feed = DirectoryFeed(settings.kafka_bootstrap)
    try:
        feed.wait_current(DIRECTORY_TIMEOUT_S)
        with closing(Publisher(settings.kafka_bootstrap, delivery_timeout_s=PUBLISH_TIMEOUT_S)) as publisher:

            def publish(topic: str, key: bytes | None, value: bytes | None, partition: int | None) -> None:
                publisher.publish(topic, value, key, partition)

            lags = KeptLags(partial(group_lags, settings.kafka_bootstrap))
            run(settings, feed.directory, watch.current, publish, lags, on_ready=announce_ready)
    finally:
        feed.close()
    return 0


WORKERS: dict[str, Callable[[Settings], int]] = {
    "collector": run_collector,
    "streams": run_streams,
    "clickhouse": run_clickhouse,
    "delivery": run_delivery,
    "web": run_web,
    "reports": run_reports,
}


def worker_children(settings: Settings, logs: Path) -> list[Child]:
    """Return the production processes as children that can be supervised, not yet started."""
    environment = as_environment(settings)
    probes = {"collector": lambda: _answers_ready(settings)}
    return [
        Child(
            name,
            [sys.executable, "-m", "readbrief", "run", name],
            logs / f"{name}.log",
            environment,
            probes.get(name),
        )
        for name in WORKERS
        if name != "reports" or settings.report_to
    ]


def as_environment(settings: Settings) -> dict[str, str]:
    """Return the settings as the environment variables they are read from."""
    return {f"READBRIEF_{name.upper()}": _plain(value) for name, value in settings if value is not None}


def _plain(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return json.dumps({k: _jsonable(v) for k, v in value.items()})
    return json.dumps(value) if isinstance(value, tuple) else str(value)


def _jsonable(value: Any) -> Any:
    if isinstance(value, int):
        return value
    return value.get_secret_value() if isinstance(value, SecretStr) else value.model_dump(mode="json")


def _answers_ready(settings: Settings) -> bool:
    """Ask the collector itself: it serves before Kafka is reached, and says so."""
    import httpx

    host = "127.0.0.1" if settings.collector_host in ("0.0.0.0", "::") else settings.collector_host
    try:
        return httpx.get(f"http://{host}:{settings.collector_port}/readyz", timeout=1).is_success
    except httpx.HTTPError:
        return False


def _leave_at_once(code: int) -> NoReturn:
    """End the process, all being closed: the interpreter would take its memory apart first, millions of values."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@contextmanager
def _publishing(settings: Settings) -> Iterator[Publish]:
    from producers.publisher import Publisher

    publisher = Publisher(settings.kafka_bootstrap, delivery_timeout_s=PUBLISH_TIMEOUT_S)

    def publish(topic: str, key: bytes | None, value: bytes | None) -> None:
        publisher.publish(topic, value, key=key)

    try:
        yield publish
    finally:
        publisher.close()


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
