"""`reads` is a join: permuted, repeated and split events give what a plain batch over the set of events gives."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_driver import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.envelope import Envelope
from schemas.events import Click, Event, FormSubmit, PagePing, PageProgress, PageView, SectionAttention, Viewport
from sinks.clickhouse.writer import Writer
from tests.sinks.clickhouse_store import migrated_store
from tests.sinks.store_samples import NOW_MS, bundle, envelope
from tests.support.clickhouse import ClickHouseAddress

Read = dict[str, Any]

URLS = st.sampled_from(["https://www.example.com/a", "https://www.example.com/b/", "https://www.example.com/ä?q=1&p=2"])
WORDS = st.sampled_from(["", "Plans", "plans", "Ä", "请", "a'b\\c"])
MILLISECONDS = st.integers(0, 50_000)
SECTIONS = st.lists(
    st.builds(SectionAttention, key=st.sampled_from("xyz"), title=WORDS, active_ms=MILLISECONDS), max_size=3
).map(tuple)
BANDS = st.one_of(st.just(()), st.tuples(*[MILLISECONDS] * 10))
PAGE = {
    "event_id": st.just("replaced"),
    "occurred_ms": st.integers(NOW_MS, NOW_MS + 20),
    "page_view_id": st.sampled_from(["p1", "p2"]),
    "url": URLS,
}
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(PageView, **PAGE, title=WORDS, viewport=st.sampled_from(Viewport)),
    st.builds(
        PageProgress,
        **PAGE,
        title=WORDS,
        active_ms=MILLISECONDS,
        depth_pct=st.integers(0, 100),
        bands=BANDS,
        sections=SECTIONS,
        left=st.booleans(),
    ),
    st.builds(PagePing, **PAGE, title=WORDS, beat_ms=MILLISECONDS, depth_pct=st.integers(0, 100)),
    st.builds(Click, **PAGE, element=WORDS, text=WORDS, page_x=st.just(0.5), page_y=st.just(0.5)),
    st.builds(FormSubmit, **PAGE, form=WORDS),
)

examples = itertools.count()


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouseAddress) -> Iterator[Client]:
    with migrated_store(clickhouse) as client:
        yield client


def batch(envelopes: list[Envelope]) -> dict[str, Read]:
    """Compute the reads the plain way: page view by page view, over all that is known of it."""
    found = {}
    for page_view_id in {one.event.page_view_id for one in envelopes}:  # type: ignore[union-attr]
        of_page = [one for one in envelopes if one.event.page_view_id == page_view_id]  # type: ignore[union-attr]
        found[page_view_id] = batch_read(of_page)
    return found


def batch_read(envelopes: list[Envelope]) -> Read:
    events = [one.event for one in envelopes]
    progress = [event for event in events if isinstance(event, PageProgress)]
    views = [event for event in events if isinstance(event, PageView)]
    pings = [event for event in events if isinstance(event, PagePing)]
    deep: list[PageProgress | PagePing] = [*progress, *pings]
    titled: list[PageView | PageProgress | PagePing] = [*views, *progress, *pings]
    sections: dict[str, list[SectionAttention]] = {}
    for one in progress:
        for section in {section.key: section for section in one.sections}.values():
            sections.setdefault(section.key, []).append(section)
    started = min(one.occurred_ms for one in envelopes)
    firsts = [event for one, event in zip(envelopes, events, strict=True) if one.occurred_ms == started]
    return {
        "url": min(canonical(event) for event in firsts),
        "started_ms": started,
        "last_ms": max(one.occurred_ms for one in envelopes),
        "left_ms": max((one.occurred_ms for one in progress if one.left), default=0),
        "title": max((event.title for event in titled), default=""),
        "viewport": max((event.viewport.value for event in views), default=""),
        "active_ms": max(sum(ping.beat_ms for ping in pings), *(event.active_ms for event in progress), 0),
        "depth_pct": max((event.depth_pct for event in deep), default=0),
        "bands": [max((event.bands[i] for event in progress if event.bands), default=0) for i in range(10)],
        "sections": {key: max(one.active_ms for one in said) for key, said in sections.items()},
        "section_titles": {key: max(one.title for one in said) for key, said in sections.items()},
        "clicks": sorted((e.event_id, e.element, e.text, e.href) for e in events if isinstance(e, Click)),
        "submitted_forms": sorted({event.form for event in events if isinstance(event, FormSubmit)}),
    }


def canonical(event: Event) -> str:
    known = {
        "https://www.example.com/a": "https://www.example.com/a",
        "https://www.example.com/b/": "https://www.example.com/b",
        "https://www.example.com/ä?q=1&p=2": "https://www.example.com/ä?p=2&q=1",
    }
    return known[event.url]  # type: ignore[index,union-attr]


def stored(client: Client, visitor_id: str) -> dict[str, Read]:
    query = """
        SELECT page_view_id, url, toUnixTimestamp64Milli(started) AS started_ms,
               toUnixTimestamp64Milli(last) AS last_ms, toUnixTimestamp64Milli(left_at) AS left_ms, title, viewport,
               active_ms, depth_pct, arrayMap(band -> bands[toUInt8(band)], range(10)) AS bands, sections,
               section_titles, arraySort(clicks) AS clicks, arraySort(submitted_forms) AS submitted_forms
        FROM reads FINAL WHERE visitor_id = %(visitor_id)s
    """
    rows, columns = client.execute(query, {"visitor_id": visitor_id}, with_column_types=True)
    names = [name for name, _ in columns]
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return {read.pop("page_view_id"): read for read in found}


def no_letters(*_: object) -> None:
    raise AssertionError("nothing here is unreadable")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, min_size=1, max_size=12), seed=st.integers(0, 2**32), splits=st.integers(1, 4))
def test_reads_equal_the_batch_join(client: Client, events: list[Event], seed: int, splits: int) -> None:
    visitor_id = f"v{next(examples)}"
    envelopes = [envelope(event.model_copy(update={"event_id": f"e{n}"}), visitor_id) for n, event in enumerate(events)]
    chance = random.Random(seed)
    sent = envelopes + chance.choices(envelopes, k=chance.randrange(4))
    chance.shuffle(sent)
    cuts = sorted(chance.randrange(len(sent) + 1) for _ in range(splits - 1))
    writer = Writer(client, no_letters, dead_letter_limit=1)
    for offset, (start, end) in enumerate(itertools.pairwise([0, *cuts, len(sent)])):
        writer.write([bundle(sent[start:end], 0, offset)], NOW_MS)
    assert stored(client, visitor_id) == batch(envelopes)
    client.execute("OPTIMIZE TABLE reads FINAL")
    assert stored(client, visitor_id) == batch(envelopes)


def test_one_page_view_id_of_two_visitors_is_two_reads(client: Client) -> None:
    view = PageView(event_id="e1", occurred_ms=NOW_MS, page_view_id="same", url="https://www.example.com/a")
    Writer(client, no_letters, 1).write([bundle([envelope(view, "left"), envelope(view, "right")])], NOW_MS)
    assert stored(client, "left").keys() == stored(client, "right").keys() == {"same"}


def test_page_pings_add_up_and_each_counts_once(client: Client) -> None:
    page = {"page_view_id": "pv", "url": "https://www.example.com/a"}
    pings = [PagePing(event_id=f"e{n}", occurred_ms=NOW_MS + n, beat_ms=10_000, **page) for n in range(3)]
    writer = Writer(client, no_letters, 1)
    for offset, told in enumerate((pings, pings[:2])):
        writer.write([bundle([envelope(ping, "pinged") for ping in told], 0, offset)], NOW_MS)
    assert stored(client, "pinged")["pv"]["active_ms"] == 30_000


def test_what_a_machine_opens_is_an_event_and_no_read(client: Client) -> None:
    view = PageView(event_id="e1", occurred_ms=NOW_MS, page_view_id="pv", url="https://www.example.com/a")
    bot = envelope(view, "bot").model_copy(update={"automated": True})
    Writer(client, no_letters, 1).write([bundle([bot, envelope(view, "person")])], NOW_MS)
    seen = client.execute("SELECT visitor_id, automated FROM events FINAL WHERE visitor_id IN ('bot', 'person')")
    assert sorted(seen) == [("bot", True), ("person", False)]
    assert not stored(client, "bot")
    assert stored(client, "person").keys() == {"pv"}
