"""Puts a workload on Kafka: one event a message for the peers, bundles and a directory for this pipeline."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from benchmarks.streams.oracle import Batch, Totals
from benchmarks.streams.workload import Workload, contents, events
from producers.bundling import bundle_bytes
from producers.publisher import partition_of
from schemas.directory import Account, Contact, Content
from schemas.topics import DIRECTORY, EVENTS

PARTITIONS = 4
COMPRESSION = "zstd"  # as the collector's, for all
_NOBODY = "nobody"  # no rep, so no briefs: the peers write none
_TIMEOUT_S = 30.0
_SESSION_S = 60.0


class Broker:
    """Topics and messages on one Kafka."""

    def __init__(self, bootstrap: str) -> None:
        """Connect to `host:port`."""
        self.bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "log_level": 2,  # a broker that stops in the end is no news
                "compression.type": COMPRESSION,
                "compression.level": 1,
                "linger.ms": 50,
                "acks": "all",
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": 512 * 1024,
            }
        )

    def create(self, *names: str) -> None:
        """Make topics."""
        topics = [NewTopic(name, num_partitions=PARTITIONS, replication_factor=1) for name in names]
        for made in self._admin.create_topics(topics).values():
            made.result(_TIMEOUT_S)

    def delete(self, wanted: Iterable[str]) -> None:
        """Remove topics, if they are there."""
        names = sorted(set(wanted) & self.topics())
        if names:
            for gone in self._admin.delete_topics(names, operation_timeout=_TIMEOUT_S).values():
                gone.result(_TIMEOUT_S)

    def topics(self) -> set[str]:
        """Return the names of all topics."""
        return set(self._admin.list_topics(timeout=_TIMEOUT_S).topics)

    def end(self, topic: str) -> int:
        """Return the number of messages a topic has ever had."""
        partitions = self._admin.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions
        latest = {TopicPartition(topic, number): OffsetSpec.latest() for number in partitions}
        return sum(found.result(_TIMEOUT_S).offset for found in self._admin.list_offsets(latest).values())

    def committed(self, topic: str) -> int:
        """Return how many messages of a topic the group that has come furthest has worked through."""
        return max((self._committed_by(group, topic) for group in self._groups()), default=0)

    def _committed_by(self, group: str, topic: str) -> int:
        (asked,) = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
        positions = asked.result(_TIMEOUT_S).topic_partitions
        return sum(max(0, position.offset) for position in positions if position.topic == topic)

    def _groups(self) -> list[str]:
        return [group.group_id for group in self._admin.list_consumer_groups().result(_TIMEOUT_S).valid]

    def delete_groups(self) -> None:
        """Forget how far every consumer group has come; who was killed is a member until its session ends."""
        deadline_s = time.monotonic() + _SESSION_S
        while groups := self._groups():
            for gone in self._admin.delete_consumer_groups(groups).values():
                try:
                    gone.result(_TIMEOUT_S)
                except KafkaException as error:
                    if error.args[0].code() != KafkaError.NON_EMPTY_GROUP or time.monotonic() > deadline_s:
                        raise
            time.sleep(0.2)

    def send_all(self, topic: str, messages: Iterable[tuple[bytes | None, bytes, int]]) -> int:
        """Publish (key, value, partition) and return their number once all are acknowledged; partition -1 is by key."""
        count = 0
        for key, value, partition in messages:
            while True:
                try:
                    self._producer.produce(topic, value, key, partition)
                    break
                except BufferError:
                    self._producer.poll(0.5)
            count += 1
        if self._producer.flush(300):
            raise KafkaException(f"not all of {topic} was acknowledged")
        return count


@dataclass(frozen=True)
class Loaded:
    """A workload's first so many events on Kafka, and what must come of them."""

    load: Workload
    events: int
    topic: str
    tables: Path
    expected: dict[str, Totals]


def load_plain(broker: Broker, load: Workload, first: int, topic: str, directory: Path) -> Loaded:
    """Publish one message for each of the first events, keyed by visitor; the tables are written to a file."""
    broker.create(topic)
    partitions = _Partitions()
    batch = Batch(load.contacts, contents())

    def messages() -> Iterator[tuple[bytes | None, bytes, int]]:
        for visitor_id, envelope in islice(events(load), first):
            batch.add(envelope)
            yield visitor_id.encode(), envelope, partitions.of(visitor_id)

    broker.send_all(topic, messages())
    tables = directory / f"{topic}.tables.json"
    tables.write_text(json.dumps({"contacts": load.contacts, "contents": contents()}))
    return Loaded(load, first, topic, tables, batch.totals())


def load_bundles(broker: Broker, load: Workload, first: int, per_bundle: int) -> int:
    """Publish a workload's first events as the collector does, so many a bundle; returns how many bundles that made."""
    partitions = _Partitions()

    def messages() -> Iterator[tuple[bytes | None, bytes, int]]:
        waiting: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        for visitor_id, envelope in islice(events(load), first):
            partition = partitions.of(visitor_id)
            waiting[partition].append(envelope)
            if len(waiting[partition]) == per_bundle:
                yield None, bundle_bytes(waiting[partition]), partition
                waiting[partition] = []
        for partition, rest in enumerate(waiting):
            if rest:
                yield None, bundle_bytes(rest), partition

    return broker.send_all(EVENTS.name, messages())


def load_directory(broker: Broker, contacts: dict[str, str], accounts: Sequence[str] | None = None) -> int:
    """Publish contents, contacts and their accounts, and return their number."""

    def entities() -> Iterator[Account | Contact | Content]:
        for url, topics in contents().items():
            yield Content(url=url, title="What an hour of standstill costs", topics=tuple(topics))
        for account in sorted(set(contacts.values())) if accounts is None else accounts:
            yield Account(account_id=account, name=account, rep_id=_NOBODY)
        for contact, account in contacts.items():
            yield Contact(contact_id=contact, account_id=account, name=contact)

    return broker.send_all(
        DIRECTORY.name, ((entity.entity_id.encode(), entity.to_bytes(), -1) for entity in entities())
    )


class _Partitions:
    """The partition of each visitor, worked out once."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, visitor_id: str) -> int:
        known = self._known.get(visitor_id)
        if known is None:
            known = self._known[visitor_id] = partition_of(visitor_id, PARTITIONS)
        return known
