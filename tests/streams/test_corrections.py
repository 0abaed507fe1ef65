"""What a brief told and no longer holds is put right once, by the same correction in whatever order it was learnt.

told     |brief: dana read|........settles........|correction: she did not
"""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import Activity, ActivityItem, OwnedSpan, Ownership, told_by
from schemas.brief import Brief, CorrectionKind
from schemas.directory import Directory
from schemas.events import IdentifyMethod
from schemas.playbook import CorrectionRules, Playbook, TriggerRules
from streams.account_state import AccountState, take_in
from streams.accounts import advance
from streams.corrections import GONE, changes_of
from tests.streams.journeys import START_MS, directory
from tests.streams.test_accounts import progress

PLAYBOOK = Playbook(
    company="Example", triggers=TriggerRules(min_session_active_s=5),
    corrections=CorrectionRules(within_h=24, min_active_s=10, settle_s=60),
)  # fmt: skip
HOUR_MS = 3_600_000


def reading(name: str, visitor: str, contact: str, active_s: int, at_ms: int) -> ActivityItem:
    item = progress(name, "/problem", active_s, at_ms)
    return item.model_copy(
        update={"contact_id": contact, "envelope": item.envelope.model_copy(update={"visitor_id": visitor})}
    )


def owned(visitor: str, turn: int, contact: str | None) -> Ownership:
    """The visitor is a contact, from the beginning; or nobody of the account."""
    span = OwnedSpan(
        from_ms=0, contact_id=contact or "", method=IdentifyMethod.email_link, evidence_ms=START_MS, confidence=90
    )
    return Ownership(
        visitor_id=visitor, facts=1, turn=turn, changed_ms=START_MS, spans=() if contact is None else (span,)
    )


class Told:
    """An account that two visitors read for, that was told of it, and is woken whenever it is due."""

    def __init__(self, first_s: int = 30) -> None:
        self.directory: Directory = directory()
        self.state = AccountState(account_id="acme")
        self.now_ms = START_MS + 20_000
        self.due_ms: int | None = None
        self.briefs: list[Brief] = []
        owners = (owned("v", 1, "dana"), owned("w", 1, ""))
        self.learns(
            items=(reading("a", "v", "dana", first_s, START_MS), reading("b", "w", "", 30, START_MS)), owners=owners
        )
        self.until(self.now_ms + 60_000)
        (self.told,) = self.briefs

    def learns(self, **news: tuple[ActivityItem, ...] | tuple[Ownership, ...]) -> None:
        self._look(Activity.model_validate({"account_id": "acme", **news}))

    def _look(self, activity: Activity | None = None) -> None:
        before = self.state
        state = take_in(before, activity, 90) if activity else before
        step = advance(state, self.directory, PLAYBOOK, self.now_ms, before)
        again = advance(state, self.directory, PLAYBOOK, self.now_ms + 500, before)
        assert [one.brief_id for one in again.briefs] == [one.brief_id for one in step.briefs]
        self.state, self.due_ms = step.state, step.due_ms
        self.briefs += step.briefs

    def until(self, at_ms: int) -> None:
        while self.due_ms is not None and self.due_ms <= at_ms:
            self.now_ms = max(self.now_ms, self.due_ms)
            self._look()
        self.now_ms = max(self.now_ms, at_ms)

    def corrections(self) -> list[Brief]:
        self.until(self.now_ms + 120_000)
        return [one for one in self.briefs if one.corrects]


def test_what_was_anothers_reading_is_taken_back_with_what_remains_true() -> None:
    account = Told()
    account.learns(owners=(owned("v", 2, None),))
    assert not [one for one in account.briefs if one.corrects]  # it settles first
    (right,) = account.corrections()
    assert right.corrects == account.told.brief_id
    assert (right.rep_id, right.trigger) == (account.told.rep_id, account.told.trigger)
    assert [(read.page_view_id, read.contact_id) for read in right.reads] == [("b", "")]
    assert right.correction
    assert (right.correction.kind, right.correction.page_view_ids) == (CorrectionKind.withdrawn, ("a",))
    assert right.told == {"b": 30_000}


def test_a_reader_known_only_now_is_told() -> None:
    account = Told()
    account.learns(owners=(owned("w", 2, "eli"),))
    (right,) = account.corrections()
    assert right.correction
    assert (right.correction.kind, right.correction.contact_id) == (CorrectionKind.known_now, "eli")
    assert {read.page_view_id: read.contact_id for read in right.reads} == {"a": "dana", "b": "eli"}


def test_what_is_taken_back_and_given_again_at_once_is_no_correction_but_later_it_is_another_one() -> None:
    account = Told()
    account.learns(owners=(owned("v", 2, None),))
    account.until(account.now_ms + 30_000)
    account.learns(items=(reading("a", "v", "dana", 30, START_MS),), owners=(owned("v", 3, "dana"),))
    assert account.corrections() == []
    account.learns(owners=(owned("v", 4, None),))
    assert len(account.corrections()) == 1
    account.learns(items=(reading("a", "v", "dana", 30, START_MS),), owners=(owned("v", 5, "dana"),))
    first, second = account.corrections()
    assert first.brief_id != second.brief_id
    assert {read.page_view_id for read in second.reads} == {"a", "b"}


def test_a_click_that_was_a_machines_is_put_right_as_such() -> None:
    account = Told()
    rules, reads = PLAYBOOK.corrections, account.state.reads
    (change,) = changes_of(account.state.recent, reads, account.directory, rules, account.now_ms, ("a",))
    assert change.now == {"a": GONE, "b": ""}
    put_right = change.correction()
    assert (put_right.kind, put_right.page_view_ids) == (CorrectionKind.machine_click, ("a",))
    (both,) = changes_of(account.state.recent, {"a": reads["a"]}, account.directory, rules, account.now_ms, ("a",))
    assert both.now == change.now  # of what is merely not there nothing is known


def test_a_trifle_is_not_put_right() -> None:
    account = Told(first_s=9)
    account.learns(owners=(owned("v", 2, None),))
    assert account.corrections() == []


def test_after_the_window_nothing_is_put_right() -> None:
    account = Told()
    account.until(account.told.decided_ms + 24 * HOUR_MS + 1)
    account.learns(owners=(owned("v", 2, None),))
    assert account.corrections() == []


def test_a_reader_who_was_deleted_is_no_correction() -> None:
    account = Told()
    account.directory.remove("contact:dana")
    account.learns(items=(reading("z", "w", "", 1, START_MS + 1),))
    assert account.corrections() == []


def test_a_correction_does_not_hand_the_account_over() -> None:
    account = Told()
    last = account.state.last
    account.learns(owners=(owned("v", 2, None),))
    assert account.corrections()
    assert account.state.last == last


NEWS = (
    {"owners": (owned("v", 2, None),)},
    {"owners": (owned("w", 2, "dana"),)},
    {"owners": (owned("w", 3, "eli"),)},
    {"items": (reading("b", "w", "", 30, START_MS),)},
)


@settings(max_examples=40)
@given(st.sampled_from([*permutations(range(4))]), st.lists(st.integers(0, 3), max_size=4), st.integers(0, 25))
def test_in_whatever_order_and_however_often_it_is_learnt_there_is_one_correction_and_the_same(
    order: tuple[int, ...], again: list[int], pause_s: int
) -> None:
    plain = Told()
    for news in NEWS:
        plain.learns(**news)
    account = Told()
    for number in (*order, *again):
        account.learns(**NEWS[number])
        account.until(account.now_ms + pause_s * 100)
    (expected,), (found,) = plain.corrections(), account.corrections()
    assert found.brief_id == expected.brief_id
    assert (found.reads, found.correction, found.told) == (expected.reads, expected.correction, expected.told)


@pytest.mark.parametrize("with_correction", [False, True])
def test_a_replay_of_what_was_told_corrects_nothing_again(*, with_correction: bool) -> None:
    account = Told()
    account.learns(owners=(owned("v", 2, None),))
    marks = tuple(told_by(one) for one in [account.told, *(account.corrections() if with_correction else [])])
    fresh = Told.__new__(Told)
    fresh.directory, fresh.state, fresh.briefs = directory(), AccountState(account_id="acme"), []
    fresh.now_ms, fresh.due_ms = account.now_ms, None
    fresh._look(Activity(account_id="acme", told=marks))
    fresh.learns(items=(reading("b", "w", "", 30, START_MS),), owners=(owned("w", 1, ""), owned("v", 2, None)))
    assert fresh.corrections() == []
    fresh.learns(owners=(owned("w", 2, "eli"),))
    assert len(fresh.corrections()) == 1
