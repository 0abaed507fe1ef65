"""What is read without models is what the models read."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import Activity, ActivityItem, Forgotten, OwnedSpan, Ownership
from schemas.envelope import Bundle, Envelope
from schemas.events import IdentifyMethod
from schemas.reads import Read
from streams.activity_bytes import Item, Whose, activity_bytes
from streams.activity_news import news_in, news_of
from streams.envelope_heads import envelopes_in
from streams.reading import join_all
from tests.streams.journeys import START_MS, journeys

SPAN = OwnedSpan(from_ms=0, contact_id="dana", method=IdentifyMethod.email_link, evidence_ms=START_MS)
GONE = Forgotten(visitors=("gone",), page_views=("pv",))
WHOSE = Ownership(visitor_id="v", facts=1, turn=7, changed_ms=START_MS, spans=(SPAN,))


@settings(max_examples=40, deadline=None)
@given(journeys(), st.booleans())
def test_reads_and_events_are_those_that_the_models_read(envelopes: list[Envelope], known: bool) -> None:
    items = tuple(ActivityItem(contact_id="dana", known=known, envelope=one) for one in envelopes)
    activity = Activity(account_id="acme", items=items, owners=(WHOSE,), emptied_ms=5, forgotten=GONE)
    found, expected = news_in(activity.to_bytes()), news_of(activity)
    assert join_all({}, found.reads) == join_all({}, expected.reads)
    assert [Read.model_validate(read.model_dump()) for read in found.reads] == list(found.reads)
    told = [item for item in items if item.envelope.event.type not in {"page_view", "page_progress"}]
    assert list(found.items) == told
    assert (list(found.owners), found.told, found.emptied_ms, found.forgotten) == ([WHOSE], [], 5, GONE)


@settings(max_examples=20, deadline=None)
@given(journeys())
def test_envelopes_that_go_on_as_they_came_make_an_activity_of_the_contract(envelopes: list[Envelope]) -> None:
    raws = envelopes_in(Bundle(envelopes=tuple(envelopes)).to_bytes())
    written = activity_bytes("acme", [Whose.of(WHOSE), *(Item("dana", known=True, envelope=raw) for raw in raws)])
    assert Activity.from_bytes(written) == Activity(
        account_id="acme",
        owners=(WHOSE,),
        items=tuple(ActivityItem(contact_id="dana", known=True, envelope=one) for one in envelopes),
    )
