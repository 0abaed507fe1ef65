"""What the Content pages ask of one page: how far it was read, where it was clicked, by whom, and what came of it.

Every question is about an audience: all readers, or those of some accounts or of one function; never the own staff.
What is read of the store are the page's own rows of the days asked for. Days are dates in UTC, both ends are meant.
"""
# ruff: noqa: S608 - statements are put together from this file's own text; what comes from outside is bound

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from clickhouse_driver import Client
from clickhouse_driver.util.escape import escape_params

TENTHS = 10
MOST_SPOTS, MOST_SECTIONS, MOST_READERS, MOST_CONTENTS = 400, 60, 100, 300


@dataclass(frozen=True)
class Audience:
    """Whose reads are meant. With `reps` only accounts that one of them looks after, in any stage; None means all.

    `own` are the accounts of the own staff: browsers that were ever theirs stand in no figure.
    """

    reps: tuple[str, ...] | None = None
    account_id: str = ""
    function: str = ""
    viewport: str = ""
    own: tuple[str, ...] = ()

    @property
    def everybody(self) -> bool:
        """Whether nobody has to be known to be meant."""
        return self.reps is None and not self.account_id and not self.function


@dataclass(frozen=True)
class Scope:
    """One page, by canonical URL, the days, and whose reads."""

    url: str
    first: date
    last: date
    audience: Audience = Audience()

    @property
    def given(self) -> dict[str, Any]:
        """Return what the statements are bound to."""
        whose = self.audience
        return {
            "url": self.url, "first": self.first, "last": self.last, "viewport": whose.viewport,
            "own": list(whose.own), "reps": list(whose.reps or ()), "account_id": whose.account_id,
            "function": whose.function,
        }  # fmt: skip


class Curve(NamedTuple):
    """How far views came: `reached[n]` at least n tenths deep; `band_ms[n]` is the time in tenth n."""

    views: int
    readers: int
    active_ms: int
    median_ms: int
    reached: tuple[int, ...]
    band_ms: tuple[int, ...]


class Section(NamedTuple):
    """Attention to one section: all views' time in it, and how many lingered there at all."""

    key: str
    title: str
    views: int
    active_ms: int


class Spot(NamedTuple):
    """Clicks on one tenth by one tenth of an element; `page_x` and `page_y` tell which of those described alike."""

    viewport: str
    element: str
    text: str
    x: float
    y: float
    page_x: float
    page_y: float
    clicks: int
    rage: int
    dead: int


class ReaderLine(NamedTuple):
    """What one account's people of one function read of the page; both are empty for whom nobody knows."""

    account_id: str
    name: str
    function: str
    readers: int
    views: int
    active_ms: int
    depth_pct: int


class Move(NamedTuple):
    """An account that read the page: its temperature before the first of these reads, and at the last summary."""

    account_id: str
    name: str
    before: str
    after: str
    views: int


class ContentLine(NamedTuple):
    """One page in the list."""

    url: str
    title: str
    views: int
    readers: int
    active_ms: int


class Question(StrEnum):
    """The questions about a page, each answered by one statement."""

    curve = "curve"
    sections = "sections"
    clicks = "clicks"
    readers = "readers"
    moves = "moves"


# By the key of what is asked, which a function of the column would not use.
_OWN = "account_id IN (SELECT arrayJoin(CAST(%(own)s, 'Array(String)')))"
_OWN_VISITORS = f"SELECT visitor_id FROM identified_accounts FINAL WHERE {_OWN} AND NOT withdrawn"
# Entity ids begin with the kind, by which the directory is sorted.
_CONTACTS = """
    SELECT contact_id, JSONExtractString(message, 'function') AS function FROM directory FINAL
    WHERE entity_id >= 'contact:' AND entity_id < 'contact;' AND NOT deleted
"""
_ACCOUNTS = """
    SELECT account_id, name FROM directory FINAL
    WHERE entity_id >= 'account:' AND entity_id < 'account;' AND NOT deleted
"""
_OF_REPS = """
    SELECT account_id FROM directory FINAL
    WHERE entity_id >= 'account:' AND entity_id < 'account;' AND NOT deleted
      AND (has(%(reps)s, rep_id)
           OR arrayExists(one -> has(%(reps)s, one.2), JSONExtractKeysAndValues(message, 'owners', 'String')))
"""
_VIEWS = """
    SELECT
        visitor_id, site, page_view_id, min(started) AS began, max(viewport) AS class,
        max(counted_ms) + arraySum(mapValues(maxMap(beats))) AS active, max(depth_pct) AS depth,
        maxMap(bands) AS by_tenth, maxMap(sections) AS by_section, maxMap(section_titles) AS titles
    FROM page_reads
    WHERE url = %(url)s AND day BETWEEN %(first)s AND %(last)s{only}
    GROUP BY visitor_id, site, page_view_id
    HAVING %(viewport)s = '' OR class = %(viewport)s
"""

_SQL: Mapping[Question, str] = {
    Question.curve: """
SELECT
    count(), uniqExact(visitor_id, site), sum(active), toUInt64(ifNotFinite(quantileExact(0.5)(active), 0)),
    arrayMap(tenth -> arrayCount(deepest -> deepest >= tenth * 10, groupArray(depth)), range(11)),
    arrayMap(tenth -> toUInt64(sumMap(by_tenth)[tenth]), range(10))
FROM kept
""",
    Question.sections: f"""
SELECT each.1, max(titles[each.1]), count(), sum(each.2)
FROM kept
ARRAY JOIN CAST(by_section, 'Array(Tuple(String, UInt32))') AS each
WHERE each.2 > 0
GROUP BY each.1
ORDER BY sum(each.2) DESC, each.1
LIMIT {MOST_SECTIONS}
""",
    # The same event may stand in two parts that are not merged yet: FINAL takes it once.
    Question.clicks: f"""
SELECT
    viewport, element, max(text), (least(9, floor(element_x * 10)) AS column) / 10 + 0.05,
    (least(9, floor(element_y * 10)) AS line) / 10 + 0.05, avg(page_x), avg(page_y),
    count(), countIf(rage), countIf(dead)
FROM (
    SELECT * FROM page_clicks FINAL
    WHERE url = %(url)s AND day BETWEEN %(first)s AND %(last)s
)
WHERE (visitor_id, site, page_view_id) IN (SELECT visitor_id, site, page_view_id FROM kept)
  AND (%(viewport)s = '' OR viewport = %(viewport)s)
GROUP BY viewport, element, column, line, round(page_x, 1), round(page_y, 2)
ORDER BY count() DESC, viewport, element, column, line
LIMIT {MOST_SPOTS}
""",
    Question.readers: f"""
SELECT
    account_id, any(accounts.name), contacts.function, uniqExact(visitor_id, site),
    count(), sum(active), toUInt8(max(depth))
FROM named
LEFT JOIN accounts USING (account_id)
LEFT JOIN contacts USING (contact_id)
GROUP BY account_id, contacts.function
ORDER BY sum(active) DESC, account_id, contacts.function
LIMIT {MOST_READERS}
""",
    # As of the end of each day: a summary of the day of the first read itself may already know of it.
    Question.moves: f"""
SELECT account_id, any(accounts.name), argMaxIf(temperature, told_day, told_day < first_day),
       argMaxIf(temperature, told_day, told_day >= first_day), any(mine.seen)
FROM (
    SELECT account_id, toDate(min(began)) AS first_day, count() AS seen
    FROM named WHERE account_id != '' GROUP BY account_id
) AS mine
INNER JOIN (
    SELECT account_id, day AS told_day, temperature FROM interest FINAL
    WHERE account_id IN (SELECT account_id FROM movers) AND day <= toDate(%(last)s) + 7
) AS told USING (account_id)
LEFT JOIN accounts USING (account_id)
GROUP BY account_id
ORDER BY any(mine.seen) DESC, account_id
LIMIT {MOST_READERS}
""",
}


_TITLES = """
    SELECT url, name FROM directory FINAL
    WHERE entity_id >= 'content:' AND entity_id < 'content;' AND NOT deleted
"""
# Of the rollups the own staff's part is taken out by the keys under which it was counted for their accounts.
_LIST_ALL = f"""
WITH
    (SELECT groupUniqArrayArray(arrayConcat(mapKeys(views), mapKeys(beats))) FROM account_days
     WHERE {_OWN} AND day BETWEEN %(first)s AND %(last)s) AS own_keys,
    (SELECT groupUniqArray(sipHash64(visitor_id, site)) FROM activity WHERE {_OWN}) AS own_visitors,
    titles AS ({_TITLES})
SELECT url, if(any(name) != '', any(name), max(title)), length(kept) AS seen,
       length(arrayFilter(one -> NOT has(own_visitors, one), groupUniqArrayArray(visitors))),
       arraySum(mapValues(kept)) + arraySum(mapValues(mapFilter((key, ms) -> NOT has(own_keys, key), maxMap(beats)))),
       mapFilter((key, ms) -> NOT has(own_keys, key), maxMap(views)) AS kept
FROM content_days
LEFT JOIN titles USING (url)
WHERE day BETWEEN %(first)s AND %(last)s
GROUP BY url
HAVING seen > 0
ORDER BY 5 DESC, url
LIMIT {MOST_CONTENTS}
"""
# Of some accounts: as the streams were told, each account's own days alone are read.
_LIST_OF = f"""
WITH titles AS ({_TITLES})
SELECT url, any(name), length(maxMap(views)), uniqExactArray(arrayMap(one -> (account_id, one), readers)),
       arraySum(mapValues(maxMap(views))) + arraySum(mapValues(maxMap(beats)))
FROM account_days
LEFT JOIN titles USING (url)
WHERE day BETWEEN %(first)s AND %(last)s AND NOT has(%(own)s, account_id) AND {{which}}
GROUP BY url
ORDER BY 5 DESC, url
LIMIT {MOST_CONTENTS}
"""


def statement(question: Question, audience: Audience) -> str:
    """Return the statement that answers a question about an audience, with the names of what it is bound to."""
    parts = {"spans": _spans(audience)}
    if audience.everybody:
        parts["kept"] = _VIEWS.format(only=f" AND visitor_id NOT IN ({_OWN_VISITORS})" if audience.own else "")
        # Whom nobody knows reads, too, and is counted as such.
        parts["named"] = (
            "SELECT kept.*, span.account_id AS account_id, span.contact_id AS contact_id FROM kept "
            "LEFT JOIN spans AS span ON kept.visitor_id = span.visitor_id "
            "AND kept.began >= span.valid_from AND kept.began < span.ended"
        )
    else:
        parts["views"] = _VIEWS.format(only=" AND visitor_id IN (SELECT visitor_id FROM spans)")
        parts["named"] = (
            "SELECT views.*, span.account_id AS account_id, span.contact_id AS contact_id FROM views "
            "INNER JOIN spans AS span ON views.visitor_id = span.visitor_id "
            "WHERE views.began >= span.valid_from AND views.began < span.ended"
        )
        # One read may be two accounts': it stays one read.
        parts["kept"] = "SELECT * FROM named LIMIT 1 BY visitor_id, site, page_view_id"
    # Of all who are known few have read the page; of an audience it costs less to look at all than to find who has.
    parts["movers"] = f"SELECT account_id FROM {'named' if audience.everybody else 'spans'}"
    parts |= {"contacts": _CONTACTS, "accounts": _ACCOUNTS}
    return "WITH " + ",\n".join(f"{name} AS ({sql})" for name, sql in parts.items()) + _SQL[question]


def _spans(audience: Audience) -> str:
    conditions = ["NOT withdrawn"]
    if audience.account_id:
        conditions.append("account_id = %(account_id)s")
    if audience.reps is not None:
        conditions.append(f"account_id IN ({_OF_REPS})")
    if audience.function:
        conditions.append(f"contact_id IN (SELECT contact_id FROM ({_CONTACTS}) WHERE function = %(function)s)")
    if audience.own:
        conditions.append(f"visitor_id NOT IN ({_OWN_VISITORS})")
    # Found by the account where it is known; else all who are known, of whom there are few beside their events.
    return (
        "SELECT visitor_id, account_id, contact_id, valid_from, "
        "ifNull(valid_until, toDateTime64('2299-01-01 00:00:00', 3, 'UTC')) AS ended "
        f"FROM identified_accounts FINAL WHERE {' AND '.join(conditions)}"
    )


def shown(question: Question, scope: Scope, client: Client) -> str:
    """Return a statement with its values filled in, as anybody may run it again."""
    said: dict[str, str] = escape_params(scope.given, client.connection.context)
    return statement(question, scope.audience) % said


def curve(client: Client, scope: Scope) -> Curve:
    """Return how far and how long the page was read."""
    (row,) = _ask(client, Question.curve, scope)
    views, seen_by, active_ms, median_ms, reached, band_ms = row
    return Curve(views, seen_by, active_ms, median_ms, tuple(reached), tuple(band_ms))


def sections(client: Client, scope: Scope) -> list[Section]:
    """Return where readers lingered, the longest first."""
    return [Section(*row) for row in _ask(client, Question.sections, scope)]


def clicks(client: Client, scope: Scope) -> list[Spot]:
    """Return where the page was clicked, the most often first."""
    return [Spot(*row) for row in _ask(client, Question.clicks, scope)]


def readers(client: Client, scope: Scope) -> list[ReaderLine]:
    """Return which accounts and functions read the page, the keenest first."""
    return [ReaderLine(*row) for row in _ask(client, Question.readers, scope)]


def moves(client: Client, scope: Scope) -> list[Move]:
    """Return how warm the accounts were that read the page, before and after."""
    return [Move(*row) for row in _ask(client, Question.moves, scope)]


def contents(client: Client, first: date, last: date, audience: Audience) -> list[ContentLine]:
    """Return the pages that were read, the longest first; of an audience only its accounts count."""
    given = Scope("", first, last, audience).given
    return [ContentLine(*row[:5]) for row in client.execute(contents_statement(audience), given)]


def contents_statement(audience: Audience) -> str:
    """Return the statement behind the list of pages."""
    which = []
    if audience.account_id:
        which.append("account_id = %(account_id)s")
    if audience.reps is not None:
        which.append(f"account_id IN ({_OF_REPS})")
    return _LIST_OF.format(which=" AND ".join(which)) if which else _LIST_ALL


def _ask(client: Client, question: Question, scope: Scope) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = client.execute(statement(question, scope.audience), scope.given)
    return found
