"""What the store gives back: a visitor's history, and all that the streams' state is rebuilt from.

A result is read while it arrives: until it is exhausted or closed, its client can't be used for anything else.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from clickhouse_driver import Client

from schemas.activity import Identified
from schemas.brief import Brief
from schemas.decision import Decision
from schemas.delivery import Delivery, Outcome
from schemas.directory import Account, Contact, Content, OptOut, Rep, entry_from_bytes
from schemas.envelope import Envelope
from sinks.clickhouse.event_rows import STORED_COLUMNS, envelope_of

T = TypeVar("T")

CHUNK = 1000

_TIMES = ("happened", "received")
_COLUMNS = ", ".join(
    f"toUnixTimestamp64Milli({name}) AS {name}_ms" if name in _TIMES else name for name in STORED_COLUMNS
)
# A source that gives an event another time when it sends it again has two rows of it: the last received stands.
_EACH_ONCE = "ORDER BY received DESC, happened DESC LIMIT 1 BY visitor_id, site, event_id"


def visitor_events(client: Client, visitor_id: str, since_ms: int, until_ms: int | None) -> Iterator[Envelope]:
    """Return a visitor's events of `since_ms <= occurred < until_ms`, each once, in the order they occurred.

    Nothing is received before it occurred, so the months of receipt before that are not looked into; a day is left for
    the clocks of those who tell of mails.
    """
    query = """
          visitor_id = %(visitor_id)s
          AND received >= fromUnixTimestamp64Milli(greatest(%(since_ms)s - 86400000, 0))
          AND toUnixTimestamp64Milli(occurred) >= %(since_ms)s
          AND (%(until_ms)s IS NULL OR toUnixTimestamp64Milli(occurred) < %(until_ms)s)
    """
    given = {"visitor_id": visitor_id, "since_ms": since_ms, "until_ms": until_ms}
    return _events(client, query, given, "occurred, event_id")


def known_visitors_events(client: Client, since_ms: int) -> Iterator[list[Envelope]]:
    """Return the events received since then that concern known people, each once, as received, in chunks.

    These are all events of visitors who were identified at any time, by an event or by their network, and all that was
    told of mails. The events that identify, or take that back, come from any time: who is known stays known.
    """
    query = """
          type IN ('identify', 'withdraw')
           OR (toUnixTimestamp64Milli(received) >= %(since_ms)s
               AND (startsWith(type, 'email_')
                    OR visitor_id IN (SELECT visitor_id FROM events WHERE type = 'identify')
                    OR visitor_id IN (SELECT visitor_id FROM identified)))
    """
    envelopes = _events(client, query, {"since_ms": since_ms}, "received, visitor_id, event_id")
    while chunk := list(islice(envelopes, CHUNK)):
        yield chunk


def events_between(client: Client, since_ms: int, until_ms: int) -> Iterator[list[Envelope]]:
    """Return the events of `since_ms <= received < until_ms`, each once, as received, in chunks."""
    query = "toUnixTimestamp64Milli(received) >= %(since_ms)s AND toUnixTimestamp64Milli(received) < %(until_ms)s"
    given = {"since_ms": since_ms, "until_ms": until_ms}
    envelopes = _events(client, query, given, "received, visitor_id, event_id")
    while chunk := list(islice(envelopes, CHUNK)):
        yield chunk


def events_of(client: Client, visitors: Sequence[str], contacts: Sequence[str]) -> Iterator[Envelope]:
    """Return the events of visitors, and of mails to contacts, each once, in the order they occurred."""
    query = "has(%(visitors)s, visitor_id) OR has(%(contacts)s, contact_id)"
    return _events(client, query, {"visitors": list(visitors), "contacts": list(contacts)}, "occurred, event_id")


def identifying_events(client: Client, visitor_id: str) -> Iterator[Envelope]:
    """Return the events that told who a visitor is, or took that back, in the order they occurred."""
    query = """
          visitor_id = %(visitor_id)s AND type IN ('identify', 'withdraw') AND NOT automated
    """
    return _events(client, query, {"visitor_id": visitor_id}, "occurred, event_id")


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
    """Return the briefs that are in no delivery, and part of none that is, in order of decision."""
    query = """
        SELECT message FROM briefs FINAL
        WHERE brief_id NOT IN (SELECT arrayJoin(brief_ids) FROM deliveries)
          AND brief_id NOT IN (
              SELECT arrayJoin(arrayMap(
                  id -> JSONExtractString(id),
                  arrayFlatten(arrayMap(
                      brief -> JSONExtractArrayRaw(brief, 'merges'), JSONExtractArrayRaw(message, 'briefs')))
              )) FROM deliveries)
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
    """Return the deliveries whose end was not told, in order of release."""
    query = """
        SELECT message FROM deliveries FINAL
        WHERE delivery_id NOT IN (SELECT delivery_id FROM outcomes WHERE kind IN ('sent', 'failed', 'uncertain'))
        ORDER BY released, delivery_id
    """
    return _texts(client, query, {}, Delivery.model_validate_json)


def delivery(client: Client, delivery_id: str) -> Delivery | None:
    """Return a delivery by its id, None if it is not stored."""
    query = "SELECT message FROM deliveries FINAL WHERE delivery_id = %(delivery_id)s"
    found = list(_texts(client, query, {"delivery_id": delivery_id}, Delivery.model_validate_json))
    return found[0] if found else None


def ends(client: Client, delivery_id: str) -> Iterator[Outcome]:
    """Return how the sending of a delivery ended; a mail may be sent and come back."""
    query = """
        SELECT message FROM outcomes FINAL
        WHERE delivery_id = %(delivery_id)s AND kind IN ('sent', 'failed', 'uncertain', 'bounced')
        ORDER BY at, outcome_id
    """
    return _texts(client, query, {"delivery_id": delivery_id}, Outcome.model_validate_json)


def answers(client: Client, since_ms: int) -> Iterator[Outcome]:
    """Return what reps did with messages and said of them since then, in order."""
    query = """
        SELECT message FROM outcomes FINAL
        WHERE kind NOT IN ('sent', 'failed', 'uncertain', 'bounced') AND toUnixTimestamp64Milli(at) >= %(since_ms)s
        ORDER BY at, outcome_id
    """
    return _texts(client, query, {"since_ms": since_ms}, Outcome.model_validate_json)


def decisions_on(client: Client, account_id: str) -> Iterator[Decision]:
    """Return what was decided about telling of an account, in order."""
    query = "SELECT message FROM decisions FINAL WHERE account_id = %(account_id)s ORDER BY at, decision_id"
    return _texts(client, query, {"account_id": account_id}, Decision.model_validate_json)


def briefs_on(client: Client, account_id: str) -> Iterator[Brief]:
    """Return the briefs on an account, in order of decision."""
    query = "SELECT message FROM briefs FINAL WHERE account_id = %(account_id)s ORDER BY decided, brief_id"
    return _texts(client, query, {"account_id": account_id}, Brief.model_validate_json)


def outcomes_on(client: Client, account_id: str) -> Iterator[Outcome]:
    """Return what became of the messages about an account, and what reps answered, in order."""
    query = """
        SELECT message FROM outcomes FINAL
        WHERE (kind, rep_id, outcome_id) IN (
            SELECT kind, rep_id, outcome_id FROM brief_outcomes
            WHERE brief_id IN (SELECT brief_id FROM briefs WHERE account_id = %(account_id)s)
        )
        ORDER BY at, outcome_id
    """
    return _texts(client, query, {"account_id": account_id}, Outcome.model_validate_json)


def directory_entries(client: Client) -> Iterator[Account | Contact | Rep | Content | OptOut]:
    """Return all that the directory has now, by id."""
    query = "SELECT message FROM directory FINAL WHERE NOT deleted ORDER BY entity_id"
    return _texts(client, query, {}, lambda text: entry_from_bytes(text.encode()))


def _events(client: Client, condition: str, given: dict[str, Any], order: str) -> Iterator[Envelope]:
    # The inner query alone sees the times as they are stored; what is put in is this file's own text.
    query = f"""
        SELECT {", ".join(f"{name}_ms" if name in _TIMES else name for name in STORED_COLUMNS)} FROM
        (SELECT {_COLUMNS}, occurred, received FROM events FINAL WHERE {condition} {_EACH_ONCE})
        ORDER BY {order}
    """  # noqa: S608
    for row in client.execute_iter(query, given):
        yield envelope_of(row)


def _texts(client: Client, query: str, given: dict[str, Any], parse: Callable[[str], T]) -> Iterator[T]:
    for (text,) in client.execute_iter(query, given):
        yield parse(text)
