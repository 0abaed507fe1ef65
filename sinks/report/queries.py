"""What the weekly page asks ClickHouse. Each number on it names the query that made it, which anybody may run again."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from clickhouse_driver import Client
from clickhouse_driver.util.escape import escape_params

Row = dict[str, Any]


class Query(StrEnum):
    """The questions, each answered by one statement."""

    contents = "contents"
    movers = "movers"
    objections = "objections"
    topics = "topics"
    reps = "reps"
    owners = "owners"


_SQL: dict[Query, str] = {
    # What was read, how far, and how many left early: less than half the page in less than a quarter of its time. A
    # read is of the week in which it began, with what it came to within a week; after a longer pause it has begun anew.
    # The largest minute stands where none is said.
    Query.contents: """
SELECT
    r.url AS url,
    if(any(c.name) != '', any(c.name), if(any(r.title) != '', any(r.title), url)) AS title,
    count() AS reads,
    any(r.readers) AS readers,
    quantileExact(0.5)(r.active_ms) AS median_active_ms,
    countIf(r.depth_pct < 50
        AND r.active_ms < 0.25 * 1000 * if(c.reading_time_s = 0, 180, c.reading_time_s)) AS left_early,
    sumForEach(arrayMap(tenth -> toUInt64(r.depth_pct >= 10 * tenth), range(1, 11))) AS reached
FROM (
    SELECT
        url,
        any(page.title) AS title,
        any(page.readers) AS readers,
        min(each.2) AS minute,
        greatest(max(each.3), toUInt32(arraySum(arrayMap(ping -> ping.3, groupUniqArrayArray(each.5))))) AS active_ms,
        max(each.4) AS depth_pct
    FROM (
        SELECT
            url,
            max(title) AS title,
            uniqExactArrayIf(visitors, day BETWEEN toDate(%(since)s) AND toDate(%(until)s)) AS readers,
            minMap(starts) AS began,
            maxMap(views) AS counted,
            maxMap(depths) AS deepest,
            groupUniqArrayArray(pings) AS pinged
        FROM content_days
        WHERE day BETWEEN toDate(%(since)s) - 7 AND toDate(%(until)s) + 7
        GROUP BY url
    ) AS page
    ARRAY JOIN arrayConcat(
        arrayMap((view, minute) -> (view, minute, 0, 0, []), mapKeys(began), mapValues(began)),
        arrayMap((view, ms) -> (view, 4294967295, ms, 0, []), mapKeys(counted), mapValues(counted)),
        arrayMap((view, depth) -> (view, 4294967295, 0, depth, []), mapKeys(deepest), mapValues(deepest)),
        arrayMap(ping -> (ping.1, 4294967295, 0, 0, [ping]), pinged)
    ) AS each
    GROUP BY url, each.1
    HAVING fromUnixTimestamp64Milli(minute * 60000, 'UTC') >= %(since)s
        AND fromUnixTimestamp64Milli(minute * 60000, 'UTC') < %(until)s
) AS r
LEFT JOIN (
    SELECT url, name, reading_time_s FROM directory FINAL WHERE NOT deleted AND kind = 'content'
) AS c ON r.url = c.url
GROUP BY url
ORDER BY reads DESC, url
LIMIT 50
""",
    # What an account's people read in the days before its temperature rose. Whose newest summary is older than the week
    # has not become warmer in it, and of an account's people only those are looked for who read in these days.
    Query.movers: """
WITH
    (
        SELECT groupArray((account_id, as_of)) FROM (
            SELECT
                account_id,
                as_of,
                indexOf(['cold', 'warm', 'hot'], temperature) AS rank,
                lagInFrame(rank, 1, 1) OVER (
                    PARTITION BY account_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                ) AS rank_before
            FROM interest FINAL
            WHERE account_id IN (SELECT account_id FROM account_standings WHERE day >= toDate(%(since)s))
        )
        WHERE rank > rank_before AND as_of >= %(since)s AND as_of < %(until)s
    ) AS risen,
    (
        SELECT groupArray((account_id, visitor_id, valid_from, valid_until)) FROM identified_accounts FINAL
        WHERE account_id IN (SELECT tupleElement(arrayJoin(risen), 1)) AND NOT withdrawn
            AND contact_id IN (
                SELECT arrayJoin(readers) FROM account_days
                WHERE account_id IN (SELECT tupleElement(arrayJoin(risen), 1))
                    AND day BETWEEN toDate(%(since)s) - 7 AND toDate(%(until)s)
            )
    ) AS known
SELECT
    r.url AS url,
    if(any(c.name) != '', any(c.name), if(max(r.title) != '', max(r.title), url)) AS title,
    uniqExact(rises.account_id) AS accounts,
    uniqExact((r.visitor_id, r.page_view_id)) AS reads,
    arraySort(groupUniqArray(if(a.name != '', a.name, rises.account_id))) AS names
FROM (SELECT arrayJoin(risen) AS rise, rise.1 AS account_id, rise.2 AS as_of) AS rises
INNER JOIN (
    SELECT arrayJoin(known) AS span, span.1 AS account_id, span.2 AS visitor_id, span.3 AS valid_from,
        span.4 AS valid_until
) AS i ON i.account_id = rises.account_id
INNER JOIN (
    SELECT url, title, visitor_id, page_view_id, started FROM reads FINAL
    WHERE visitor_id IN (SELECT tupleElement(arrayJoin(known), 2))
        AND started >= %(since)s - INTERVAL 7 DAY AND started < %(until)s AND active_ms > 0
) AS r ON r.visitor_id = i.visitor_id
LEFT JOIN (SELECT url, name FROM directory FINAL WHERE NOT deleted AND kind = 'content') AS c ON c.url = r.url
LEFT JOIN (
    SELECT account_id, name FROM directory FINAL WHERE NOT deleted AND kind = 'account'
) AS a ON a.account_id = rises.account_id
WHERE r.started <= rises.as_of AND r.started > rises.as_of - INTERVAL 7 DAY
    AND r.started >= i.valid_from AND (i.valid_until IS NULL OR r.started < i.valid_until)
GROUP BY url
ORDER BY accounts DESC, reads DESC, url
LIMIT 50
""",
    # What reps heard, with the topics of the briefs it answers; the first topic is the weightiest.
    Query.objections: """
SELECT
    o.text AS text,
    o.rep_id AS rep_id,
    o.at AS at,
    arraySort(groupUniqArray(b.topics[1])) AS topics
FROM (
    SELECT outcome_id, text, rep_id, at, arrayJoin(brief_ids) AS brief_id FROM outcomes FINAL
    WHERE kind = 'objection' AND at >= %(since)s AND at < %(until)s
) AS o
LEFT JOIN (
    SELECT brief_id, topics FROM briefs FINAL
    WHERE account_id IN (
        SELECT arrayJoin(account_ids) FROM outcomes WHERE kind = 'objection' AND at >= %(since)s AND at < %(until)s
    )
) AS b ON b.brief_id = o.brief_id
GROUP BY o.outcome_id, text, rep_id, at
ORDER BY at, o.outcome_id
LIMIT 200
""",
    # Which contents there are on each topic: those read to the end most often in the last thirty days come first.
    Query.topics: """
SELECT topic, groupArray(name) AS contents
FROM (
    SELECT arrayJoin(c.topics) AS topic, c.name AS name, r.ended AS ended
    FROM (
        SELECT url, name, topics FROM directory FINAL WHERE NOT deleted AND kind = 'content'
    ) AS c
    LEFT JOIN (
        SELECT
            url,
            uniqExactArray(arrayFilter((view, depth) -> depth >= 90, mapKeys(depths), mapValues(depths))) AS ended
        FROM content_days
        WHERE day BETWEEN toDate(%(until)s) - 30 AND toDate(%(until)s)
        GROUP BY url
    ) AS r ON r.url = c.url
    ORDER BY topic, ended DESC, name
)
GROUP BY topic
ORDER BY topic
""",
    # What became of the briefs sent in the week. An action is an answer, a click or a call; a machine's does not count.
    # A mail that came back was not sent; the same brief by another channel was, if there is one. What was sent before
    # within a month, and is sent again, is not of this week.
    Query.reps: """
SELECT
    o.told_id AS rep_id,
    any(d.name) AS name,
    count() AS sent,
    countIf(o.was_opened) AS opened,
    countIf(o.was_useful) AS useful,
    countIf(o.was_not_useful) AS not_useful,
    countIf(o.acted_ms > 0) AS acted,
    toFloat64(quantileExactIf(0.5)(o.acted_ms - o.sent_ms, o.acted_ms > 0)) AS median_first_action_ms
FROM (
    SELECT
        arrayJoin(brief_ids) AS brief_id,
        any(rep_outcomes.rep_id) AS told_id,
        minIf(toUnixTimestamp64Milli(at), kind = 'sent') AS sent_ms,
        countIf(kind = 'opened' AND NOT suspected) > 0 AS was_opened,
        countIf(kind = 'useful') > 0 AS was_useful,
        countIf(kind = 'not_useful') > 0 AS was_not_useful,
        minIf(toUnixTimestamp64Milli(at), NOT suspected
            AND kind IN ('clicked', 'useful', 'not_useful', 'objection', 'call_made')) AS acted_ms
    FROM rep_outcomes FINAL
    WHERE day BETWEEN toDate(%(since)s) - 30 AND toDate(%(until)s) AND at < %(until)s
        AND NOT (kind = 'sent' AND delivery_id IN (
            SELECT delivery_id FROM rep_outcomes WHERE kind = 'bounced' AND day >= toDate(%(since)s) - 30
        ))
    GROUP BY brief_id
    HAVING countIf(kind = 'sent') > 0
        AND sent_ms >= toUnixTimestamp64Milli(toDateTime64(%(since)s, 3, 'UTC'))
) AS o
LEFT JOIN (
    SELECT rep_id AS id, name FROM directory FINAL WHERE NOT deleted AND kind = 'rep'
) AS d ON d.id = o.told_id
GROUP BY rep_id
ORDER BY sent DESC, rep_id
""",
    # Accounts that nobody in the directory looks after, the warmest first.
    Query.owners: """
WITH ownerless AS (
    SELECT account_id, name, lifecycle FROM directory FINAL
    WHERE NOT deleted AND kind = 'account'
        AND rep_id NOT IN (SELECT rep_id FROM directory FINAL WHERE NOT deleted AND kind = 'rep')
)
SELECT a.account_id AS account_id, a.name AS name, a.lifecycle AS lifecycle, i.temperature AS temperature
FROM ownerless AS a
LEFT JOIN (
    SELECT account_id, argMax(temperature, as_of) AS temperature, argMax(score, as_of) AS score
    FROM interest FINAL
    WHERE account_id IN (SELECT account_id FROM ownerless) AND as_of < %(until)s
    GROUP BY account_id
) AS i ON i.account_id = a.account_id
ORDER BY i.score DESC, account_id
LIMIT 50
""",
}  # every table is read with FINAL: what came twice counts once


def ask(client: Client, query: Query, since_ms: int, until_ms: int) -> list[Row]:
    """Return a query's rows, by the names of their columns, for a stretch of time in Unix ms."""
    rows, columns = client.execute(_SQL[query], _given(since_ms, until_ms), with_column_types=True)
    return [dict(zip((name for name, _ in columns), row, strict=True)) for row in rows]


def as_run(query: Query, since_ms: int, until_ms: int) -> str:
    """Return a query with its values filled in, as anybody may run it again."""
    filled: dict[str, str] = escape_params(_given(since_ms, until_ms), None)
    return (_SQL[query] % filled).strip()


def _given(since_ms: int, until_ms: int) -> dict[str, str]:
    return {"since": _moment(since_ms), "until": _moment(until_ms)}


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
