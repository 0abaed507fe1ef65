"""The rollups say the same however often, in whatever order and in however many pieces events come."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from clickhouse_driver import Client

from schemas import topics
from schemas.activity import Activity, ActivityItem
from schemas.envelope import Envelope
from schemas.events import Click, PagePing, PageProgress, PageView, SectionAttention, Viewport
from sinks.clickhouse import content_queries as content
from sinks.clickhouse import page_queries as pages
from sinks.clickhouse.content_queries import Audience, Scope
from sinks.clickhouse.writer import Writer
from sinks.consumer import Record
from tests.sinks.clickhouse_store import migrated_store
from tests.sinks.store_samples import NOW_MS, bundle, envelope, identified
from tests.support.clickhouse import ClickHouseAddress

URL = "https://www.example.com/pricing"
DAY = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
ALWAYS = (date(2000, 1, 1), date(2100, 1, 1))
PAGE = Scope(URL, *ALWAYS)


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouseAddress) -> Iterator[Client]:
    with migrated_store(clickhouse) as client:
        yield client


@pytest.fixture(scope="module")
def story() -> list[Envelope]:
    """Return the reading of 12 visitors: 3 layouts, some pings, clicks on two spots; every number chosen by chance."""
    chance = random.Random(17)
    made = []
    for visitor in range(12):
        page = {"page_view_id": f"p{visitor}", "url": URL}
        view = PageView(
            event_id="view", occurred_ms=NOW_MS, title="Pricing", viewport=list(Viewport)[visitor % 3], **page
        )
        events: list[PageView | PageProgress | PagePing | Click] = [view]
        events += [
            PageProgress(
                event_id=f"beat{beat}", occurred_ms=NOW_MS + beat, active_ms=beat * 1000 + visitor,
                depth_pct=min(100, beat * chance.randrange(34)), bands=(beat * 10, *(beat * n for n in range(9))),
                sections=(SectionAttention(key="plans", title="Plans", active_ms=beat * 7),), **page,
            )
            for beat in range(1, 4)
        ]  # fmt: skip
        if visitor < 2:
            ping = {"url": URL, "page_view_id": f"ping{visitor}"}
            events += [PagePing(event_id=f"ping{n}", occurred_ms=NOW_MS, beat_ms=500, **ping) for n in range(3)]
        x = 0.999 if visitor % 2 else 0.5
        events.append(
            Click(event_id="c", occurred_ms=NOW_MS, element="a#buy", element_x=x, element_y=1, page_x=0, page_y=0,
                  viewport=Viewport.mobile, rage=visitor == 0, **page)
        )  # fmt: skip
        made += [envelope(event, f"v{visitor}") for event in events]
    return made


def write(client: Client, story: list[Envelope]) -> None:
    """Write the story in pieces, twice over, shuffled."""
    writer = Writer(client, lambda *_: pytest.fail("nothing is set aside"), dead_letter_limit=1)
    chance = random.Random(3)
    twice = [*story, *story]
    chance.shuffle(twice)
    size = len(twice) // 6
    for start in range(0, len(twice), size):
        writer.write([bundle(twice[start : start + size])], NOW_MS)
    items = tuple(ActivityItem(contact_id=f"c-{one.visitor_id}", envelope=one) for one in story[:10])
    for _ in range(2):
        told = Activity(account_id="a1", items=items)
        writer.write([Record(topics.ACTIVITY.name, 0, 0, b"a1", told.to_bytes(), NOW_MS)], NOW_MS)
        for visitor in ("v0", "v1"):
            said = identified(visitor)
            writer.write([Record(topics.IDENTIFIED.name, 0, 0, b"v", said.to_bytes(), NOW_MS)], NOW_MS)


@pytest.fixture(scope="module")
def told(client: Client, story: list[Envelope]) -> Client:
    write(client, story)
    return client


def highest(story: list[Envelope], name: str) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = defaultdict(int)
    for one in story:
        view = (one.visitor_id, getattr(one.event, "page_view_id", ""))
        found[view] = max(found[view], getattr(one.event, name, 0))
    return found


def test_the_list_counts_each_view_once_with_its_highest_total(told: Client, story: list[Envelope]) -> None:
    active_ms = sum(highest(story, "active_ms").values()) + 2 * 3 * 500
    expected = content.ContentLine(URL, "Pricing", len(highest(story, "active_ms")), 12, active_ms)
    assert content.contents(told, DAY, DAY, Audience()) == [expected]
    assert content.contents(told, ALWAYS[0], date(2001, 1, 1), Audience()) == []


def test_the_scroll_curve_falls_from_all_views_to_those_that_came_to_the_end(
    told: Client, story: list[Envelope]
) -> None:
    depths = highest(story, "depth_pct")
    curve = content.curve(told, PAGE)
    assert curve.views == len(depths)
    assert curve.reached == tuple(sum(depth >= tenth * 10 for depth in depths.values()) for tenth in range(11))
    assert curve.band_ms == (12 * 30, *(12 * 3 * n for n in range(9)))


def test_the_scroll_curve_of_one_class_of_windows_leaves_the_others_out(told: Client) -> None:
    curve = content.curve(told, Scope(URL, *ALWAYS, Audience(viewport="tablet")))
    assert (curve.views, curve.band_ms[0]) == (4, 4 * 30)


def test_a_click_counts_once_on_its_spot_of_the_element(told: Client) -> None:
    spots = [(one.viewport, one.element, round(one.x, 2), round(one.y, 2), one.clicks, one.rage, one.dead)
             for one in content.clicks(told, PAGE)]  # fmt: skip
    assert spots == [("mobile", "a#buy", 0.55, 0.95, 6, 1, 0), ("mobile", "a#buy", 0.95, 0.95, 6, 0, 0)]


def test_time_in_a_section_is_its_highest_total_per_view(told: Client) -> None:
    assert content.sections(told, PAGE) == [content.Section("plans", "Plans", 12, 12 * 21)]


def test_an_accounts_day_is_what_the_streams_were_told_once(told: Client, story: list[Envelope]) -> None:
    mine = story[:10]
    pings = sum(one.event.beat_ms for one in mine if isinstance(one.event, PagePing))
    active_ms = sum(highest(mine, "active_ms").values()) + pings
    readers = {one.visitor_id for one in mine}
    expected = content.ContentLine(URL, "", len(highest(mine, "active_ms")), len(readers), active_ms)
    assert content.contents(told, *ALWAYS, Audience(account_id="a1")) == [expected]


def test_an_accounts_timeline_is_by_whom_a_read_is_taken_to_be_now(told: Client) -> None:
    found = pages.account_timeline(told, "a1", *ALWAYS)
    assert {(read.visitor_id, read.contact_id) for read in found} == {("v0", "c1"), ("v1", "c1")}
    assert len(found) == 4
    writer = Writer(told, lambda *_: None, dead_letter_limit=1)
    back = identified("v1", withdrawn=True)
    writer.write([Record(topics.IDENTIFIED.name, 0, 0, b"v", back.to_bytes(), NOW_MS + 1)], NOW_MS)
    assert {read.visitor_id for read in pages.account_timeline(told, "a1", *ALWAYS)} == {"v0"}
