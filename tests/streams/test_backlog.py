"""In a backlog accounts are summed up seldom: what is late is joined at once, and told a little later."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import Activity, ActivityItem, OwnedSpan, Ownership
from schemas.envelope import Envelope
from schemas.events import IdentifyMethod, PageProgress
from schemas.playbook import Playbook
from schemas.topics import ACTIVITY, INTEREST
from streams.account_records import state_of
from streams.account_stage import AccountStage
from streams.account_state import AccountState, too_late
from streams.accounts import SETTLE_MS
from streams.activity_news import news_of
from streams.backlog import LATE_MS, LONGEST_PUT_OFF_MS, TOGETHER_MS
from streams.metrics import TOO_LATE
from streams.records import HEAD, Change, MemoryTable, Records
from streams.stage import Incoming, Work
from streams.weighing import DAY_MS
from tests.streams.journeys import SITE, START_MS, directory, envelope, journeys

NOW_MS = 1_800_000_000_000


class Worker:
    """The accounts' stage, with what it last told, and when each account is due."""

    def __init__(self) -> None:
        self.stage = AccountStage(directory(), Playbook(company="Example"), history_days=90)
        self.table = MemoryTable()
        self.told: dict[str, bytes] = {}
        self.due: dict[str, int] = {}
        self.tellings = 0

    def hear(self, messages: list[Activity], now_ms: int, *, crash: bool = False) -> None:
        due = sorted(key for key, at_ms in self.due.items() if at_ms <= now_ms)
        incoming = [Incoming(ACTIVITY.name, 0, 0, message.to_bytes()) for message in messages]
        self._take(self.stage.handle(incoming, self.table, now_ms, due))
        if crash:  # whoever goes on has the records and the moments, and nothing that was made of them
            fresh = MemoryTable()
            fresh.keys = {key: Records(records) for key, records in self.table.keys.items()}
            self.table = fresh

    def settle(self, now_ms: int) -> None:
        for at_ms in range(now_ms, now_ms + LONGEST_PUT_OFF_MS + 2 * SETTLE_MS, 10_000):
            self.hear([], at_ms)

    def state(self) -> AccountState:
        return state_of("acme", self.table.get("acme"))

    def _take(self, work: Work) -> None:
        for one in work.sends:
            if one.topic is INTEREST:
                self.told[one.key] = one.message.to_bytes()
                self.tellings += 1
        self.table.apply(work.changes)
        for key, made in work.decoded.items():
            self.table.keep_decoded(key, made)
        for key, at_ms in work.due.items():
            self.due.pop(key, None)
            if at_ms is not None:
                self.due[key] = at_ms


def too_late_so_far() -> float:
    return next(sample.value for metric in TOO_LATE.collect() for sample in metric.samples)


def heard(envelopes: list[Envelope], came_ms: int) -> list[Activity]:
    return [
        Activity(account_id="acme", items=(ActivityItem(contact_id="dana", envelope=one),), came_ms=came_ms)
        for one in envelopes
    ]


@settings(max_examples=40, deadline=None)
@given(journeys(), st.integers(0, 60_000), st.lists(st.booleans(), min_size=1, max_size=5))
def test_however_late_the_news_the_summary_is_the_same_in_the_end(
    envelopes: list[Envelope], late_ms: int, crashes: list[bool]
) -> None:
    prompt, behind = Worker(), Worker()
    prompt.hear(heard(envelopes, NOW_MS), NOW_MS)
    for number, message in enumerate(heard(envelopes, NOW_MS - late_ms)):
        behind.hear([message], NOW_MS + number * 500, crash=crashes[number % len(crashes)])
    for worker in (prompt, behind):
        worker.settle(NOW_MS + len(envelopes) * 500)
    assert behind.told == prompt.told
    assert behind.state().reads == prompt.state().reads
    assert not behind.state().unsaid_ms


@pytest.mark.parametrize("late_ms", [0, 3_600_000], ids=["prompt", "in a backlog"])
def test_what_comes_after_the_history_has_passed_is_counted_and_counts_for_nothing(late_ms: int) -> None:
    worker, counted = Worker(), too_late_so_far()
    for days in (0, 100, 5, 99):
        at_ms = NOW_MS - 200 * DAY_MS + days * DAY_MS
        url = f"{SITE}/problem"
        read = PageProgress(
            event_id=f"e{days}", occurred_ms=at_ms, page_view_id=f"pv{days}", url=url, active_ms=9_000, depth_pct=9
        )
        worker.hear(heard([envelope("v", at_ms, read)], NOW_MS - late_ms), NOW_MS + days)
    worker.settle(NOW_MS + 1_000)
    assert set(worker.state().reads) == {"pv99", "pv100"}
    # The first had been in time: it was let go when the account read on. The third came too late.
    assert too_late_so_far() - counted == 1


def test_what_an_older_head_held_is_kept_when_its_account_was_only_looked_at_before() -> None:
    span = OwnedSpan(from_ms=0, contact_id="dana", method=IdentifyMethod.email_link, evidence_ms=START_MS)
    owner = Ownership(visitor_id="v", facts=1, turn=1, changed_ms=START_MS, spans=(span,))
    worker = Worker()
    head = AccountState(account_id="acme", owners={"v": owner}).to_bytes()
    worker.table.apply([Change("acme", HEAD, head)])
    worker.due["acme"] = START_MS
    worker.hear([], START_MS)
    url = f"{SITE}/problem"
    read = PageProgress(event_id="e", occurred_ms=START_MS, page_view_id="pv", url=url, active_ms=9_000, depth_pct=9)
    worker.hear(heard([envelope("v", START_MS, read)], START_MS), START_MS + LATE_MS, crash=True)
    assert worker.state().owners == {"v": owner}


def test_old_reads_that_are_none_of_the_account_s_did_not_come_too_late() -> None:
    read = PageProgress(
        event_id="e", occurred_ms=1, page_view_id="pv", url=f"{SITE}/problem", active_ms=9_000, depth_pct=9
    )
    news = [news_of(one) for one in heard([envelope("v", 1, read)], NOW_MS)]
    assert too_late(AccountState(account_id="acme"), news, 90, NOW_MS) == []


@settings(max_examples=20, deadline=None)
@given(journeys())
def test_only_a_backlog_puts_a_summary_off_and_never_for_long(envelopes: list[Envelope]) -> None:
    prompt, behind = Worker(), Worker()
    prompt.hear(heard(envelopes[:1], NOW_MS - LATE_MS + 1), NOW_MS)
    behind.hear(heard(envelopes[:1], NOW_MS - 3_600_000), NOW_MS)
    assert not behind.tellings
    assert behind.due["acme"] == NOW_MS + LONGEST_PUT_OFF_MS
    behind.hear(heard(envelopes[1:], NOW_MS - 3_600_000), NOW_MS + LONGEST_PUT_OFF_MS - 1)
    assert not behind.tellings
    behind.hear([], NOW_MS + LONGEST_PUT_OFF_MS)
    assert behind.tellings == (1 if "acme" in behind.told else 0)
    assert prompt.told.keys() <= behind.told.keys()


def test_what_was_put_off_within_a_second_is_due_together() -> None:
    read = PageProgress(
        event_id="e", occurred_ms=NOW_MS, page_view_id="pv", url=f"{SITE}/problem", active_ms=9_000, depth_pct=9
    )
    dues = set()
    for ms in (1, 500, TOGETHER_MS):
        worker = Worker()
        worker.hear(heard([envelope("v", NOW_MS, read)], NOW_MS - 3_600_000), NOW_MS + ms)
        dues.add(worker.due["acme"])
    assert dues == {NOW_MS + LONGEST_PUT_OFF_MS + TOGETHER_MS}
