"""Why an account was told of, and why not, for the command line: in English, with ids and times by UTC."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from schemas.brief import Brief
from schemas.decision import Decision
from schemas.delivery import Outcome
from schemas.settings import Settings
from sinks.clickhouse import queries
from sinks.clickhouse.client import connect
from sinks.web.explained import Teller
from sinks.web.words import words_for


class Entry(NamedTuple):
    """One thing that happened: when, of which brief, in words, and the record that says so."""

    at_ms: int
    brief_id: str
    says: str
    record: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values; times in Unix milliseconds."""
        return {"at_ms": self.at_ms, "brief_id": self.brief_id, "says": self.says, **self.record}

    def line(self) -> str:
        """Return it as a line of text, by UTC."""
        about = f"  [{self.brief_id}]" if self.brief_id else ""
        return f"{moment(self.at_ms)}  {self.says}{about}"


def explain(settings: Settings, account_id: str) -> list[Entry]:
    """Return what was decided about an account and what came of it, in order.

    Raises:
        UnavailableError: ClickHouse does not answer.
    """
    with connect(settings) as client:
        briefs = list(queries.briefs_on(client, account_id))
        decisions = list(queries.decisions_on(client, account_id))
        return timeline(briefs, decisions, list(queries.outcomes_on(client, account_id)))


def timeline(briefs: Iterable[Brief], decisions: Iterable[Decision], outcomes: Iterable[Outcome]) -> list[Entry]:
    """Return what the records say, in order of time; of one moment, the brief, what was decided, what came of it."""
    teller = Teller(words_for("en"), str, moment)
    return [Entry(*entry) for entry in teller.timeline(briefs, decisions, outcomes)]


def moment(at_ms: int) -> str:
    """Return a moment as date and time of day, by UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
