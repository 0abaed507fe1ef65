"""What the pages, the weekly report and stitching ask, each with values as they would have in the last 30 days."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse_driver import Client

from benchmarks.clickhouse_accounts import REPS
from benchmarks.clickhouse_events import DAYS, END
from schemas.settings import Settings
from schemas.topics import DAY_MS
from sinks.clickhouse import content_queries, queries
from sinks.clickhouse.content_queries import Audience, Scope
from sinks.report import queries as weekly
from sinks.report.week import week_before
from sinks.web.question_list import QUESTIONS
from sinks.web.questions import Question

Query = Callable[[Client], object]

FIRST, LAST = (END - timedelta(days=DAYS)).date(), (END - timedelta(days=1)).date()
_END_MS = round(END.timestamp() * 1000)
# Of these there may be none: nobody snoozed, opened a mail or looks at one dead letter; the last two in small runs.
_MAY_FIND_NOTHING = frozenset({
    "rep-snoozed", "account-mails", "dead-letter", "delivery-failures", "week: objections", "week: owners",
})  # fmt: skip


def asked(client: Client, settings: Settings) -> dict[str, Query]:
    """Return every question by name; each refuses to find nothing, which would measure nothing."""
    (account, rep), (staff, _) = client.execute(
        "SELECT account_id, rep_id FROM briefs WHERE toDate(decided) BETWEEN %(first)s AND %(last)s "
        "GROUP BY account_id, rep_id ORDER BY count() DESC, account_id LIMIT 2",
        {"first": FIRST, "last": LAST},
    )
    visitor = client.execute("SELECT visitor_id FROM events ORDER BY received DESC LIMIT 1")[0][0]
    url = client.execute(
        "SELECT url FROM account_days WHERE account_id = %(account)s AND day BETWEEN %(first)s AND %(last)s "
        "ORDER BY length(views) DESC, url LIMIT 1",
        {"account": account, "first": FIRST, "last": LAST},
    )[0][0]
    found = _contents(url, account, rep, staff) | _pages(client, account, rep) | _weekly()
    found["visitor history"] = partial(_history, visitor_id=visitor, history_days=settings.history_days)
    return {
        name: query if name in _MAY_FIND_NOTHING else partial(_something, name, query) for name, query in found.items()
    }


def _contents(url: str, account: str, rep: str, staff: str) -> dict[str, Query]:
    audiences = {
        "all": Audience(),
        "all but the own staff": Audience(own=(staff,)),
        "an account": Audience(account_id=account),
        "a rep": Audience(reps=(rep,)),
    }
    made: dict[str, Query] = {}
    for name, audience in audiences.items():
        made[f"list of contents for {name}"] = partial(_list, audience=audience)
        scope = Scope(url, FIRST, LAST, audience)
        for question in content_queries.Question:
            made[f"content for {name}: {question}"] = partial(_content, question=question, scope=scope)
    return made


def _pages(client: Client, account: str, rep: str) -> dict[str, Query]:
    own = [
        one for (one,) in client.execute("SELECT DISTINCT account_id FROM briefs WHERE rep_id = %(rep)s", {"rep": rep})
    ]
    given = {
        "everything": 0, "accounts": own, "team": [f"rep-{number}" for number in range(REPS)], "account_id": account,
        "rep_id": rep, "first": FIRST, "last": LAST, "limit": 200, "midnight": f"{LAST} 00:00:00",
        "snoozed_since": f"{LAST - timedelta(days=14)} 00:00:00", "dead_letter_id": "letter-none",
    }  # fmt: skip
    made: dict[str, Query] = {
        name: partial(_page, question=question, given=given | _since(name))
        for name, question in QUESTIONS.items()
        if question.sql
    }
    for name in ("accounts", "account-weeks"):
        every = given | {"everything": 1} | _since(name)
        made[f"{name} for marketing"] = partial(_page, question=QUESTIONS[name], given=every)
    return made


def _since(name: str) -> dict[str, date]:
    """Return the first of the eight weeks that the list of accounts shows."""
    return {"first": LAST - timedelta(weeks=8)} if name == "account-weeks" else {}


def _weekly() -> dict[str, Query]:
    week = week_before(_END_MS, ZoneInfo("Europe/Berlin"))
    return {
        f"week: {query}": partial(weekly.ask, query=query, since_ms=week.since_ms, until_ms=week.until_ms)
        for query in weekly.Query
    }


def _list(client: Client, audience: Audience) -> object:
    return content_queries.contents(client, FIRST, LAST, audience)


def _content(client: Client, question: content_queries.Question, scope: Scope) -> object:
    return client.execute(content_queries.statement(question, scope.audience), scope.given)


def _page(client: Client, question: Question, given: Mapping[str, Any]) -> object:
    return client.execute(question.sql, given)


def _history(client: Client, visitor_id: str, history_days: int) -> object:
    return list(queries.visitor_events(client, visitor_id, _END_MS - history_days * DAY_MS, None))


def _something(name: str, query: Query, client: Client) -> object:
    found = query(client)
    if not found:
        raise SystemExit(f"{name} found nothing")
    return found
