"""Rebuilding the streams' state from ClickHouse, for a broker that has forgotten everything.

What was told and what has left the outbox goes first, so that the events that follow make no brief a second time.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable

from producers.publisher import Publisher, partition_of
from schemas.activity import Activity, Told
from schemas.brief import Brief
from schemas.envelope import Bundle, Envelope
from schemas.message import Message
from schemas.rep_mail import Released, RepMail
from schemas.settings import Settings
from schemas.topics import ACTIVITY, BRIEFS, DELIVERIES, DIRECTORY, EVENTS
from sinks.clickhouse import queries
from sinks.clickhouse.client import connect

DAY_MS = 86_400_000
OUTBOX_MEMORY_DAYS = 30


def replay(settings: Settings, publisher: Publisher, say: Callable[[str], None]) -> int:
    """Publish from the store what the streams need to know again; return the number of events."""
    now_ms = time.time_ns() // 1_000_000
    since_ms = now_ms - settings.history_days * DAY_MS
    client = connect(settings)
    try:
        for entity in queries.directory_entities(client):
            publisher.send(DIRECTORY.name, entity.to_bytes(), key=entity.entity_id.encode())
        _replay_told(publisher, queries.told_briefs(client, since_ms))
        _replay_outboxes(publisher, client, now_ms - OUTBOX_MEMORY_DAYS * DAY_MS)
        count = 0
        for chunk in queries.known_visitors_events(client, since_ms):
            _replay_events(publisher, chunk, settings.kafka_partitions)
            count += len(chunk)
            say(f"replayed {count:,} events")
        publisher.flush()
        return count
    finally:
        client.disconnect()


def _keyed(publisher: Publisher, topic: str, key: str, message: Message) -> None:
    publisher.send(topic, message.to_bytes(), key=key.encode())


def _replay_told(publisher: Publisher, briefs: Iterable[Brief]) -> None:
    for brief in briefs:
        mark = Told(brief_id=brief.brief_id, rep_id=brief.rep_id, decided_ms=brief.decided_ms, reads=brief.told)
        _keyed(publisher, ACTIVITY.name, brief.account_id, Activity(account_id=brief.account_id, told=(mark,)))


def _replay_outboxes(publisher: Publisher, client: object, since_ms: int) -> None:
    released: dict[str, list[Released]] = defaultdict(list)
    for delivery in queries.deliveries(client, since_ms):
        for brief in delivery.briefs:
            gone = Released(brief_id=brief.brief_id, account_id=brief.account_id, at_ms=delivery.released_ms)
            released[delivery.rep_id].append(gone)
    for rep_id, gone_briefs in released.items():
        _keyed(publisher, BRIEFS.name, rep_id, RepMail(rep_id=rep_id, released=tuple(gone_briefs)))
    for brief in queries.unreleased_briefs(client, since_ms):
        _keyed(publisher, BRIEFS.name, brief.rep_id, RepMail(rep_id=brief.rep_id, briefs=(brief,)))
    for delivery in queries.open_deliveries(client, since_ms):
        _keyed(publisher, DELIVERIES.name, delivery.rep_id, delivery)


def _replay_events(publisher: Publisher, envelopes: list[Envelope], partitions: int) -> None:
    by_partition: dict[int, list[Envelope]] = defaultdict(list)
    for envelope in envelopes:
        by_partition[partition_of(envelope.visitor_id, partitions)].append(envelope)
    for partition, theirs in by_partition.items():
        bundle = Bundle(envelopes=tuple(theirs))
        publisher.send(EVENTS.name, bundle.to_bytes(), key=str(partition).encode(), partition=partition)
