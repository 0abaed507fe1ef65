"""The ClickHouse process as the shell runs it, for tests that kill it.

With KILL_ON set, it dies as by `kill -9` when it publishes to that topic: what it read is inserted then, and not yet
committed.
"""

import os
import signal
import threading

from kafka import KafkaProducer

from schemas.settings import load_settings
from sinks.clickhouse.process import run


def main() -> None:
    settings = load_settings()
    producer = KafkaProducer(bootstrap_servers=settings.kafka_bootstrap, acks="all")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def publish(topic: str, key: bytes | None, value: bytes | None) -> None:
        producer.send(topic, key=key, value=value).get(30)
        if topic == os.environ.get("KILL_ON"):
            os.kill(os.getpid(), signal.SIGKILL)

    run(settings, publish, stop)


if __name__ == "__main__":
    main()
