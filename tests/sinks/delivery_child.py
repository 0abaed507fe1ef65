"""A delivery process for the tests to kill: whole, or handling one record and dying by SIGKILL at a given point.

`python -m tests.sinks.delivery_child process` is the real process, on the broker of its settings.
`python -m tests.sinks.delivery_child POINT DELIVERY OUTCOMES` handles the record in one file and appends what it
publishes to another; POINT `none` lets it live.
"""

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kafka import KafkaProducer

from schemas.settings import load_settings
from sinks.clickhouse.client import connect
from sinks.consumer import Record
from sinks.delivery.deliver import Courier
from sinks.delivery.ledger import DeliveryLedger, Entry, LedgerState
from sinks.delivery.process import run
from sinks.delivery.workload import Workload
from tests.sinks.delivery_samples import MET_MS, a_directory


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MortalLedger(DeliveryLedger):
    """The real ledger, in a process that dies before or after one of its writes."""

    point = "none"

    def record(self, entry: Entry) -> None:
        step = "claim" if entry.state is LedgerState.claimed else "end"
        if self.point == f"before-{step}":
            die()
        super().record(entry)
        if self.point == f"after-{step}":
            die()


def handle_one(point: str, delivery: Path, outcomes: Path) -> None:
    settings = load_settings()
    ledger = MortalLedger(connect(settings))
    ledger.point = point

    def publish(topic: str, key: bytes | None, value: bytes | None) -> None:
        with outcomes.open("ab") as file:
            file.write(b"%s %s %s\n" % (topic.encode(), key or b"-", value or b"-"))
            file.flush()
            os.fsync(file.fileno())
        if point == "after-outcome":
            die()

    courier = Courier(settings, a_directory(), ledger, lambda: MET_MS + 500, threading.Event())
    with ThreadPoolExecutor(2) as pool:
        held = Workload(courier, publish, pool, 60).handle(
            [Record("deliveries", 0, 0, b"rep-1", delivery.read_bytes())], {("deliveries", 0): 1}
        )
    ledger.close()
    assert held == {}


def whole_process() -> None:
    settings = load_settings()
    producer = KafkaProducer(bootstrap_servers=settings.kafka_bootstrap, acks="all")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run(settings, lambda topic, key, value: producer.send(topic, key=key, value=value).get(30), stop)
    producer.close(5)


if __name__ == "__main__":
    if sys.argv[1] == "process":
        whole_process()
    else:
        handle_one(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
