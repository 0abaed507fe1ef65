"""A page and its readers in ClickHouse: two accounts of two reps, the own staff, and strangers."""

from clickhouse_driver import Client

from schemas import topics
from schemas.activity import Activity, ActivityItem
from schemas.channel import ChannelKind
from schemas.directory import Account, Channel, Contact, Content, Entity, Function, Rep
from schemas.envelope import Envelope
from schemas.events import Click, Event, PageProgress, PageView, SectionAttention, Viewport
from schemas.interest import Temperature
from sinks.clickhouse.writer import Writer
from sinks.consumer import Record
from tests.sinks.store_samples import NOW_MS, bundle, entity, envelope, identified, interest

DAY_MS = 86_400_000
URL = "https://www.example.com/pricing"
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
STAFF = "nordhaven"
# Who reads: visitor, contact, account, device, deepest percent, active seconds.
READERS = (
    ("v-ada", "ada", "acme", Viewport.desktop, 100, 240),
    ("v-abe", "abe", "acme", Viewport.mobile, 40, 60),
    ("v-bea", "bea", "bolt", Viewport.desktop, 70, 120),
    ("v-sam", "sam", STAFF, Viewport.desktop, 100, 3600),
    *((f"v-{n}", "", "", Viewport.tablet if n % 2 else Viewport.desktop, 10 * (n % 9) + 15, 5 * n + 10)
      for n in range(12)),
)  # fmt: skip
FUNCTIONS = {"ada": Function.executive, "abe": Function.technician, "bea": Function.executive}
# Where they click: element, text, place in it, place in the page.
CLICKS = (
    ("a.button#buy", "Ask for a quote", 0.5, 0.4, 0.3, 0.2),
    ("a.more", "Plan <Large>", 0.2, 0.5, 0.2, 0.5),
    ("a.more", "Plan Small", 0.8, 0.5, 0.7, 0.5),
    (HOSTILE, HOSTILE, 0.5, 0.5, 0.5, 0.8),
)


def entities(url: str = URL) -> list[Entity]:
    mail = (Channel(kind=ChannelKind.email, target="rep@example.com"),)
    made: list[Entity] = [
        Rep(rep_id="ann", name="Ann", channels=mail),
        Rep(rep_id="bo", name="Bo", channels=mail),
        Account(account_id="acme", name="Acme <b>Pumps</b>", rep_id="ann"),
        Account(account_id="bolt", name="Bolt & Sons", rep_id="bo"),
        Account(account_id=STAFF, name="Nordhaven", rep_id="bo"),
        Content(url=url, title=f"Prices {HOSTILE}"),
    ]
    made += [
        Contact(contact_id=contact, account_id=account, name=contact.title(), function=FUNCTIONS.get(contact))
        for _, contact, account, *_ in READERS
        if contact
    ]
    return made


def reading(visitor: str, device: Viewport, depth: int, active_s: int, at_ms: int, url: str = URL) -> list[Envelope]:
    """Return one page view: its opening, two reports of progress, and clicks on what was reached."""
    page = {"page_view_id": f"p-{visitor}", "url": url}
    ends = active_s * 1000
    shares = [max(0, 14 - abs(tenth - 4) * 3) if tenth * 10 < depth else 0 for tenth in range(10)]
    bands = tuple(ends * share // sum(shares) for share in shares)
    events: list[Event] = [
        PageView(event_id=f"view-{visitor}", occurred_ms=at_ms, title="Prices", viewport=device, **page)
    ]
    events += [
        PageProgress(
            event_id=f"beat{part}-{visitor}", occurred_ms=at_ms + part, active_ms=ends * part // 2,
            depth_pct=depth * part // 2, bands=tuple(ms * part // 2 for ms in bands),
            sections=(SectionAttention(key="plans", title=f"Plans {HOSTILE}", active_ms=ends * part // 4),
                      SectionAttention(key="terms", title="Terms", active_ms=ends * part // 8)), **page,
        )
        for part in (1, 2)
    ]  # fmt: skip
    events += [
        Click(event_id=f"click{number}-{visitor}", occurred_ms=at_ms + 10 + number, element=element, text=text,
              element_x=x, element_y=y, page_x=page_x, page_y=page_y, viewport=device, rage=number == 1, **page)
        for number, (element, text, x, y, page_x, page_y) in enumerate(CLICKS)
        if page_y * 100 < depth
    ]  # fmt: skip
    return [envelope(event, visitor) for event in events]


def fill(client: Client, url: str = URL) -> None:
    """Write it all, and the events twice, as a replay would have it."""
    writer = Writer(client, lambda *_: None, dead_letter_limit=1)
    writer.write([entity(said, offset) for offset, said in enumerate(entities(url))], NOW_MS)
    read = {visitor: reading(visitor, device, depth, active_s, NOW_MS, url)
            for visitor, _, _, device, depth, active_s in READERS}  # fmt: skip
    every = [one for events in read.values() for one in events]
    for _ in range(2):
        writer.write([bundle(every)], NOW_MS)
    for visitor, contact, account, *_ in READERS:
        if contact:
            said = identified(visitor).model_copy(update={"contact_id": contact, "account_id": account})
            items = tuple(ActivityItem(contact_id=contact, envelope=one) for one in read[visitor])
            told = Activity(account_id=account, items=items)
            writer.write([Record(topics.IDENTIFIED.name, 0, 0, b"v", said.to_bytes(), NOW_MS)], NOW_MS)
            writer.write([Record(topics.ACTIVITY.name, 0, 0, b"a", told.to_bytes(), NOW_MS)], NOW_MS)
    for days, temperature in ((-3, Temperature.cold), (1, Temperature.hot)):
        told_interest = interest(NOW_MS + days * DAY_MS).model_copy(
            update={"account_id": "acme", "temperature": temperature}
        )
        writer.write([Record(topics.INTEREST.name, 0, 0, b"acme", told_interest.to_bytes(), NOW_MS)], NOW_MS)
