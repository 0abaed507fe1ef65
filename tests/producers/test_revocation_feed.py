import time

import psutil

from producers.collector.revocation_feed import RevocationFeed
from tests.support.ports import free_port


def test_while_kafka_is_away_no_file_stays_open() -> None:
    process = psutil.Process()
    feed = RevocationFeed(f"127.0.0.1:{free_port()}")
    before = process.num_fds()
    feed.start()
    try:
        until = time.monotonic() + 6  # two tries of a client, or three
        while time.monotonic() < until:
            assert process.num_fds() - before < 4
            time.sleep(0.05)
    finally:
        feed.close()
