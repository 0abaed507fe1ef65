"""Who a visitor is taken for, and taking that back: checked against the store, then published as an event."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from producers.bundling import bundle_bytes, envelope_bytes
from producers.publisher import Publisher, partition_of
from schemas.activity import Identified
from schemas.envelope import Envelope
from schemas.errors import InputError
from schemas.events import Identify, Withdraw
from schemas.ids import derived_id
from schemas.message import first_error
from schemas.settings import Settings
from schemas.topics import EVENTS
from sinks.broker_wait import wait_for_broker
from sinks.clickhouse import queries
from sinks.clickhouse.client import connect

BROKER_WAIT_S = 5
TIMEOUT_S = 30
SITE = "readbrief"
"""The site that a command's events name: they come from none."""


@dataclass(frozen=True)
class Known:
    """What the store has on who a visitor is: whom it is taken for now, and every event that told or took back."""

    visitor_id: str
    spans: tuple[Identified, ...]
    events: tuple[Envelope, ...]

    @property
    def evidence(self) -> tuple[Identify, ...]:
        """The events that told, also those that were taken back."""
        return tuple(one.event for one in self.events if isinstance(one.event, Identify))

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values; times in Unix milliseconds."""
        kept = {"contact_id", "account_id", "method", "confidence", "evidence_ms", "from_ms", "until_ms"}
        return {
            "visitor_id": self.visitor_id,
            "is": [span.model_dump(mode="json", include=kept) for span in self.spans],
            "events": [{**one.event.model_dump(mode="json"), "occurred_ms": one.occurred_ms} for one in self.events],
        }


def known_of(settings: Settings, visitor_id: str) -> Known:
    """Return what the store has on who a visitor is.

    Raises:
        UnavailableError: ClickHouse does not answer.
    """
    with connect(settings) as client:
        spans = tuple(queries.identified_spans(client, visitor_id))
        return Known(visitor_id, spans, tuple(queries.identifying_events(client, visitor_id)))


def withdraw(
    settings: Settings, visitor_id: str, evidence_id: str | None, contact_id: str | None, reason: str, now_ms: int
) -> Withdraw:
    """Take back who a visitor was said to be, and return the event once it is acknowledged.

    Raises:
        InputError: nothing of the kind is known of the visitor, or an argument breaks a rule.
        UnavailableError: ClickHouse or Kafka does not answer.
    """
    event = withdrawal(visitor_id, evidence_id, contact_id, reason, now_ms)
    wait_for_broker(settings.kafka_bootstrap, BROKER_WAIT_S, threading.Event())
    check_known(known_of(settings, visitor_id), evidence_id, contact_id)
    envelope = Envelope(
        site=SITE, visitor_id=visitor_id, sent_ms=now_ms, received_ms=now_ms, occurred_ms=now_ms, event=event
    )
    publisher = Publisher(settings.kafka_bootstrap, topics=(EVENTS.name,), delivery_timeout_s=TIMEOUT_S)
    try:
        publisher.connect(TIMEOUT_S)
        partition = partition_of(visitor_id, publisher.partitions(EVENTS.name))
        publisher.publish(EVENTS.name, bundle_bytes([envelope_bytes(envelope)]), str(partition).encode(), partition)
    finally:
        publisher.close()
    return event


def withdrawal(visitor_id: str, evidence_id: str | None, contact_id: str | None, reason: str, now_ms: int) -> Withdraw:
    """Return the event that takes back one piece of evidence, all about a contact, or all there was.

    Raises:
        InputError: both are named, there is no reason, or an id is none.
    """
    if evidence_id and contact_id:
        raise InputError("name an event or a contact, not both")
    if not reason.strip():
        raise InputError("--reason: say why, for those who look at it later")
    try:
        event_id = derived_id("withdraw", visitor_id, evidence_id or "", contact_id or "", str(now_ms))
        return Withdraw(
            event_id=event_id,
            occurred_ms=now_ms,
            evidence_id=evidence_id,
            contact_id=contact_id,
            reason=reason.strip(),
        )
    except ValidationError as error:
        raise InputError(first_error(error)) from error


def check_known(known: Known, evidence_id: str | None, contact_id: str | None) -> None:
    """Check that there is something to take back.

    Raises:
        InputError: there is not; the message says what there is.
    """
    if not known.evidence and not known.spans:
        raise InputError(f"visitor {known.visitor_id!r} is not known to be anybody: nothing to withdraw")
    if evidence_id and evidence_id not in {one.event_id for one in known.evidence}:
        told = _listed([f"{one.event_id} ({one.contact_id}, {one.method.value})" for one in known.evidence])
        raise InputError(f"no event {evidence_id!r} told who visitor {known.visitor_id!r} is; those that did: {told}")
    contacts = [one.contact_id for one in known.evidence] + [span.contact_id for span in known.spans]
    if contact_id and contact_id not in contacts:
        named = _listed([name for name in dict.fromkeys(contacts) if name])
        raise InputError(f"visitor {known.visitor_id!r} was never said to be {contact_id!r}, but {named}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
