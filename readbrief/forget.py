"""Forgetting a person everywhere: streams first, then topics, then tables, with a receipt that says what went."""

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from producers.bundling import bundle_bytes, envelope_bytes
from producers.publisher import Position, Publisher, partition_of
from readbrief.embedded.draining import wait_until_stored
from schemas.dead_letter import DeadLetterStage
from schemas.envelope import Envelope
from schemas.events import Withdraw
from schemas.ids import derived_id
from schemas.settings import Settings
from schemas.topics import DIRECTORY, EVENTS, INTEREST, TOPICS
from sinks.clickhouse.client import connect
from sinks.clickhouse.erasing import KEPT, People, erase, people_of
from streams.runner import GROUP

SITE = "readbrief"
TIMEOUT_S = 30
_POLL_S = 0.2
_BOOTSTRAP_TIMEOUT_MS = 5_000


def forget(settings: Settings, kind: str, subject: str, wait_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Erase a contact, a visitor or an account, and return the receipt, as plain values.

    The streams are told first, and the tables are emptied once that has gone through, so that nothing that was under
    way comes back. If it has not within `wait_s` seconds, the receipt says so, and the command is to be run again.

    Raises:
        InputError: there is no such kind.
        UnavailableError: ClickHouse or Kafka does not answer.
    """
    now_ms = time.time_ns() // 1_000_000
    with connect(settings) as client:
        people = people_of(client, kind, subject)
        accounts = sorted(_accounts_touched(client, people))
        told = _tell(settings, people, accounts, now_ms)
        reached = _wait_for_visitors(settings, told, wait_s)
        stored = wait_until_stored(settings.kafka_bootstrap, wait_s)
        removed = erase(client, people)
    return {
        "subject": {"kind": kind, "id": subject},
        "at_ms": now_ms,
        "visitors": list(people.visitors),
        "contacts": list(people.contacts),
        "accounts": list(people.accounts),
        "tables": removed,
        "tombstones": {"directory": list(people.entity_ids), "interest": accounts},
        "streams": {
            "visitors_forgotten": len(told),
            "gone_through": reached and stored,
        },
        "expires": {
            topic.name: f"within {topic.retention_ms // 86_400_000} days" for topic in TOPICS if topic.retention_ms
        },
        "kept": KEPT,
    }


def _accounts_touched(client: Any, people: People) -> set[str]:
    """Return the accounts whose summaries rest on these people's reading."""
    query = """
        SELECT DISTINCT account_id FROM identified
        WHERE has(%(visitors)s, visitor_id) OR has(%(contacts)s, contact_id)
    """
    return {*people.accounts, *(one for (one,) in client.execute(query, people.given))}


def _tell(settings: Settings, people: People, accounts: Sequence[str], now_ms: int) -> list[Position]:
    """Put withdrawals and tombstones on the topics; return where the withdrawals stand."""
    publisher = Publisher(settings.kafka_bootstrap, topics=(EVENTS.name,), delivery_timeout_s=TIMEOUT_S)
    with closing(publisher):
        publisher.connect(TIMEOUT_S)
        partitions = publisher.partitions(EVENTS.name)
        told = []
        for visitor_id in people.visitors:
            partition = partition_of(visitor_id, partitions)
            value = bundle_bytes([envelope_bytes(_withdrawal(visitor_id, now_ms))])
            told.append(publisher.send(EVENTS.name, value, str(partition).encode(), partition))
        tombstones = [publisher.send(DIRECTORY.name, None, key.encode()) for key in people.entity_ids]
        positions = [one.result() for one in told]
        # After the withdrawals: the accounts renew their summaries, which then stand behind these.
        tombstones += [publisher.send(INTEREST.name, None, account_id.encode()) for account_id in accounts]
        for one in tombstones:
            one.result()
        return positions


def _withdrawal(visitor_id: str, now_ms: int) -> Envelope:
    event = Withdraw(
        event_id=derived_id("forget", visitor_id, str(now_ms)), occurred_ms=now_ms, reason="forgotten", forget=True
    )
    return Envelope(
        site=SITE, visitor_id=visitor_id, sent_ms=now_ms, received_ms=now_ms, occurred_ms=now_ms, event=event
    )


def _wait_for_visitors(settings: Settings, told: Sequence[Position], wait_s: float) -> bool:
    """Wait until the visitors stage has worked through the withdrawals; tells whether it has, in time."""
    if not told:
        return True
    wanted: dict[int, int] = {}
    for partition, offset in told:
        wanted[partition] = max(offset, wanted.get(partition, 0))
    deadline = time.monotonic() + wait_s
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap.split(","),
            group_id=GROUP.format(DeadLetterStage.visitors.value),
            enable_auto_commit=False,
            bootstrap_timeout_ms=_BOOTSTRAP_TIMEOUT_MS,
        )
    except KafkaError:
        return False
    try:
        while True:
            behind = [
                partition
                for partition, offset in wanted.items()
                if (consumer.committed(TopicPartition(EVENTS.name, partition)) or 0) <= offset
            ]
            if not behind:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
    except KafkaError:
        return False
    finally:
        consumer.close(autocommit=False)
