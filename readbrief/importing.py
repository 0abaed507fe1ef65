"""Importing the directory: files checked against each other and against what is there already, then published."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from producers.directory_import import publish_directory, read_directory
from producers.publisher import Publisher
from schemas.settings import Settings
from sinks.consumer import wait_for_broker
from sinks.directory_feed import DirectoryFeed

BROKER_WAIT_S = 5
TIMEOUT_S = 30
PLURALS = {"account": "accounts", "contact": "contacts", "rep": "reps", "content": "contents"}


def import_directory(settings: Settings, files: Sequence[Path], say: Callable[[str], None]) -> dict[str, int]:
    """Import files, all or nothing, and return how many entities of each kind they held.

    Raises:
        InputError: rows are wrong; the message names file, line and field of each.
        UnavailableError: no broker answers.
    """
    wait_for_broker(settings.kafka_bootstrap, BROKER_WAIT_S, threading.Event())
    feed = DirectoryFeed(settings.kafka_bootstrap)
    try:
        feed.wait_current(TIMEOUT_S)
        entities = read_directory(files, known=feed.directory)
    finally:
        feed.close()
    say(f"publishing {len(entities)} entities")
    publisher = Publisher(settings.kafka_bootstrap, delivery_timeout_s=TIMEOUT_S)
    try:
        publish_directory(entities, publisher.send)
    finally:
        publisher.close()
    return dict(Counter(PLURALS[entity.kind] for entity in entities))
