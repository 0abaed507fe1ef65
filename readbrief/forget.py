"""Forgetting a person everywhere: streams first, then topics, then tables, with a receipt that says what went."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from producers.bundling import bundle_bytes, envelope_bytes
from producers.publisher import Position, Publisher, partition_of
from readbrief.embedded.draining import wait_until_stored
from schemas.activity import Activity, Forgotten
from schemas.addresses import ADDRESS_PURPOSE
from schemas.dead_letter import DeadLetterStage
from schemas.envelope import Envelope
from schemas.events import Withdraw
from schemas.ids import derived_id
from schemas.rep_mail import RepMail
from schemas.settings import Settings
from schemas.topics import ACTIVITY, BRIEFS, DIRECTORY, EVENTS, INTEREST, TOPICS, Topic
from sinks.clickhouse.client import connect
from sinks.clickhouse.erasing import KEPT, People, accounts_touched, briefs_naming, erase, people_of
from streams.runner import GROUP

SITE = "readbrief"
TIMEOUT_S = 30
PAGE_VIEWS_PER_MESSAGE = 1000
_POLL_S = 0.1
_BOOTSTRAP_TIMEOUT_MS = 5_000


def forget(settings: Settings, kind: str, subject: str, wait_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Erase a contact, a visitor or an account, and return the receipt, as plain values.

    The streams are told first, stage by stage, and the tables are emptied once that has gone through, so that nothing
    that was under way comes back. If it has not within `wait_s` seconds each, the receipt says so, and the command is
    to be run again.

    Raises:
        InputError: there is no such kind.
        UnavailableError: ClickHouse or Kafka does not answer.
    """
    now_ms = time.time_ns() // 1_000_000
    with connect(settings) as client:
        people = people_of(client, kind, subject, settings.signing_key(ADDRESS_PURPOSE))
        accounts = sorted(accounts_touched(client, people))
        publisher = Publisher(settings.kafka_bootstrap, topics=(EVENTS.name,), delivery_timeout_s=TIMEOUT_S)
        with closing(publisher):
            publisher.connect(TIMEOUT_S)
            told = _tell_visitors(publisher, people, accounts, now_ms)
            through = [_wait_for(settings, DeadLetterStage.visitors, EVENTS, told, wait_s)]
            # What was stitched for them goes before, too.
            through.append(wait_until_stored(settings.kafka_bootstrap, wait_s))
            briefs = briefs_naming(client, people)
            told_accounts = _tell_accounts(publisher, people, accounts)
            through.append(_wait_for(settings, DeadLetterStage.accounts, ACTIVITY, told_accounts, wait_s))
            told_reps = _tell_reps(publisher, people, briefs)
            through.append(_wait_for(settings, DeadLetterStage.reps, BRIEFS, told_reps, wait_s))
            _settled(publisher.send(INTEREST.name, None, one.encode()) for one in people.accounts)
        through.append(wait_until_stored(settings.kafka_bootstrap, wait_s))
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
            "accounts_told": accounts,
            "reps_told": sorted(briefs),
            "gone_through": all(through),
        },
        "expires": {
            topic.name: f"within {topic.retention_ms // 86_400_000} days" for topic in TOPICS if topic.retention_ms
        },
        "kept": KEPT,
    }


def _tell_visitors(publisher: Publisher, people: People, accounts: Sequence[str], now_ms: int) -> list[Position]:
    """Put tombstones and withdrawals on the topics; return where the withdrawals stand."""
    # Summaries first: those that follow from the withdrawals stand behind these.
    _settled(publisher.send(INTEREST.name, None, account_id.encode()) for account_id in accounts)
    _settled(publisher.send(DIRECTORY.name, None, key.encode()) for key in people.entity_ids)
    partitions = publisher.partitions(EVENTS.name)
    told = []
    for visitor_id in people.visitors:
        partition = partition_of(visitor_id, partitions)
        value = bundle_bytes([envelope_bytes(_withdrawal(visitor_id, now_ms))])
        told.append(publisher.send(EVENTS.name, value, str(partition).encode(), partition))
    return _settled(told)


def _withdrawal(visitor_id: str, now_ms: int) -> Envelope:
    event = Withdraw(
        event_id=derived_id("forget", visitor_id, str(now_ms)), occurred_ms=now_ms, reason="forgotten", forget=True
    )
    return Envelope(
        site=SITE, visitor_id=visitor_id, sent_ms=now_ms, received_ms=now_ms, occurred_ms=now_ms, event=event
    )


def _tell_accounts(publisher: Publisher, people: People, accounts: Sequence[str]) -> list[Position]:
    """Tell each account whom to forget; that it is one itself comes last."""
    views = people.page_views
    parts = [views[i : i + PAGE_VIEWS_PER_MESSAGE] for i in range(0, len(views), PAGE_VIEWS_PER_MESSAGE)] or [()]
    sent = []
    for account_id in accounts:
        messages = [Forgotten(visitors=people.visitors, contacts=people.contacts, page_views=part) for part in parts]
        if account_id in people.accounts:
            messages.append(Forgotten(account=True))
        for one in messages:
            value = Activity(account_id=account_id, forgotten=one).to_bytes()
            sent.append(publisher.send(ACTIVITY.name, value, account_id.encode()))
    return _settled(sent)


def _tell_reps(publisher: Publisher, people: People, briefs: dict[str, list[str]]) -> list[Position]:
    mails = [
        RepMail(rep_id=rep_id, forgotten=tuple(names), forgotten_accounts=people.accounts)
        for rep_id, names in briefs.items()
    ]
    return _settled(publisher.send(BRIEFS.name, mail.to_bytes(), mail.rep_id.encode()) for mail in mails)


def _settled(sent: Iterable[Future[Position]]) -> list[Position]:
    """Wait for Kafka's acknowledgement of all that was sent."""
    return [one.result() for one in list(sent)]


def _wait_for(
    settings: Settings, stage: DeadLetterStage, topic: Topic, told: Sequence[Position], wait_s: float
) -> bool:
    """Wait until a stage has worked through what it was told; tells whether it has, in time."""
    if not told:
        return True
    wanted: dict[int, int] = {}
    for partition, offset in told:
        wanted[partition] = max(offset, wanted.get(partition, 0))
    deadline = time.monotonic() + wait_s
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap.split(","),
            group_id=GROUP.format(stage.value),
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
                if (consumer.committed(TopicPartition(topic.name, partition)) or 0) <= offset
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
