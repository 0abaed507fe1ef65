"""The production processes: each wires one wing to Kafka, and to what the wing needs of another."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from producers.publisher import Publisher
from readbrief.readiness import announce_ready
from schemas.playbook import load_playbook
from schemas.settings import Settings

DIRECTORY_TIMEOUT_S = 30
PUBLISH_TIMEOUT_S = 30

Publish = Callable[[str, bytes | None, bytes | None], None]


def run_collector(settings: Settings) -> int:
    """Serve the collector until SIGTERM."""
    from producers.collector.process import run

    run(settings, on_ready=announce_ready)
    return 0


def run_streams(settings: Settings) -> int:
    """Run a stream worker until SIGTERM; it starts once it knows the directory."""
    from sinks.directory_feed import DirectoryFeed
    from streams.app import run_worker

    playbook = load_playbook(settings.playbook)
    feed = DirectoryFeed(settings.kafka_bootstrap)
    try:
        feed.wait_current(DIRECTORY_TIMEOUT_S)
        return run_worker(settings, playbook, feed.directory, announce_ready)
    finally:
        feed.close()


def run_clickhouse(settings: Settings) -> int:
    """Store every topic in ClickHouse, and stitch the history of visitors that become known, until SIGTERM."""
    from sinks.clickhouse.process import run

    with _publishing(settings) as publish:
        run(settings, publish, _stop_on_signals(), on_ready=announce_ready)
    return 0


def run_delivery(settings: Settings) -> int:
    """Send deliveries by mail and chat until SIGTERM."""
    from sinks.delivery.process import run

    with _publishing(settings) as publish:
        run(settings, publish, _stop_on_signals(), on_ready=announce_ready)
    return 0


WORKERS: dict[str, Callable[[Settings], int]] = {
    "collector": run_collector,
    "streams": run_streams,
    "clickhouse": run_clickhouse,
    "delivery": run_delivery,
}


@contextmanager
def _publishing(settings: Settings) -> Iterator[Publish]:
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
