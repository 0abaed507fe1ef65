"""A read is a join-semilattice."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from schemas.activity import ActivityItem
from schemas.events import Click, PagePing
from schemas.reads import Read
from streams.reading import MAX_BEATS, MAX_KEYS, join, longest_section, read_of
from tests.streams.journeys import START_MS, envelope, page_view


@st.composite
def reads_of_one_view(draw: st.DrawFn) -> list[Read]:
    events = draw(page_view("visitor-1", "pv-1", START_MS))
    return [
        read
        for one in events
        if (
            read := read_of(
                ActivityItem(contact_id=draw(st.sampled_from(("dana", "eli"))), known=draw(st.booleans()), envelope=one)
            )
        )
    ]


@st.composite
def three_reads(draw: st.DrawFn) -> tuple[Read, Read, Read]:
    reads = draw(reads_of_one_view())
    pick = st.sampled_from(reads)
    return draw(pick), draw(pick), draw(pick)


@given(three_reads())
def test_join_is_idempotent_commutative_and_associative(three: tuple[Read, Read, Read]) -> None:
    a, b, c = three
    assert join(a, a) == a
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))


def clicked(number: int) -> Read:
    url = "https://www.example.com/"
    at = START_MS + number
    click = Click(event_id=f"c{number:04}", occurred_ms=at, page_view_id="pv", url=url, element="a", page_x=0, page_y=0)
    read = read_of(ActivityItem(contact_id="dana", envelope=envelope("v", at, click)))
    assert read is not None
    return read


def test_clicks_beyond_the_bound_leave_the_same_ones_in_any_order() -> None:
    clicks = [clicked(number) for number in range(2 * MAX_KEYS)]
    forward = reduce(join, clicks)
    assert forward == reduce(join, reversed(clicks))
    assert len(forward.clicks) == MAX_KEYS


def pinged(number: int, beat_ms: int) -> Read:
    at = START_MS + number
    url = "https://www.example.com/"
    ping = PagePing(event_id=f"p{number:04}", occurred_ms=at, page_view_id="pv", url=url, beat_ms=beat_ms)
    read = read_of(ActivityItem(contact_id="dana", envelope=envelope("v", at, ping)))
    assert read is not None
    return read


def test_page_pings_add_up_and_each_counts_once() -> None:
    first, second = pinged(1, 10_000), pinged(2, 10_000)
    assert reduce(join, [first, second, first, second]).active_ms == 20_000


def test_page_pings_beyond_the_bound_leave_the_same_active_time_in_any_order() -> None:
    pings = [pinged(number, 1_000 + 9_000 * (number % 2)) for number in range(2 * MAX_BEATS)]
    forward = reduce(join, pings)
    assert forward == reduce(join, reversed(pings))
    assert forward.active_ms == MAX_BEATS * 10_000


def test_a_page_without_sections_has_no_longest_one() -> None:
    read = Read(
        page_view_id="p", visitor_id="v", site="s", contact_id="c", url="https://e.example/", started_ms=1, last_ms=1
    )
    assert longest_section(read) == ("", 0)
    named = read.model_copy(update={"sections": {"a": 5, "b": 9}, "section_titles": {"b": "Plans"}})
    assert longest_section(named) == ("Plans", 9)


def test_the_beginning_named_as_the_page_is_no_place_to_linger() -> None:
    read = clicked(1).model_copy(
        update={"sections": {"top": 90, "b": 9}, "section_titles": {"top": "Prices", "b": "Plans"}}
    )
    assert longest_section(read, "Prices") == ("Plans", 9)
