"""An envelope comes back from its row exactly, whatever the contract allows in it."""

import hypothesis.strategies as st
from hypothesis import given

from schemas.envelope import Bundle, Envelope
from schemas.events import (
    Click,
    Copy,
    Custom,
    EmailClick,
    EmailOpen,
    FormSubmit,
    Identify,
    IdentifyMethod,
    PagePing,
    PageProgress,
    PageView,
    SectionAttention,
    Viewport,
    Withdraw,
)
from sinks.clickhouse.event_columns import PLAIN
from sinks.clickhouse.event_rows import EVENTS, envelope_of, row_of, rows
from sinks.clickhouse.event_shapes import shaped_rows
from sinks.consumer import Record

IDS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:@+-]{0,20}\Z")
MS = st.integers(0, 4_102_444_800_000)
DURATIONS = st.integers(0, 86_400_000)
TEXT = st.text(max_size=30)
URLS = st.sampled_from(
    ["https://e.example/", "https://e.example/a?utm_source=x#b", "http://E.example:80/a/../b", "https://e.example/%C3"]
)
FRACTIONS = st.one_of(st.floats(0, 1), st.integers(0, 10_000).map(lambda n: n / 10_000))
SECTIONS = st.lists(
    st.builds(SectionAttention, key=st.sampled_from("abc") | TEXT, title=TEXT, active_ms=DURATIONS), max_size=4
).map(tuple)
COMMON = {"event_id": IDS, "occurred_ms": MS}
PAGE = {**COMMON, "page_view_id": IDS, "url": URLS}
PERCENT = st.integers(0, 100)
EVENTS_OF_ALL_KINDS = st.one_of(
    st.builds(PageView, **PAGE, title=TEXT, referrer=TEXT, viewport=st.sampled_from(Viewport), lang=TEXT),
    st.builds(
        PageProgress, **PAGE, title=TEXT, active_ms=DURATIONS, depth_pct=PERCENT, sections=SECTIONS, left=st.booleans(),
        bands=st.one_of(st.just(()), st.lists(DURATIONS, min_size=10, max_size=10).map(tuple)),
    ),
    st.builds(PagePing, **PAGE, title=TEXT, beat_ms=DURATIONS, depth_pct=PERCENT),
    st.builds(
        Click, **PAGE, element=TEXT, text=TEXT, href=TEXT, element_x=FRACTIONS, element_y=FRACTIONS, page_x=FRACTIONS,
        page_y=FRACTIONS, viewport=st.sampled_from(Viewport), download=st.booleans(), outbound=st.booleans(),
        rage=st.booleans(), dead=st.booleans(),
    ),
    st.builds(Copy, **PAGE, chars=st.integers(1, 2**31 - 1)),
    st.builds(FormSubmit, **PAGE, form=TEXT, fields=st.dictionaries(TEXT, TEXT, max_size=3)),
    st.builds(Custom, **COMMON, name=st.text(min_size=1, max_size=9), url=st.none() | URLS),
    st.builds(EmailOpen, **COMMON, contact_id=IDS, campaign_id=IDS),
    st.builds(EmailClick, **COMMON, contact_id=IDS, campaign_id=IDS, url=URLS),
    st.builds(
        Identify, **COMMON, contact_id=IDS, method=st.sampled_from(IdentifyMethod), campaign_id=st.none() | IDS,
        domain=st.none() | st.just("e.example"),
    ),
    st.builds(Withdraw, **COMMON, evidence_id=st.none() | IDS, contact_id=st.none() | IDS, reason=TEXT),
)  # fmt: skip
ENVELOPES = st.builds(
    Envelope,
    site=IDS,
    visitor_id=IDS,
    sent_ms=MS,
    received_ms=MS,
    occurred_ms=MS,
    event=EVENTS_OF_ALL_KINDS,
    automated=st.booleans(),
    client_network=st.none() | st.just("") | st.just("203.0.113.0/24"),
)


@given(ENVELOPES)
def test_event_to_row_to_event_is_the_same(envelope: Envelope) -> None:
    assert envelope_of(row_of(envelope, 3, 7)) == envelope


@given(ENVELOPES)
def test_a_row_has_a_value_for_every_column(envelope: Envelope) -> None:
    row = row_of(envelope, 3, 7)
    assert len(row) == len(EVENTS.columns)
    assert None not in row


@given(st.lists(ENVELOPES, min_size=1, max_size=3))
def test_what_is_read_quickly_is_what_is_read_with_care(envelopes: list[Envelope]) -> None:
    value = Bundle(envelopes=tuple(envelopes)).to_bytes()
    expected = [row_of(envelope, 3, 7) for envelope in envelopes]
    assert rows(Record("events", 3, 7, None, value, 0)) == expected
    is_usual = all(row[-1] == "" for row in expected)  # the last column holds what the others can't
    assert shaped_rows(value, 3, 7) == (expected if is_usual else None)


def test_every_kind_of_event_has_columns() -> None:
    kinds = set(Envelope.model_fields["event"].annotation.__args__)  # type: ignore[union-attr]
    assert kinds == set(PLAIN)
