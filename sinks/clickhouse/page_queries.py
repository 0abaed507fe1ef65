"""What an account's page asks of reads: those of its own visitors, of the days asked for.

Days are dates in UTC, the first and the last are both meant. Durations are in milliseconds.
"""

from datetime import date
from typing import NamedTuple

from clickhouse_driver import Client


class AccountRead(NamedTuple):
    """One read of an account, by whom it is now taken to be; `started` and `last` are Unix milliseconds."""

    started_ms: int
    last_ms: int
    visitor_id: str
    contact_id: str
    page_view_id: str
    url: str
    title: str
    active_ms: int
    depth_pct: int


ACCOUNT_TIMELINE = """
    WITH spans AS (
        SELECT visitor_id, contact_id, valid_from, valid_until FROM identified_accounts FINAL
        WHERE account_id = %(account_id)s AND NOT withdrawn
    )
    SELECT toUnixTimestamp64Milli(started) AS started_ms, toUnixTimestamp64Milli(last) AS last_ms, visitor_id,
           contact_id, page_view_id, url, title, active_ms, depth_pct
    FROM (
        SELECT visitor_id, page_view_id, started, last, url, title, active_ms, depth_pct FROM reads FINAL
        WHERE visitor_id IN (SELECT visitor_id FROM spans)
    ) AS mine
    INNER JOIN spans USING (visitor_id)
    WHERE started >= valid_from AND (valid_until IS NULL OR started < valid_until)
      AND toDate(started) BETWEEN %(first)s AND %(last)s
    ORDER BY started DESC, page_view_id
    LIMIT %(limit)s
"""


def account_timeline(client: Client, account_id: str, first: date, last: date, limit: int = 200) -> list[AccountRead]:
    """Return an account's reads, newest first, each by whom it is now taken to be."""
    given = {"account_id": account_id, "first": first, "last": last, "limit": limit}
    return [AccountRead(*row) for row in client.execute(ACCOUNT_TIMELINE, given)]
