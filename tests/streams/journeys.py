"""Made-up journeys of visitors, for property tests: what they did, in the order in which it happened."""

from hypothesis import strategies as st

from schemas.delivery import ChannelKind
from schemas.directory import Account, Channel, Contact, Content, Directory, Lifecycle, Rep, Stage
from schemas.envelope import Envelope
from schemas.events import (
    Click,
    Event,
    FormSubmit,
    Identify,
    IdentifyMethod,
    PagePing,
    PageProgress,
    PageView,
    SectionAttention,
    Viewport,
)

START_MS = 1_790_000_000_000
SITE = "https://www.example.com"
PATHS = ("/problem", "/solution", "/pricing", "/unlisted")
SECTIONS = ("intro", "details", "plans")
CONTACTS = {"dana": "acme", "eli": "acme", "fay": "bolt"}


def directory() -> Directory:
    """Two accounts, three contacts, one rep, three contents."""
    made = Directory()
    made.put(Rep(rep_id="rita", name="Rita", channels=(Channel(kind=ChannelKind.email, target="rita@example.com"),)))
    for account_id in ("acme", "bolt"):
        made.put(
            Account(account_id=account_id, name=account_id.title(), rep_id="rita", lifecycle=Lifecycle.opportunity)
        )
    for contact_id, account_id in CONTACTS.items():
        made.put(Contact(contact_id=contact_id, account_id=account_id, name=contact_id.title()))
    stages = {"/problem": Stage.problem, "/solution": Stage.solution, "/pricing": Stage.price}
    for path, stage in stages.items():
        url = SITE + path
        made.put(Content(url=url, title=path[1:].title(), topics=("sensors", path[1:]), stage=stage, reading_time_s=60))
    return made


def envelope(visitor_id: str, occurred_ms: int, event: Event) -> Envelope:
    """Wrap an event as the collector does."""
    return Envelope(
        site="docs",
        visitor_id=visitor_id,
        sent_ms=occurred_ms,
        received_ms=occurred_ms + 40,
        occurred_ms=occurred_ms,
        event=event,
    )


@st.composite
def page_view(draw: st.DrawFn, visitor_id: str, name: str, start_ms: int) -> list[Envelope]:
    """One page view from opening to leaving, with cumulative progress, a click now and then, maybe a form."""
    url = SITE + draw(st.sampled_from(PATHS)) + draw(st.sampled_from(("", "#top", "?utm_source=mail")))
    events: list[Event] = [
        PageView(
            event_id=f"{name}-v",
            occurred_ms=start_ms,
            page_view_id=name,
            url=url,
            title="A page",
            viewport=draw(st.sampled_from(Viewport)),
        )
    ]
    active, depth, sections = 0, 0, dict.fromkeys(SECTIONS, 0)
    bands = [0] * 10
    at = start_ms
    for step in range(draw(st.integers(0, 4))):
        spent = draw(st.integers(0, 9_000))
        at += spent + draw(st.integers(0, 60_000))
        active += spent
        depth = max(depth, draw(st.integers(0, 100)))
        sections[draw(st.sampled_from(SECTIONS))] += spent
        bands[draw(st.integers(0, 9))] += spent
        events.append(
            PageProgress(
                event_id=f"{name}-p{step}",
                occurred_ms=at,
                page_view_id=name,
                url=url,
                title="A page",
                active_ms=active,
                depth_pct=depth,
                bands=tuple(bands),
                sections=tuple(
                    SectionAttention(key=key, title=key.title(), active_ms=ms) for key, ms in sections.items()
                ),
                left=draw(st.booleans()),
            )
        )
        if draw(st.booleans()):
            events.append(
                PagePing(
                    event_id=f"{name}-b{step}",
                    occurred_ms=at,
                    page_view_id=name,
                    url=url,
                    beat_ms=draw(st.sampled_from((5_000, 10_000))),
                    depth_pct=depth,
                )
            )
        if draw(st.booleans()):
            events.append(
                Click(
                    event_id=f"{name}-c{step}",
                    occurred_ms=at,
                    page_view_id=name,
                    url=url,
                    element="a.cta",
                    text="Try it",
                    href=SITE + "/try",
                    page_x=0.5,
                    page_y=0.5,
                )
            )
    if draw(st.booleans()):
        events.append(FormSubmit(event_id=f"{name}-f", occurred_ms=at, page_view_id=name, url=url, form="contact"))
    return [envelope(visitor_id, event.occurred_ms, event) for event in events]


@st.composite
def journeys(draw: st.DrawFn) -> list[Envelope]:
    """Return some visitors' events, in order; each is known from some moment on as one contact, or never."""
    found: list[Envelope] = []
    for number in range(draw(st.integers(1, 3))):
        visitor_id = f"visitor-{number}"
        events: list[Envelope] = []
        at = START_MS + draw(st.integers(0, 86_400_000))
        for view in range(draw(st.integers(1, 4))):
            events += draw(page_view(visitor_id, f"pv-{number}-{view}", at))
            at += draw(st.integers(1_000, 40 * 86_400_000))
        contact_id = draw(st.sampled_from((*CONTACTS, None)))
        if contact_id:
            known_ms = draw(st.sampled_from(events)).occurred_ms
            sign = Identify(
                event_id=f"id-{number}",
                occurred_ms=known_ms,
                contact_id=contact_id,
                method=IdentifyMethod.email_link,
            )
            events.append(envelope(visitor_id, known_ms, sign))
        found += sorted(events, key=lambda one: one.occurred_ms)
    return found
