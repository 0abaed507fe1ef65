"""What the page of one account asks."""

from typing import TYPE_CHECKING

from sinks.clickhouse.page_queries import ACCOUNT_TIMELINE
from sinks.web.questions import Given, Question

if TYPE_CHECKING:
    from sinks.web.asked import Asked

MAX_READS = 200


def _of_account(asked: "Asked") -> Given:
    return {**{name: asked.seen[name] for name in ("account_id", "first", "last")}, "limit": MAX_READS}


READS = Question("account-reads", ACCOUNT_TIMELINE, _of_account, of_account=True)

MAILS = Question(
    "account-mails",
    """
-- Mails that people of the account opened or clicked.
SELECT contact_id, type, occurred, url
FROM activity FINAL
WHERE account_id = %(account_id)s AND startsWith(type, 'email_') AND toDate(occurred) BETWEEN %(first)s AND %(last)s
ORDER BY occurred DESC
LIMIT %(limit)s
""",
    _of_account,
    of_account=True,
)

STANDINGS = Question(
    "account-topics",
    """
-- Each day's last summary, oldest first; a topic's weight is minutes of well-read content after decay.
SELECT day, as_of, temperature, score, topics
FROM interest FINAL
WHERE account_id = %(account_id)s AND day BETWEEN %(first)s AND %(last)s
ORDER BY day
""",
    _of_account,
    of_account=True,
)

NEWEST = Question(
    "account-standing",
    """
-- The newest summary, whole: the committee is in it.
SELECT message FROM interest FINAL WHERE account_id = %(account_id)s ORDER BY day DESC LIMIT 1
""",
    _of_account,
    of_account=True,
)

SECTIONS = Question(
    "account-sections",
    """
-- In which sections of which pages the account's people lingered, in milliseconds of active time.
WITH spans AS (
    SELECT visitor_id, valid_from, valid_until FROM identified_accounts FINAL
    WHERE account_id = %(account_id)s AND NOT withdrawn
)
SELECT url, any(title) AS title, section, max(section_title) AS section_title, sum(ms) AS active_ms,
       uniqExact(visitor_id) AS readers
FROM (
    SELECT DISTINCT visitor_id, page_view_id, url, title, each.1 AS section, section_titles[each.1] AS section_title,
           each.2 AS ms
    FROM (
        SELECT visitor_id, page_view_id, started, url, title, sections, section_titles FROM reads FINAL
        WHERE visitor_id IN (SELECT visitor_id FROM spans)
    ) AS mine
    INNER JOIN spans USING (visitor_id)
    ARRAY JOIN CAST(sections, 'Array(Tuple(String, UInt32))') AS each
    WHERE started >= valid_from AND (valid_until IS NULL OR started < valid_until)
      AND toDate(started) BETWEEN %(first)s AND %(last)s
)
GROUP BY url, section
ORDER BY active_ms DESC, url, section
LIMIT 10
""",
    _of_account,
    of_account=True,
)

BRIEFS = Question(
    "account-briefs",
    """
-- The briefs on the account.
SELECT message FROM briefs FINAL
WHERE account_id = %(account_id)s AND toDate(decided) BETWEEN %(first)s AND %(last)s
ORDER BY decided DESC, brief_id
LIMIT %(limit)s
""",
    _of_account,
    of_account=True,
)

DECISIONS = Question(
    "account-decisions",
    """
-- What was decided about telling of the account, and by which rule.
SELECT message FROM decisions FINAL
WHERE account_id = %(account_id)s AND toDate(at) BETWEEN %(first)s AND %(last)s
ORDER BY at DESC, decision_id
LIMIT %(limit)s
""",
    _of_account,
    of_account=True,
)

OUTCOMES = Question(
    "account-outcomes",
    """
-- What became of the briefs on the account, and what reps answered.
SELECT message FROM outcomes FINAL
WHERE (kind, rep_id, outcome_id) IN (
    SELECT kind, rep_id, outcome_id FROM brief_outcomes
    WHERE brief_id IN (SELECT brief_id FROM briefs WHERE account_id = %(account_id)s)
      AND toDate(at) BETWEEN %(first)s AND %(last)s
)
  AND toDate(at) BETWEEN %(first)s AND %(last)s
ORDER BY at DESC, outcome_id
LIMIT %(limit)s
""",
    _of_account,
    of_account=True,
)

QUESTIONS = (READS, MAILS, STANDINGS, NEWEST, SECTIONS, BRIEFS, DECISIONS, OUTCOMES)
