"""What the store has of a person, as JSON, for the person who asks."""

import json
from typing import Any

from schemas.addresses import ADDRESS_PURPOSE
from schemas.settings import Settings
from sinks.clickhouse.client import connect
from sinks.clickhouse.erasing import people_of, rows_of
from sinks.clickhouse.queries import events_of

_MESSAGES = ("directory", "identified", "interest", "briefs", "deliveries", "outcomes")
_READ_COLUMNS = (
    "visitor_id", "site", "page_view_id", "url", "title", "started", "last", "active_ms", "depth_pct", "sections",
    "clicks", "submitted_forms",
)  # fmt: skip


def export(settings: Settings, kind: str, subject: str) -> dict[str, Any]:
    """Return all that the store has of a contact, a visitor or an account, as plain values.

    Raises:
        InputError: there is no such kind.
        UnavailableError: ClickHouse does not answer.
    """
    with connect(settings) as client:
        people = people_of(client, kind, subject, settings.signing_key(ADDRESS_PURPOSE))
        found: dict[str, Any] = {
            "subject": {"kind": kind, "id": subject},
            "visitors": list(people.visitors),
            "contacts": list(people.contacts),
        }
        for table in _MESSAGES:
            rows = rows_of(client, table, "message", people)
            found[table] = [json.loads(message) for (message,) in rows if message]
        found["events"] = [
            one.model_dump(mode="json", exclude_none=True)
            for one in events_of(client, people.visitors, people.contacts)
        ]
        found["reads"] = [
            dict(zip(_READ_COLUMNS, row, strict=True))
            for row in rows_of(client, "reads", ", ".join(_READ_COLUMNS), people)
        ]
        letters = rows_of(client, "dead_letters", "origin, reason, payload", people)
        found["dead_letters"] = [
            {"origin": origin, "reason": reason, "payload": payload} for origin, reason, payload in letters
        ]
    return found
