"""The accounts that a viewer sees: how warm, which way, when last read, about what, and who has read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from starlette.responses import Response

from schemas.directory import Account
from schemas.interest import TEMPERATURES, TrendWord
from sinks.web.asked import Asked
from sinks.web.questions import Given, Question
from sinks.web.routing import PageRoute
from sinks.web.store import Row

PAGE_SIZE = 50
WEEKS = 8
SORTS = ("warmth", "last", "trend", "name")
TRENDS = tuple(TrendWord)

STANDING = Question(
    "accounts",
    """
-- The newest summary of each account.
SELECT
    account_id, temperature, score, trend, buying_stage, topics, readers, unknown_visitors, missing_functions,
    active_ms_last_7_days, usual_week_ms, functions_read, last_ms
FROM account_standings FINAL
WHERE (%(everything)s OR account_id IN %(accounts)s)
""",
    lambda asked: asked.seen,
)


def _since(asked: Asked) -> Given:
    return {**asked.seen, "first": _mondays(asked.now)[0]}


BY_WEEK = Question(
    "account-weeks",
    """
-- How long each account read in each week, in milliseconds.
SELECT
    account_id,
    toMonday(day) AS week,
    arraySum(mapValues(maxMap(views))) + arraySum(mapValues(maxMap(beats))) AS active_ms
FROM account_days
WHERE (%(everything)s OR account_id IN %(accounts)s) AND day >= %(first)s
GROUP BY account_id, week
ORDER BY account_id, week
""",
    _since,
)

QUESTIONS = (STANDING, BY_WEEK)


@dataclass(frozen=True)
class AccountLine:
    """One account in the list; `temperature` is empty if nothing was read yet."""

    account: Account
    temperature: str = ""
    score: float = 0.0
    trend: str = ""
    topics: tuple[str, ...] = ()
    readers: int = 0
    unknown: int = 0
    functions_read: int = 0
    missing: tuple[str, ...] = ()
    week_ms: int = 0
    last: datetime | None = None
    weeks: tuple[int, ...] = ()

    @property
    def functions(self) -> int:
        """Functions of the buying committee that have read, or should have."""
        return self.functions_read + len(self.missing)


def accounts_page(asked: Asked) -> Response:
    """Show the list: sorted, filtered and searched by GET parameters, so that a view of it is a bookmark."""
    mondays = _mondays(asked.now)
    lines = account_lines(asked.sight.accounts.values(), asked.ask(STANDING), asked.ask(BY_WEEK), mondays)
    chosen = [line for line in lines if _fits(line, asked)]
    ordered = in_order(chosen, asked.choice("sort", SORTS))
    page = max(1, int(said)) if (said := asked.text("page")).isascii() and said.isdigit() else 1
    shown = ordered[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    counts = {each.value: sum(line.temperature == each for line in lines) for each in TEMPERATURES}
    return asked.page(
        "accounts.html.j2",
        tab="accounts",
        lines=shown,
        counts=counts,
        total=len(lines),
        found=len(ordered),
        page=page,
        more=len(ordered) > page * PAGE_SIZE,
        most=max((ms for line in shown for ms in line.weeks), default=0),
        sorts=SORTS,
        sort=asked.choice("sort", SORTS),
        trends=TRENDS,
        stages=sorted({line.account.lifecycle.value for line in lines}),
    )


def account_lines(
    accounts: Iterable[Account], standing: Sequence[Row], by_week: Sequence[Row], mondays: Sequence[date]
) -> list[AccountLine]:
    """Join what the directory and the store know of accounts."""
    weeks: dict[str, dict[date, int]] = {}
    for row in by_week:
        weeks.setdefault(row["account_id"], {})[row["week"]] = row["active_ms"]
    rows = {row["account_id"]: row for row in standing}
    return [_line(one, rows.get(one.account_id), weeks.get(one.account_id, {}), mondays) for one in accounts]


def in_order(lines: Iterable[AccountLine], sort: str) -> list[AccountLine]:
    """Return the lines with what matters most on top; equal ones by name."""
    by_name = sorted(lines, key=lambda line: line.account.name.casefold())
    match sort:
        case "name":
            return by_name
        case "last":
            return sorted(by_name, key=lambda line: -(line.last.timestamp() if line.last else 0))
        case "trend":
            return sorted(by_name, key=lambda line: (_rank(line.trend), -line.week_ms))
        case _:
            warmth = {each.value: number for number, each in enumerate(TEMPERATURES)}
            return sorted(by_name, key=lambda line: (-warmth.get(line.temperature, -1), -line.score))


def _line(account: Account, row: Row | None, weeks: Mapping[date, int], mondays: Sequence[date]) -> AccountLine:
    played = tuple(weeks.get(monday, 0) for monday in mondays)
    if row is None:
        return AccountLine(account, weeks=played)
    heaviest = sorted(row["topics"].items(), key=lambda item: (-item[1], item[0]))
    return AccountLine(
        account,
        row["temperature"],
        row["score"],
        row["trend"],
        tuple(topic for topic, _ in heaviest[:2]),
        row["readers"],
        row["unknown_visitors"],
        row["functions_read"],
        tuple(row["missing_functions"]),
        row["active_ms_last_7_days"],
        datetime.fromtimestamp(row["last_ms"] / 1000, UTC) if row["last_ms"] else None,
        played,
    )


def _fits(line: AccountLine, asked: Asked) -> bool:
    wanted = asked.text("q").casefold().strip()
    texts = (line.account.name, line.account.account_id, *line.account.domains)
    return (
        (not wanted or any(wanted in text.casefold() for text in texts))
        and asked.text("temperature") in ("", line.temperature)
        and asked.text("trend") in ("", line.trend)
        and asked.text("lifecycle") in ("", line.account.lifecycle.value)
        and (asked.rep is None or asked.rep.rep_id in (line.account.rep_id, *line.account.owners.values()))
    )


def _rank(trend: str) -> int:
    order = (TrendWord.rising, TrendWord.new, TrendWord.steady, TrendWord.falling)
    return order.index(TrendWord(trend)) if trend in TRENDS else len(order)


def _mondays(now: datetime) -> list[date]:
    monday = now.date() - timedelta(days=now.weekday())
    return [monday - timedelta(weeks=number) for number in reversed(range(WEEKS))]


ROUTES = (PageRoute("/", accounts_page), PageRoute("/accounts", accounts_page))
