"""Rebuilding the streams' state from ClickHouse, for a broker that has forgotten everything.

What was told and what has left the outbox goes first, so that the events that follow make no brief a second time.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from clickhouse_driver import Client

from producers.publisher import Position, Publisher, partition_of
from schemas.activity import Activity, told_by
from schemas.delivery import Outcome
from schemas.envelope import Bundle, Envelope
from schemas.errors import InputError
from schemas.message import Message
from schemas.rep_mail import Released, RepMail
from schemas.settings import Settings
from schemas.topics import ACTIVITY, BRIEFS, DELIVERIES, DIRECTORY, EVENTS, Topic
from sinks.clickhouse import queries
from sinks.clickhouse.client import connect
from sinks.clickhouse.event_rows import EVENTS as EVENTS_TABLE
from sinks.clickhouse.event_rows import row_of
from sinks.clickhouse.inserting import insert_all
from sinks.clickhouse.migrate import migrate

DAY_MS = 86_400_000
OUTBOX_MEMORY_DAYS = 30
UNOPENED_DAYS = 7
UNDER_WAY = 500
BUNDLE = 200


class _Outgoing:
    """Sends without waiting for each, but for all in the end, and never with too many under way."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._sent: list[Future[Position]] = []

    def send(self, topic: Topic, value: bytes, key: bytes, partition: int | None = None) -> None:
        self._sent.append(self._publisher.send(topic.name, value, key, partition))
        if len(self._sent) >= UNDER_WAY:
            self.settle()

    def keyed(self, topic: Topic, key: str, message: Message) -> None:
        self.send(topic, message.to_bytes(), key.encode())

    def settle(self) -> None:
        """Wait for Kafka's acknowledgement of all that was sent."""
        for future in self._sent:
            future.result()
        self._sent.clear()


def replay(settings: Settings, publisher: Publisher, say: Callable[[str], None]) -> int:
    """Publish from the store what the streams need to know again; return the number of events.

    Raises:
        UnavailableError: ClickHouse or Kafka does not answer.
    """
    now_ms = time.time_ns() // 1_000_000
    since_ms = now_ms - settings.history_days * DAY_MS
    out = _Outgoing(publisher)
    client = connect(settings)
    try:
        for entity in queries.directory_entries(client):
            out.keyed(DIRECTORY, entity.entity_id, entity)
        _replay_told(out, client, since_ms)
        _replay_outboxes(out, client, now_ms - OUTBOX_MEMORY_DAYS * DAY_MS, now_ms)
        return _replay_events(out, queries.known_visitors_events(client, since_ms), settings.kafka_partitions, say)
    finally:
        client.disconnect()


def replay_range(
    settings: Settings, publisher: Publisher, since_ms: int, until_ms: int, say: Callable[[str], None]
) -> int:
    """Publish the stored events of `since_ms <= received < until_ms` again; return their number.

    What was told and what has left the outbox goes first, whenever that was. So streams that had forgotten it make no
    brief of these events a second time; those that had not find nothing new in them.

    Raises:
        UnavailableError: ClickHouse or Kafka does not answer.
    """
    out = _Outgoing(publisher)
    client = connect(settings)
    try:
        _replay_told(out, client, 0)
        _replay_outboxes(out, client, 0, time.time_ns() // 1_000_000)
        out.settle()
        return _replay_events(out, queries.events_between(client, since_ms, until_ms), settings.kafka_partitions, say)
    finally:
        client.disconnect()


def rebuild_into(settings: Settings, database: str, since_ms: int, until_ms: int, say: Callable[[str], None]) -> int:
    """Write the stored events of a range of receipt into another database, with all that is derived; return how many.

    The database is made if it is missing, and brought to the newest migration. Nothing is published.

    Raises:
        UnavailableError: ClickHouse does not answer.
        InputError: it is the live database.
    """
    if database == settings.clickhouse_database:
        raise InputError(f"--into {database}: that is the live database; without --into its events are sent again")
    fresh = settings.model_copy(update={"clickhouse_database": database})
    migrate(fresh)
    count = 0
    with connect(settings) as source, connect(fresh) as target:
        for chunk in queries.events_between(source, since_ms, until_ms):
            rows = [row_of(envelope, -1, -1) for envelope in chunk]
            insert_all(target, EVENTS_TABLE, rows, limit=0)
            count += len(rows)
            say(f"wrote {count:,} events")
    return count


def _replay_told(out: _Outgoing, client: Client, since_ms: int) -> None:
    """Tell each account what briefs have told of it."""
    for brief in queries.told_briefs(client, since_ms):
        mark = told_by(brief)
        out.keyed(ACTIVITY, brief.account_id, Activity(account_id=brief.account_id, told=(mark,)))


def _replay_outboxes(out: _Outgoing, client: Client, since_ms: int, now_ms: int) -> None:
    """Tell each outbox first what has left it, and what the rep answered, then what has not left."""
    released: dict[str, dict[str, Released]] = defaultdict(dict)
    watched: dict[str, dict[str, Released]] = defaultdict(dict)
    for delivery in queries.deliveries(client, since_ms):
        for brief in delivery.briefs:
            gone = Released(brief_id=brief.brief_id, account_id=brief.account_id, at_ms=delivery.released_ms)
            parts = [gone.model_copy(update={"brief_id": name, "within": brief.brief_id}) for name in brief.merges]
            released[delivery.rep_id] |= {one.brief_id: one for one in (gone, *parts)}
            if delivery.released_ms > now_ms - UNOPENED_DAYS * DAY_MS and not brief.escalates and not brief.corrects:
                watched[delivery.rep_id][brief.brief_id] = gone.model_copy(update={"unopened": brief})
    answers: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in queries.answers(client, since_ms):
        answers[outcome.rep_id].append(outcome)
    for rep_id, gone_briefs in released.items():
        out.keyed(BRIEFS, rep_id, RepMail(rep_id=rep_id, released=tuple(gone_briefs.values())))
    out.settle()  # what managers have had goes before what could come to them again
    for rep_id in dict.fromkeys((*watched, *answers)):
        mail = RepMail(rep_id=rep_id, released=tuple(watched[rep_id].values()), outcomes=tuple(answers[rep_id]))
        out.keyed(BRIEFS, rep_id, mail)
    for brief in queries.unreleased_briefs(client):
        out.keyed(BRIEFS, brief.rep_id, RepMail(rep_id=brief.rep_id, briefs=(brief,)))
    for delivery in queries.open_deliveries(client):
        out.keyed(DELIVERIES, delivery.rep_id, delivery)


def _replay_events(
    out: _Outgoing, chunks: Iterable[list[Envelope]], partitions: int, say: Callable[[str], None]
) -> int:
    """Send events until all are acknowledged, and return how many they were."""
    count = 0
    for chunk in chunks:
        _send_events(out, chunk, partitions)
        count += len(chunk)
        say(f"replayed {count:,} events")
    out.settle()
    return count


def _send_events(out: _Outgoing, envelopes: list[Envelope], partitions: int) -> None:
    by_partition: dict[int, list[Envelope]] = defaultdict(list)
    for envelope in envelopes:
        by_partition[partition_of(envelope.visitor_id, partitions)].append(envelope)
    for partition, theirs in by_partition.items():
        for i in range(0, len(theirs), BUNDLE):
            bundle = Bundle(envelopes=tuple(theirs[i : i + BUNDLE]))
            out.send(EVENTS, bundle.to_bytes(), str(partition).encode(), partition)
