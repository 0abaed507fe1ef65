"""What the store gives back: a visitor's history, and all that the streams' state is rebuilt from.

A result is read while it arrives: until it is exhausted or closed, its client can't be used for anything else.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

from clickhouse_driver import Client

from schemas.activity import Identified
from schemas.brief import Brief
from schemas.delivery import Delivery
from schemas.directory import Account, Contact, Content, Rep, entity_from_bytes
from schemas.envelope import Envelope

T = TypeVar("T")

CHUNK = 1000


def visitor_events(client: Client, visitor_id: str, since_ms: int, until_ms: int | None) -> Iterator[Envelope]:
    """Return a visitor's events of `since_ms <= occurred < until_ms`, each once, in the order they occurred."""
    query = """
        SELECT envelope FROM events FINAL
        WHERE visitor_id = %(visitor_id)s
          AND toUnixTimestamp64Milli(occurred) >= %(since_ms)s
          AND (%(until_ms)s IS NULL OR toUnixTimestamp64Milli(occurred) < %(until_ms)s)
        ORDER BY occurred, event_id
    """
    given = {"visitor_id": visitor_id, "since_ms": since_ms, "until_ms": until_ms}
    return _texts(client, query, given, Envelope.model_validate_json)


def known_visitors_events(client: Client, since_ms: int) -> Iterator[list[Envelope]]:
    """Return the events received since then that concern known people, each once, as received, in chunks.

    These are all events of visitors who were identified at any time, by an event or by their network, and all that was
    told of mails. The events that identify, or take that back, come from any time: who is known stays known.
    """
    query = """
        SELECT envelope FROM events FINAL
        WHERE type IN ('identify', 'withdraw')
           OR (toUnixTimestamp64Milli(received) >= %(since_ms)s
               AND (startsWith(type, 'email_')
                    OR visitor_id IN (SELECT visitor_id FROM events WHERE type = 'identify')
                    OR visitor_id IN (SELECT visitor_id FROM identified)))
        ORDER BY received, visitor_id, event_id
    """
    envelopes = _texts(client, query, {"since_ms": since_ms}, Envelope.model_validate_json)
    while chunk := list(islice(envelopes, CHUNK)):
        yield chunk


def identifying_events(client: Client, visitor_id: str) -> Iterator[Envelope]:
    """Return the events that told who a visitor is, or took that back, in the order they occurred."""
    query = """
        SELECT envelope FROM events FINAL
        WHERE visitor_id = %(visitor_id)s AND type IN ('identify', 'withdraw') AND NOT automated
        ORDER BY occurred, event_id
    """
    return _texts(client, query, {"visitor_id": visitor_id}, Envelope.model_validate_json)


def identified_spans(client: Client, visitor_id: str) -> Iterator[Identified]:
    """Return who a visitor is taken for, in order of time; what turned out to be wrong is left out."""
    query = """
        SELECT message FROM identified FINAL
        WHERE visitor_id = %(visitor_id)s AND NOT withdrawn
        ORDER BY valid_from, contact_id
    """
    return _texts(client, query, {"visitor_id": visitor_id}, Identified.model_validate_json)


def told_briefs(client: Client, since_ms: int) -> Iterator[Brief]:
    """Return the briefs decided since then, in order of decision."""
    query = """
        SELECT message FROM briefs FINAL
        WHERE toUnixTimestamp64Milli(decided) >= %(since_ms)s
        ORDER BY decided, brief_id
    """
    return _texts(client, query, {"since_ms": since_ms}, Brief.model_validate_json)


def unreleased_briefs(client: Client) -> Iterator[Brief]:
    """Return the briefs that are in no delivery, in order of decision."""
    query = """
        SELECT message FROM briefs FINAL
        WHERE brief_id NOT IN (SELECT arrayJoin(brief_ids) FROM deliveries)
        ORDER BY decided, brief_id
    """
    return _texts(client, query, {}, Brief.model_validate_json)


def deliveries(client: Client, since_ms: int) -> Iterator[Delivery]:
    """Return the deliveries released since then, in order of release."""
    query = """
        SELECT message FROM deliveries FINAL
        WHERE toUnixTimestamp64Milli(released) >= %(since_ms)s
        ORDER BY released, delivery_id
    """
    return _texts(client, query, {"since_ms": since_ms}, Delivery.model_validate_json)


def open_deliveries(client: Client) -> Iterator[Delivery]:
    """Return the deliveries without an outcome, in order of release."""
    query = """
        SELECT message FROM deliveries FINAL
        WHERE delivery_id NOT IN (SELECT delivery_id FROM outcomes)
        ORDER BY released, delivery_id
    """
    return _texts(client, query, {}, Delivery.model_validate_json)


def directory_entities(client: Client) -> Iterator[Account | Contact | Rep | Content]:
    """Return every entity that is in the directory now, by id."""
    query = "SELECT message FROM directory FINAL WHERE NOT deleted ORDER BY entity_id"
    return _texts(client, query, {}, lambda text: entity_from_bytes(text.encode()))


def _texts(client: Client, query: str, given: dict[str, Any], parse: Callable[[str], T]) -> Iterator[T]:
    for (text,) in client.execute_iter(query, given):
        yield parse(text)
