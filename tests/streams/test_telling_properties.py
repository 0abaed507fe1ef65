"""Whatever an account reads and becomes, in whatever order: it is told once, to whom it belongs, and then is quiet."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import Activity, ActivityItem
from schemas.brief import Brief, TriggerKind
from schemas.directory import Lifecycle
from schemas.events import FormSubmit
from streams.account_state import AccountState, take_in
from streams.accounts import advance
from tests.streams.journeys import SITE, START_MS, envelope
from tests.streams.test_accounts import progress
from tests.streams.test_ownership import OWNERS, PLAYBOOK, moved, people

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
PATHS = ("/problem", "/solution", "/pricing", "/unlisted")

moves = st.tuples(st.just("move"), st.sampled_from(Lifecycle), st.sampled_from(({}, OWNERS)))
reading = st.tuples(st.just("read"), st.sampled_from(PATHS), st.integers(1, 200))
waiting = st.tuples(st.just("wait"), st.sampled_from((5_000, HOUR_MS, 3 * DAY_MS, 40 * DAY_MS)), st.none())
sending = st.tuples(st.just("form"), st.sampled_from(("demo", "quote")), st.sampled_from((0, 3, 30)))
stories = st.lists(st.one_of(reading, reading, moves, waiting, sending), max_size=12)


def sent_form(name: str, form: str, at_ms: int) -> ActivityItem:
    event = FormSubmit(event_id=f"{name}-f", occurred_ms=at_ms, page_view_id=name, url=f"{SITE}/solution", form=form)
    return ActivityItem(contact_id="dana", envelope=envelope("v", at_ms, event))


class Story:
    """An account that lives through a story; each step may be worked through twice, as after a crash."""

    def __init__(self, *, crashes: bool) -> None:
        self.directory, self.crashes = people(Lifecycle.lead), crashes
        self.state, self.now_ms = AccountState(account_id="acme"), START_MS
        self.briefs: list[Brief] = []
        self.due_ms: int | None = None
        self.count = 0

    def live(self, step: tuple[Any, ...]) -> list[Brief]:
        kind, what, more = step
        activity = None
        if kind == "move":
            moved(self.directory, what, more)
        elif kind == "wait":
            self.now_ms += what
        else:
            self.count += 1
            self.now_ms += max(1, more) * 1000
            name = f"pv-{self.count}"
            items: tuple[ActivityItem, ...]
            if kind == "form":
                items = (sent_form(name, what, self.now_ms), progress(name, "/solution", more, self.now_ms))
            else:
                items = (progress(name, what, more, self.now_ms),)
            activity = Activity(account_id="acme", items=items)
        return self.look(activity)

    def look(self, activity: Activity | None = None) -> list[Brief]:
        before = self.state
        state = take_in(before, activity, 90) if activity else before
        step = advance(state, self.directory, PLAYBOOK, self.now_ms, before)
        if self.crashes:
            again = advance(state, self.directory, PLAYBOOK, self.now_ms + 900, before)
            assert [brief.brief_id for brief in again.briefs] == [brief.brief_id for brief in step.briefs]
        self.state, self.due_ms = step.state, step.due_ms
        self.briefs += step.briefs
        return list(step.briefs)

    def settle(self) -> None:
        """Look as often as the account is due, until what was read has been told."""
        for _ in range(5):
            if self.due_ms is None or self.due_ms > self.now_ms + 120_000:
                return
            self.now_ms = max(self.now_ms, self.due_ms)
            self.look()
        raise AssertionError("it is due again and again")


@settings(max_examples=300)
@given(story=stories, crashes=st.booleans())
def test_an_account_comes_to_rest_and_every_brief_is_told_once(story: list[tuple[Any, ...]], *, crashes: bool) -> None:
    account = Story(crashes=crashes)
    for step in story:
        account.live(step)
    account.settle()
    assert account.look() == []
    known: dict[str, Brief] = {}
    for brief in account.briefs:
        if (same := known.setdefault(brief.brief_id, brief)) is not brief:
            # To and fro without any reading is the same hand-over again, under its old id: the outbox lets one go.
            assert brief.trigger.kind is TriggerKind.hand_over
            assert (brief.rep_id, brief.told) == (same.rep_id, same.told)


@settings(max_examples=300)
@given(stories)
def test_a_brief_tells_only_what_is_new_unless_it_hands_over_and_then_all(story: list[tuple[Any, ...]]) -> None:
    account = Story(crashes=False)
    told: dict[str, int] = {}
    for step in story:
        for brief in account.live(step):
            if brief.trigger.kind is TriggerKind.hand_over:
                assert set(brief.told) == set(account.state.reads)
            else:
                with_forms = {name for name in brief.told if account.state.reads[name].submitted_forms}
                assert all(told.get(name, 0) < ms for name, ms in brief.told.items() if name not in with_forms)
            told |= brief.told


@settings(max_examples=300)
@given(stories)
def test_every_form_is_told_once_and_at_once_if_somebody_is_told_of_the_account(story: list[tuple[Any, ...]]) -> None:
    account, told = Story(crashes=False), []
    for step in story:
        briefs = account.live(step)
        told += [form_id for brief in briefs for form_id in brief.told_forms]
        if step[0] == "form" and briefs:
            assert briefs[0].trigger.kind in {TriggerKind.form_sent, TriggerKind.hand_over}
            assert briefs[0].trigger.kind is TriggerKind.hand_over or briefs[0].trigger.forms[-1] == step[1]
        lifecycle = account.directory.accounts["acme"].lifecycle
        if step[0] == "form" and lifecycle in {Lifecycle.opportunity, Lifecycle.won, Lifecycle.use}:
            assert briefs
    assert len(told) == len(set(told))


@settings(max_examples=300)
@given(stories)
def test_a_change_of_who_is_told_is_a_hand_over_and_nothing_else_is(story: list[tuple[Any, ...]]) -> None:
    account = Story(crashes=False)
    for step in story:
        account.live(step)
        account.settle()
    for before, after in zip([None, *account.briefs], account.briefs, strict=False):
        handed = after.trigger.kind is TriggerKind.hand_over
        assert handed == (after.hand_over is not None)
        if before and before.rep_id != after.rep_id:
            assert after.hand_over
            assert after.hand_over.from_rep_id in {before.rep_id, ""}
        if after.hand_over and after.hand_over.from_rep_id:
            assert before
            assert (after.hand_over.from_rep_id, handed) == (before.rep_id, True)
            assert before.rep_id != after.rep_id
