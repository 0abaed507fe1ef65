"""Changing the directory: files checked against each other and against what is there already, then published."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from producers.directory_changes import Changes, changes_of, deletion_of
from producers.directory_import import publish_deletions, publish_directory, read_import
from producers.phone_numbers import known_region
from producers.publisher import Publisher
from schemas.directory import Directory, Entity
from schemas.errors import InputError
from schemas.settings import Settings
from sinks.broker_wait import wait_for_broker
from sinks.directory_feed import DirectoryFeed

BROKER_WAIT_S = 5
TIMEOUT_S = 30
PLURALS = {"account": "accounts", "contact": "contacts", "rep": "reps", "content": "contents"}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Manner:
    """How to import: `complete` deletes what the files no longer have, many only if `yes`; see `read_import`."""

    complete: bool = False
    yes: bool = False
    default_rep: str | None = None
    phone_region: str | None = None


def import_directory(settings: Settings, files: Sequence[Path], say: Say, manner: Manner = Manner()) -> dict[str, int]:
    """Import files, all or nothing, and return how many entities of each kind they held.

    Raises:
        InputError: rows are wrong, and the message names file, line and field of each; or too much would go.
        UnavailableError: no broker answers.
    """
    known = directory_now(settings)
    region = manner.phone_region and _region(manner.phone_region)
    read = read_import(
        files, known=known, default_rep=manner.default_rep, complete=manner.complete, phone_region=region
    )
    changes = changes_of(read, known, complete=manner.complete, now_ms=_now_ms())
    for note in read.notes:
        say(note)
    for key in changes.deleted:
        say(f"goes: {key}")
    if changes.is_large and not manner.yes:
        raise InputError(
            f"{len(changes.deleted)} of {changes.of} entities of these kinds would go, which is more than a tenth: "
            "nothing is changed; see whether the files are whole, then add --yes"
        )
    _publish(settings, changes, say)
    return counts_of(changes.entities)


def delete_from_directory(settings: Settings, keys: Sequence[str], say: Say) -> list[str]:
    """Delete entities by key, `account:acme`, and return the keys of all that went; with an account go its contacts.

    Raises:
        InputError: a key is of nothing there is, or something that stays refers to it.
        UnavailableError: no broker answers.
    """
    changes = deletion_of(keys, directory_now(settings))
    _publish(settings, changes, say)
    return list(changes.deleted)


def directory_now(settings: Settings) -> Directory:
    """Return the directory as its topic holds it; it does not change any more.

    Raises:
        UnavailableError: no broker answers.
    """
    wait_for_broker(settings.kafka_bootstrap, BROKER_WAIT_S, threading.Event())
    with DirectoryFeed(settings.kafka_bootstrap) as feed:
        feed.wait_current(TIMEOUT_S)
    return feed.directory


def _region(given: str) -> str:
    try:
        return known_region(given)
    except ValueError as error:
        raise InputError(f"--phone-region: {error}") from error


def counts_of(entities: Sequence[Entity]) -> dict[str, int]:
    """Return how many entities there are of each kind, by its plural."""
    return dict(Counter(PLURALS[entity.kind] for entity in entities))


def _publish(settings: Settings, changes: Changes, say: Say) -> None:
    say(f"publishing {len(changes.entities)} entities and {len(changes.deleted)} deletions")
    with closing(Publisher(settings.kafka_bootstrap, delivery_timeout_s=TIMEOUT_S)) as publisher:
        publish_directory(changes.entities, publisher.send)
        publish_deletions(changes.deleted, publisher.send, _now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
