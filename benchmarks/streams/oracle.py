"""The job as a plain batch computation, which every pipeline's result must equal. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict


class Totals(TypedDict):
    """What is known of one account: milliseconds, page views with any reading, milliseconds by topic."""

    active_ms: int
    reads: int
    topics: dict[str, int]


class Batch:
    """Takes all events in any order, then computes; so it shares no thought with the streams it judges."""

    def __init__(self, contacts: Mapping[str, str], contents: Mapping[str, Sequence[str]]) -> None:
        """Take the tables that all are given: accounts by contact, topics by URL."""
        self._contacts = contacts
        self._contents = contents
        self._account_of: dict[str, str] = {}
        self._longest: dict[tuple[str, str, str], int] = {}

    def add(self, envelope: bytes) -> None:
        """Take one envelope."""
        told = json.loads(envelope)
        event = told["event"]
        if event["type"] == "identify":
            self._account_of[told["visitor_id"]] = self._contacts[event["contact_id"]]
        elif event["type"] == "page_progress":
            key = (told["visitor_id"], event["page_view_id"], event["url"])
            self._longest[key] = max(event["active_ms"], self._longest.get(key, 0))

    def totals(self) -> dict[str, Totals]:
        """Return what is known of each account that read anything."""
        found: dict[str, Totals] = {}
        for (visitor_id, _, url), active_ms in self._longest.items():
            if not active_ms or visitor_id not in self._account_of:
                continue
            totals = found.setdefault(self._account_of[visitor_id], Totals(active_ms=0, reads=0, topics={}))
            totals["active_ms"] += active_ms
            totals["reads"] += 1
            for topic in self._contents.get(url, ()):
                totals["topics"][topic] = totals["topics"].get(topic, 0) + active_ms
        return found


def digest(totals: Mapping[str, Totals]) -> str:
    """Return sixteen hex digits over all accounts as sorted canonical JSON lines."""
    lines = (json.dumps([account, totals[account]], sort_keys=True) for account in sorted(totals))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def differences(found: Mapping[str, Totals], expected: Mapping[str, Totals]) -> list[str]:
    """Return the accounts that are missing, wrong, or should not be there."""
    accounts: Iterable[str] = found.keys() | expected.keys()
    return sorted(account for account in accounts if found.get(account) != expected.get(account))
