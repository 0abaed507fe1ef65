"""How long each table keeps its rows: from the settings, put on the tables by every migration run."""

from collections.abc import Mapping

from clickhouse_driver import Client

from schemas.errors import InputError
from sinks.clickhouse.ddl import on_cluster

_AGE: Mapping[str, str] = {
    "account_days": "day",
    "account_standings": "day",
    "activity": "occurred",
    "content_days": "day",
    "events": "received",
    "reads": "last",
    "identified": "recorded",
    "interest": "as_of",
    "briefs": "decided",
    "rep_briefs": "day",
    "deliveries": "released",
    "decisions": "at",
    "outcomes": "at",
    "rep_outcomes": "day",
    "brief_outcomes": "at",
    "sent_messages": "at",
    "dead_letters": "at",
    "page_reads": "day",
    "page_clicks": "day",
}
"""What tells a row's age. The ledger of deliveries and the directory are in no table: they are kept for good."""


def table_names() -> tuple[str, ...]:
    """Return the tables whose rows may be given a last day."""
    return tuple(sorted(_AGE))


def changes(keep_days: Mapping[str, int], engines: Mapping[str, str], cluster: str = "") -> list[str]:
    """Return the statements that bring tables, given by their engines' text, to what is to be kept. Pure.

    A table that is not named keeps its rows for good. Rows that are too old already go with the next merges.

    Raises:
        InputError: a table is named that can't lose rows by their age.
    """
    unknown = sorted(keep_days.keys() - _AGE.keys())
    if unknown:
        raise InputError(
            f"READBRIEF_CLICKHOUSE_KEEP_DAYS names {', '.join(unknown)}; rows can expire in {', '.join(table_names())}"
        )
    made = []
    for table in sorted(engines.keys() & _AGE.keys()):
        wanted = ttl(table, keep_days[table]) if table in keep_days else None
        if wanted and f"TTL {wanted}" not in engines[table]:
            made.append(f"ALTER TABLE {table} MODIFY TTL {wanted} SETTINGS materialize_ttl_after_modify = 0")
        elif not wanted and " TTL " in engines[table]:
            made.append(f"ALTER TABLE {table} REMOVE TTL")
    return [on_cluster(sql, cluster) if cluster else sql for sql in made]


def ttl(table: str, days: int) -> str:
    """Return the expression after which a table's row goes, as ClickHouse writes it."""
    return f"toDateTime({_AGE[table]}) + toIntervalDay({days})"


def engines_of(client: Client) -> dict[str, str]:
    """Return what stands behind ENGINE for each of the database's tables."""
    return dict(client.execute("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()"))
