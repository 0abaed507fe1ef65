"""A forwarded link makes an unknown colleague, not a second contact; a phone beside a laptop stays one person."""

from itertools import permutations
from typing import Any

import pytest

from schemas.activity import Activity, ActivityItem, OwnedSpan, Ownership
from schemas.certainty import CONFIDENCE
from schemas.events import Identify, IdentifyMethod, PageProgress, PageView, Viewport
from schemas.reads import Read
from streams.account_state import AccountState, take_in
from tests.streams.journeys import SITE, START_MS, directory, envelope
from tests.streams.test_pipeline_properties import Pipeline

OFFICE, HOME = "203.0.113.0/24", "198.51.100.0/24"
MINUTE_MS = 60_000


def visit(
    visitor_id: str,
    begin_ms: int,
    active_ms: int = MINUTE_MS,
    *,
    network: str = OFFICE,
    method: IdentifyMethod = IdentifyMethod.email_link,
    **seen: Any,
) -> Activity:
    """One page view of a visitor that a link named as Dana, read without a pause."""
    url, at = f"{SITE}/problem", START_MS + begin_ms
    opened = PageView(event_id=f"{visitor_id}-o", occurred_ms=at, page_view_id=f"{visitor_id}-pv", url=url, **seen)
    read = PageProgress(
        event_id=f"{visitor_id}-p",
        occurred_ms=at + active_ms,
        page_view_id=f"{visitor_id}-pv",
        url=url,
        active_ms=active_ms,
        depth_pct=50,
    )
    items = tuple(
        ActivityItem(contact_id="dana", envelope=envelope(visitor_id, event.occurred_ms, event, network))
        for event in (opened, read)
    )
    span = OwnedSpan(from_ms=0, contact_id="dana", method=method, evidence_ms=at, confidence=CONFIDENCE[method])
    owner = Ownership(visitor_id=visitor_id, facts=1, turn=1, changed_ms=at, spans=(span,))
    return Activity(account_id="acme", items=items, owners=(owner,))


def readers(*activities: Activity) -> dict[str, tuple[str, str]]:
    """Return reader and forwarder of each visitor's read, the same in every order, one message at a time and twice."""
    states = []
    for order in permutations(activities):
        state = AccountState(account_id="acme")
        for activity in (*order, order[0]):
            state = take_in(state, activity, 90)
        states.append(state)
    assert all(state == states[0] for state in states)
    return {read.visitor_id: (read.contact_id, read.via) for read in states[0].reads.values()}


DANA, COLLEAGUE = ("dana", ""), ("", "dana")
LATER = 30 * MINUTE_MS


def test_who_reads_at_the_same_time_is_somebody_else() -> None:
    found = readers(visit("a", 0, 5 * MINUTE_MS), visit("b", MINUTE_MS, 3 * MINUTE_MS), visit("c", LATER))
    assert found == {"a": DANA, "b": COLLEAGUE, "c": DANA}


def test_who_comes_from_elsewhere_in_another_language_is_somebody_else() -> None:
    found = readers(visit("a", 0, lang="de-DE"), visit("b", LATER, network=HOME, lang="en"))
    assert found == {"a": DANA, "b": COLLEAGUE}


def test_who_opens_another_window_elsewhere_while_a_page_is_open_is_somebody_else() -> None:
    paused = visit("a", 0, 5 * MINUTE_MS, viewport=Viewport.desktop)
    first, last = paused.items
    assert isinstance(last.envelope.event, PageProgress)
    short = last.envelope.event.model_copy(update={"active_ms": MINUTE_MS})
    paused = paused.model_copy(
        update={"items": (first, last.model_copy(update={"envelope": envelope("a", short.occurred_ms, short, OFFICE)}))}
    )
    phone: dict[str, Any] = {"viewport": Viewport.mobile, "network": HOME}
    assert readers(paused, visit("b", 2 * MINUTE_MS, **phone)) == {"a": DANA, "b": COLLEAGUE}
    assert readers(paused, visit("b", LATER, **phone)) == {"a": DANA, "b": DANA}


@pytest.mark.parametrize(
    "second",
    [
        {"network": HOME, "viewport": Viewport.mobile, "lang": "de"},
        {"network": OFFICE, "viewport": Viewport.mobile, "lang": "en"},
        {"network": HOME, "viewport": Viewport.desktop, "lang": "de-AT"},
    ],
    ids=["a phone", "another browser", "at home"],
)
def test_the_same_person_on_two_devices_is_not_torn_apart(second: dict[str, Any]) -> None:
    first = visit("a", 0, viewport=Viewport.desktop, lang="de-DE")
    assert readers(first, visit("b", LATER, **second)) == {"a": DANA, "b": DANA}


def test_whom_something_surer_than_a_link_names_is_the_contact_though_they_came_later() -> None:
    logged_in = visit("b", MINUTE_MS, 3 * MINUTE_MS, method=IdentifyMethod.site_token)
    assert readers(visit("a", 0, 5 * MINUTE_MS), logged_in) == {"a": COLLEAGUE, "b": DANA}


def test_two_who_are_both_surely_the_contact_are_left_so() -> None:
    both = [visit(name, 0, 5 * MINUTE_MS, method=IdentifyMethod.site_token) for name in ("a", "b")]
    assert readers(*both) == {"a": DANA, "b": DANA}


def test_a_colleague_is_less_sure_than_the_contact() -> None:
    state = AccountState(account_id="acme")
    for one in (visit("a", 0, 5 * MINUTE_MS), visit("b", MINUTE_MS, 3 * MINUTE_MS)):
        state = take_in(state, one, 90)
    read: dict[str, Read] = {one.visitor_id: one for one in state.reads.values()}
    assert (read["b"].method, read["b"].confidence) == (IdentifyMethod.forwarded, CONFIDENCE[IdentifyMethod.forwarded])
    assert read["b"].confidence < read["a"].confidence


def test_news_of_who_shares_another_contact_leaves_a_colleague_one() -> None:
    """Visitor b is taken for Dana, by a forwarded link, and later for Eli; then there is news of c, who is Eli, too."""
    at = START_MS + 2 * LATER
    eli = OwnedSpan(from_ms=at, contact_id="eli", method=IdentifyMethod.email_link, evidence_ms=at)
    both = visit("b", MINUTE_MS, 3 * MINUTE_MS)
    (dana,) = both.owners[0].spans
    spans = (dana.model_copy(update={"until_ms": at}), eli)
    both = both.model_copy(update={"owners": (both.owners[0].model_copy(update={"spans": spans}),)})
    third = visit("c", 3 * LATER)
    third = third.model_copy(update={"owners": (third.owners[0].model_copy(update={"spans": (eli,)}),)})
    found = readers(visit("a", 0, 5 * MINUTE_MS), both, third)
    assert found == {"a": DANA, "b": COLLEAGUE, "c": ("eli", "")}


def test_when_one_of_two_is_no_longer_the_contact_the_other_is() -> None:
    first, second = visit("a", 0, 5 * MINUTE_MS), visit("b", MINUTE_MS, 3 * MINUTE_MS)
    taken_back = first.model_copy(
        update={"items": (), "owners": (first.owners[0].model_copy(update={"spans": (), "turn": 2}),)}
    )
    assert readers(first, second) == {"a": DANA, "b": COLLEAGUE}
    assert readers(first, second, taken_back) == {"b": DANA}


def test_two_people_on_a_shared_computer_are_two() -> None:
    pipeline = Pipeline()
    for number, who in enumerate(("dana", "eli")):
        at = START_MS + number * LATER
        sign = Identify(event_id=f"id-{who}", occurred_ms=at, contact_id=who, method=IdentifyMethod.email_link)
        read = PageProgress(
            event_id=f"p-{who}", occurred_ms=at + 5, page_view_id=who, url=SITE, active_ms=5, depth_pct=9
        )
        pipeline.feed([envelope("shared", at, sign), envelope("shared", at + 5, read)])
    assert {key: read["contact_id"] for key, read in pipeline.reads()["acme"].items()} == {"dana": "dana", "eli": "eli"}
    assert directory().account_of("dana") == directory().account_of("eli")
