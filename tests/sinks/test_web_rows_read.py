"""What the pages of accounts, reps and health read of a store of many briefs: little more than what is theirs."""
# ruff: noqa: S608 - the made-up store is made of this file's own text

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_driver import Client

from sinks.web.question_list import QUESTIONS
from tests.sinks.clickhouse_store import migrated_store
from tests.sinks.rows_read import rows_read_by
from tests.sinks.store_samples import NOW_MS
from tests.support.clickhouse import ClickHouseAddress

NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
# Of a million briefs, 20,000 accounts and 250 reps one in 25 is there: what is read for one account or rep is the same.
MILLION = 1_000_000
BRIEFS, REPS, ACCOUNTS, DAYS = MILLION // 25, 250 // 25, 20_000 // 25, 730
# Every account has its rep; a brief has three outcomes, one in a thousand of which is a failure, and a decision.
_OF_BRIEF = f"""
    SELECT number AS n, cityHash64(number) AS chance, concat('b-', hex(chance)) AS brief, chance % {ACCOUNTS} AS a,
           concat('a-', toString(a)) AS account, concat('r-', toString(a % {REPS})) AS rep,
           fromUnixTimestamp64Milli({NOW_MS} - toInt64(n % {DAYS}) * 86400000) AS moment
    FROM numbers({BRIEFS})
"""
TABLES = (
    "briefs",
    "rep_briefs",
    "outcomes",
    "rep_outcomes",
    "brief_outcomes",
    "decisions",
    "interest",
    "account_standings",
)
FILL = (
    f"""INSERT INTO briefs (brief_id, account_id, rep_id, decided, trigger_kind, temperature, reads, message)
        SELECT brief, account, rep, moment, 'high_intent', 'warm', 3, '{{}}' FROM ({_OF_BRIEF})""",
    f"""INSERT INTO outcomes (outcome_id, rep_id, channel, brief_ids, account_ids, kind, at, message)
        SELECT concat('o-', hex(sipHash64(brief, kind))), rep, 'email', [brief], [account],
               if(kind = 'sent' AND chance % 1000 = 7, 'failed', kind), moment, '{{}}'
        FROM ({_OF_BRIEF}) ARRAY JOIN ['sent', 'opened', 'useful'] AS kind""",
    f"""INSERT INTO decisions (decision_id, account_id, rep_id, brief_id, verdict, rule, at, message)
        SELECT concat('d-', hex(sipHash64(brief))), account, rep, brief, 'sent', 'free', moment, '{{}}'
        FROM ({_OF_BRIEF})""",
    f"""INSERT INTO interest (account_id, day, as_of, told, temperature, score, message)
        SELECT DISTINCT account, toDate(moment), moment, moment, 'warm', 1, '{{}}' FROM ({_OF_BRIEF})""",
    f"""INSERT INTO dead_letters (dead_letter_id, stage, origin, reason, at, payload)
        SELECT hex(chance), 'visitors', 'events/2/17', 'bad', moment, 'e30=' FROM ({_OF_BRIEF}) WHERE n % 100 = 0""",
)


@pytest.fixture(scope="module")
def store(clickhouse: ClickHouseAddress) -> Iterator[Client]:
    with migrated_store(clickhouse) as client:
        for sql in FILL:
            client.execute(sql)
        for table in TABLES:  # as it is in production, where rows come over years
            client.execute(f"OPTIMIZE TABLE {table} FINAL")
        yield client


# What this store has none of: mails and reads, a letter of this name, a snooze.
NOTHING = {"account-mails", "account-reads", "account-sections", "account-weeks", "dead-letter", "rep-snoozed"}


def given() -> dict[str, Any]:
    """Return what a question is bound to, for a rep who looks at an own account."""
    own = [f"a-{n}" for n in range(7, ACCOUNTS, REPS)]
    return {
        "everything": 0, "accounts": own, "team": [f"r-{n}" for n in range(7, 15)], "account_id": own[3],
        "rep_id": "r-7", "first": NOW.date() - timedelta(days=29), "last": NOW.date(), "limit": 100,
        "midnight": NOW.strftime("%Y-%m-%d 00:00:00"),
        "snoozed_since": (NOW - timedelta(days=14)).strftime("%Y-%m-%d %H:%M:%S"), "dead_letter_id": "none",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(name for name in QUESTIONS if not name.startswith("content")))
def test_a_page_reads_a_hundredth_of_a_million_briefs_at_most(
    store: Client, name: str, figure: Callable[[str], None]
) -> None:
    sql = QUESTIONS[name].sql
    assert store.execute(sql, given()) or name in NOTHING
    read = rows_read_by(store, lambda: store.execute(sql, given()))
    figure(f"{name}: {read} rows read beside a million briefs ({100 * read / MILLION:.2f} %)")
    assert read <= MILLION / 100


def test_marketing_reads_a_row_for_each_account(store: Client, figure: Callable[[str], None]) -> None:
    sql = QUESTIONS["accounts"].sql
    read = rows_read_by(store, lambda: store.execute(sql, given() | {"everything": 1}))
    (summaries,) = store.execute("SELECT count() FROM interest")[0]
    figure(f"accounts, all of them: {read} rows read of {ACCOUNTS} accounts with {summaries} summaries")
    assert read == ACCOUNTS
