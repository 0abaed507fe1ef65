"""Stitching waits for the store, publishes a visitor's whole history in order, and only then lets go.

events      0  1  2  3  4            <- offset 3 told who the visitor is
identified              I(3)         <- waits until the store holds `events` up to 3
activity                   [0 1 3]   <- what the visitor did, all of it
"""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.activity import Activity, Identified, OwnedSpan, Ownership
from schemas.envelope import Envelope
from schemas.events import EmailOpen, IdentifyMethod
from sinks.clickhouse.stitching import MAX_MESSAGE_BYTES, Stitcher, Waiting, activities, extent_ms, held, is_due
from sinks.consumer import Record
from tests.sinks.store_samples import NOW_MS, email_click, envelope, identified, identify, page_view

DAY_MS = 86_400_000
EVENTS, IDENTIFIED = ("events", 0), ("identified", 0)


def record(said: Identified, offset: int = 0, partition: int = 0) -> Record:
    return Record("identified", partition, offset, b"v1", said.to_bytes(), NOW_MS)


class Effects:
    """A history that is at hand, and the effects in the order they happen."""

    def __init__(self, *envelopes: Envelope) -> None:
        self.log: list[str] = []
        self.activities: list[Activity] = []
        self._envelopes = envelopes

    def history(self, visitor_id: str, since: int, until: int | None) -> Iterator[Envelope]:
        self.log.append(f"read {visitor_id} from {since} to {until}")
        yield from (
            one
            for one in self._envelopes
            if one.visitor_id == visitor_id and since <= one.occurred_ms and (until is None or one.occurred_ms < until)
        )

    def publish(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        self.log.append(f"publish {topic} {(key or b'').decode()}")
        self.activities.append(Activity.from_bytes(value or b""))

    def stitcher(self, history_days: int = 90) -> Stitcher:
        return Stitcher(self.history, self.publish, history_days)


def test_it_waits_until_the_event_that_told_is_stored() -> None:
    effects = Effects(envelope(page_view()))
    stitcher = effects.stitcher()
    stitcher.add([record(identified(offset=3))])
    for stored in (0, 3):
        assert stitcher.advance({EVENTS: stored, IDENTIFIED: 1}, NOW_MS) == {IDENTIFIED: 0}
    assert effects.log == []
    assert stitcher.advance({EVENTS: 4, IDENTIFIED: 1}, NOW_MS) == {}
    assert effects.log == ["read v1 from 1787580300000 to None", "publish activity a1"]


def test_it_is_done_once() -> None:
    effects = Effects(envelope(page_view()))
    stitcher = effects.stitcher()
    stitcher.add([record(identified()), record(identified())])
    for _ in range(3):
        stitcher.advance({EVENTS: 1, IDENTIFIED: 1}, NOW_MS)
    assert len(effects.activities) == 1


def test_the_first_that_waits_holds_the_position_and_the_later_ones_still_go() -> None:
    effects = Effects(envelope(page_view(), "v2"))
    stitcher = effects.stitcher()
    stitcher.add([record(identified("v1", offset=9), 5), record(identified("v2", offset=1), 6)])
    assert stitcher.advance({EVENTS: 2, IDENTIFIED: 7}, NOW_MS) == {IDENTIFIED: 5}
    assert [one.items[0].envelope.visitor_id for one in effects.activities] == ["v2"]


def test_what_another_process_has_now_is_let_go() -> None:
    effects = Effects(envelope(page_view()))
    stitcher = effects.stitcher()
    stitcher.add([record(identified(offset=3))])
    assert stitcher.advance({}, NOW_MS) == {}
    assert stitcher.advance({EVENTS: 4, IDENTIFIED: 0}, NOW_MS) == {}
    assert effects.log == []


def test_if_publishing_fails_it_still_waits() -> None:
    effects = Effects(envelope(page_view()))

    def fail(*_: object) -> None:
        raise ConnectionError("away")

    stitcher = Stitcher(effects.history, fail, 90)
    stitcher.add([record(identified())])
    with pytest.raises(ConnectionError):
        stitcher.advance({EVENTS: 1, IDENTIFIED: 1}, NOW_MS)
    assert held(stitcher._waiting.values()) == {IDENTIFIED: 0}


def test_history_reaches_back_before_the_evidence_but_not_beyond_its_span_or_the_days() -> None:
    at = [NOW_MS - 100 * DAY_MS, NOW_MS - 10, NOW_MS, NOW_MS + 10, NOW_MS + 20]
    events = [envelope(page_view(f"e{n}", ms)) for n, ms in enumerate(at)]
    effects = Effects(*events)
    stitcher = effects.stitcher(history_days=90)
    stitcher.add([record(identified(until_ms=NOW_MS + 20))])
    stitcher.advance({EVENTS: 1, IDENTIFIED: 1}, NOW_MS)
    (activity,) = effects.activities
    assert activity.stitched
    assert [(item.envelope, item.known) for item in activity.items] == [
        (events[1], False),
        (events[2], True),
        (events[3], True),
    ]


def test_a_span_that_begins_later_is_not_read_before() -> None:
    assert extent_ms(identified(from_ms=NOW_MS), NOW_MS, 90) == (NOW_MS, None)
    assert extent_ms(identified(from_ms=0, until_ms=7), NOW_MS, 90) == (NOW_MS - 90 * DAY_MS, 7)


def owned(*spans: OwnedSpan) -> Ownership:
    return Ownership(visitor_id="v1", facts=2, turn=3, changed_ms=NOW_MS, spans=spans)


def span(contact_id: str, from_ms: int, until_ms: int | None = None) -> OwnedSpan:
    return OwnedSpan(
        from_ms=from_ms,
        until_ms=until_ms,
        contact_id=contact_id,
        method=IdentifyMethod.email_link,
        evidence_ms=from_ms or NOW_MS,
    )


def test_with_an_ownership_all_of_the_history_goes_and_the_ownership_with_each_message() -> None:
    at = [NOW_MS - 10, NOW_MS + 10, NOW_MS + 20, NOW_MS + 30]
    events = [envelope(page_view(f"e{n}", ms)) for n, ms in enumerate(at)]
    ownership = owned(span("c1", 0, NOW_MS + 15), span("c2", NOW_MS + 25))
    effects = Effects(*events, envelope(identify(at_ms=NOW_MS + 20)))
    stitcher = effects.stitcher()
    stitcher.add([record(identified(until_ms=NOW_MS + 15, ownership=ownership))])
    stitcher.advance({EVENTS: 1, IDENTIFIED: 1}, NOW_MS)
    (activity,) = effects.activities
    assert activity.owners == (ownership,)
    assert [(item.envelope, item.contact_id, item.known) for item in activity.items] == [
        (events[0], "c1", False),
        (events[1], "c1", True),
        (events[2], "", False),
        (events[3], "c2", True),
    ]


def test_what_is_merely_recorded_or_withdrawn_is_not_stitched() -> None:
    effects = Effects(envelope(page_view()))
    stitcher = effects.stitcher()
    stitcher.add([record(identified(stitch=False), 0), record(identified(withdrawn=True), 1)])
    assert stitcher.advance({EVENTS: 0, IDENTIFIED: 2}, NOW_MS) == {}
    assert effects.log == []


def test_mails_to_others_are_left_to_them_and_mails_to_the_contact_are_known() -> None:
    theirs = envelope(EmailOpen(event_id="e1", occurred_ms=NOW_MS - 5, contact_id="c2", campaign_id="spring"))
    own = envelope(email_click("e2", NOW_MS - 5))
    (activity,) = activities(identified(), [theirs, own, envelope(identify())])
    assert [(item.envelope.event.event_id, item.known) for item in activity.items] == [
        ("e2", True),
        ("e-identify", True),
    ]


def test_what_a_machine_did_is_no_history() -> None:
    machine = envelope(page_view("pv1")).model_copy(update={"automated": True})
    assert list(activities(identified(), [machine])) == []


def test_a_visitor_without_history_makes_no_message() -> None:
    assert list(activities(identified(), [])) == []


@given(st.lists(st.integers(0, 1900), max_size=400))
def test_messages_are_bounded_and_lose_nothing(url_lengths: list[int]) -> None:
    sent = [
        envelope(page_view(f"e{n}", referrer="x" * length, title="请" * (length // 4)))
        for n, length in enumerate(url_lengths)
    ]
    messages = list(activities(identified(), sent))
    assert [item.envelope for message in messages for item in message.items] == sent
    assert all(len(message.to_bytes()) < MAX_MESSAGE_BYTES * 1.05 for message in messages)
    assert len(messages) <= 1 + 2 * sum(len(m.to_bytes()) for m in messages) // MAX_MESSAGE_BYTES


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50), st.integers(0, 50))), st.integers(0, 50))
def test_no_position_is_released_before_everything_below_it_is_done(
    waits: list[tuple[int, int, int]], stored: int
) -> None:
    waiting = [
        Waiting(("identified", partition), offset, identified(partition=partition, offset=needs))
        for partition, offset, needs in waits
    ]
    positions = {("events", partition): stored for partition in range(3)}
    left = [one for one in waiting if not is_due(one, positions)]
    bounds = held(left)
    assert all(one.offset >= bounds[one.partition] for one in left)
    assert bounds.keys() == {one.partition for one in left}
