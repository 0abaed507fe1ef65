"""What the pages ask: each reads the rows of its own page, account or visitor, and of the days asked for.

Days are dates in UTC, the first and the last are both meant. Durations are in milliseconds.
"""

from datetime import date
from typing import Any, NamedTuple

from clickhouse_driver import Client


class ContentDay(NamedTuple):
    """How much a page was read on one day."""

    day: date
    url: str
    title: str
    views: int
    visitors: int
    active_ms: int


class Spot(NamedTuple):
    """Clicks on one twentieth by one twentieth of an element, for one class of windows."""

    viewport: str
    element: str
    x: int
    y: int
    clicks: int
    rage: int
    dead: int


class ScrollCurve(NamedTuple):
    """How far a page's views came: `reached[n]` came at least n tenths deep; `band_ms[n]` is the time in tenth n."""

    views: int
    reached: tuple[int, ...]
    band_ms: tuple[int, ...]


class AccountDay(NamedTuple):
    """How much an account read of one page on one day, as the streams were told."""

    day: date
    url: str
    views: int
    active_ms: int
    readers: tuple[str, ...]


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


LAYOUTS = {"mobile": 1, "tablet": 2, "desktop": 3}

CONTENT_BY_DAY = """
    SELECT day, url, max(title), length(maxMap(views)), length(groupUniqArrayArray(visitors)),
           arraySum(mapValues(maxMap(views))) + arraySum(mapValues(maxMap(beats)))
    FROM content_days
    WHERE day BETWEEN %(first)s AND %(last)s
    GROUP BY day, url
    ORDER BY day, url
"""

HEATMAP = """
    SELECT viewport, element, x, y, length(groupUniqArrayArray(clicks)), length(groupUniqArrayArray(rage)),
           length(groupUniqArrayArray(dead))
    FROM click_days
    WHERE url = %(url)s AND day BETWEEN %(first)s AND %(last)s
    GROUP BY viewport, element, x, y
    ORDER BY viewport, element, x, y
"""

# With a class of windows, only the page views whose opening told of that class.
SCROLL_CURVE = """
    WITH
        maxMap(depths) AS all_depths,
        maxMap(layouts) AS of_view,
        %(layout)s AS layout,
        mapFilter((view, depth) -> layout = 0 OR of_view[view] = layout, all_depths) AS kept,
        mapKeys(kept) AS views,
        arrayMap(view -> bitShiftRight(view, 4), views) AS stems,
        mapFilter((key, ms) -> layout = 0 OR has(stems, bitShiftRight(key, 4)), maxMap(bands)) AS kept_bands
    SELECT
        length(views),
        arrayMap(tenth -> arrayCount(depth -> depth >= tenth * 10, mapValues(kept)), range(11)),
        arrayMap(
            tenth -> arraySum(mapValues(mapFilter((key, ms) -> bitAnd(key, 15) = tenth, kept_bands))), range(10)
        )
    FROM content_days
    WHERE url = %(url)s AND day BETWEEN %(first)s AND %(last)s
"""

ACCOUNT_BY_DAY = """
    SELECT day, url, length(maxMap(views)), arraySum(mapValues(maxMap(views))) + arraySum(mapValues(maxMap(beats))),
           arraySort(groupUniqArrayArray(readers))
    FROM account_days
    WHERE account_id = %(account_id)s AND day BETWEEN %(first)s AND %(last)s
    GROUP BY day, url
    ORDER BY day, url
"""

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


def content_by_day(client: Client, first: date, last: date) -> list[ContentDay]:
    """Return what was read on each day, page by page."""
    return [ContentDay(*row) for row in client.execute(CONTENT_BY_DAY, {"first": first, "last": last})]


def heatmap(client: Client, url: str, first: date, last: date) -> list[Spot]:
    """Return where a page was clicked, by canonical URL."""
    return [Spot(*row) for row in client.execute(HEATMAP, {"url": url, "first": first, "last": last})]


def scroll_curve(client: Client, url: str, first: date, last: date, viewport: str | None = None) -> ScrollCurve:
    """Return how far a page was read, by canonical URL; of one class of windows, if it is named."""
    given: dict[str, Any] = {"url": url, "first": first, "last": last}
    given["layout"] = LAYOUTS[viewport] if viewport else 0
    ((views, reached, band_ms),) = client.execute(SCROLL_CURVE, given)
    return ScrollCurve(views, tuple(reached), tuple(band_ms))


def account_by_day(client: Client, account_id: str, first: date, last: date) -> list[AccountDay]:
    """Return what an account read on each day, page by page."""
    given = {"account_id": account_id, "first": first, "last": last}
    found = client.execute(ACCOUNT_BY_DAY, given)
    return [AccountDay(day, url, views, active_ms, tuple(readers)) for day, url, views, active_ms, readers in found]


def account_timeline(client: Client, account_id: str, first: date, last: date, limit: int = 200) -> list[AccountRead]:
    """Return an account's reads, newest first, each by whom it is now taken to be."""
    given = {"account_id": account_id, "first": first, "last": last, "limit": limit}
    return [AccountRead(*row) for row in client.execute(ACCOUNT_TIMELINE, given)]
