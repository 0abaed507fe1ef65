"""What an account keeps of visitors who are its own at times, or were once taken for its own."""

from schemas.activity import Activity, ActivityItem, OwnedSpan, Ownership
from schemas.events import IdentifyMethod, PageProgress
from streams.account_state import AccountState, take_in
from tests.streams.journeys import SITE, START_MS, envelope

DAY_MS = 86_400_000


def owned(visitor_id: str, turn: int, *spans: tuple[int, int | None, str], changed_ms: int = START_MS) -> Ownership:
    told = tuple(
        OwnedSpan(
            from_ms=begin, until_ms=end, contact_id=who, method=IdentifyMethod.site_token, evidence_ms=begin or START_MS
        )
        for begin, end, who in spans
    )
    return Ownership(visitor_id=visitor_id, facts=1, turn=turn, changed_ms=changed_ms, spans=told)


def read(visitor_id: str, at_ms: int) -> ActivityItem:
    name = f"{visitor_id}-{at_ms - START_MS}"
    event = PageProgress(event_id=name, occurred_ms=at_ms, page_view_id=name, url=SITE, active_ms=5_000, depth_pct=50)
    return ActivityItem(contact_id="", envelope=envelope(visitor_id, at_ms, event))


def after(*steps: tuple[tuple[Ownership, ...], tuple[ActivityItem, ...]]) -> AccountState:
    state = AccountState(account_id="acme")
    for owners, items in steps:
        state = take_in(state, Activity(account_id="acme", owners=owners, items=items), 90)
    return state


def test_a_read_outside_the_accounts_spans_is_kept_aside_and_comes_back_with_a_wider_one() -> None:
    narrow, wide = owned("v", 1, (0, START_MS + 10, "dana")), owned("v", 2, (0, None, "dana"))
    first = after(((narrow,), (read("v", START_MS), read("v", START_MS + 20))))
    assert (set(first.reads), set(first.others)) == ({"v-0"}, {"v-20"})
    second = take_in(first, Activity(account_id="acme", owners=(wide,)), 90)
    assert (set(second.reads), set(second.others)) == ({"v-0", "v-20"}, set())
    assert {one.contact_id for one in second.reads.values()} == {"dana"}


def test_what_was_said_before_does_not_come_back_after_what_was_said_later() -> None:
    told, back = owned("v", 1, (0, None, "dana")), owned("v", 2)
    state = after(((told,), (read("v", START_MS),)), ((back,), ()), ((told,), (read("v", START_MS),)))
    assert (state.reads, state.others) == ({}, {})


def test_nothing_is_kept_of_visitors_of_whom_nothing_was_read_or_learnt_within_the_history() -> None:
    later = START_MS + 91 * DAY_MS
    state = after(
        ((owned("gone", 1, (0, None, "dana")),), (read("gone", START_MS),)),
        ((owned("gone", 2),), ()),
        ((owned("quiet", 1, (0, None, "eli")),), (read("quiet", START_MS),)),
        ((owned("new", 1, (0, None, "dana"), changed_ms=later),), (read("new", later),)),
    )
    assert set(state.owners) == {"new"}
    assert {one.visitor_id for one in state.reads.values()} == {"new"}


def test_a_visitor_nobody_said_anything_of_is_by_the_items_of_its_reads() -> None:
    item = read("v", START_MS).model_copy(update={"contact_id": "dana"})
    assert [one.contact_id for one in after(((), (item,))).reads.values()] == ["dana"]
