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
    Withdraw,
)

START_MS = 1_790_000_000_000
SITE = "https://www.example.com"
PATHS = ("/problem", "/solution", "/pricing", "/unlisted")
SECTIONS = ("intro", "details", "plans")
NETWORKS = (None, "203.0.113.0/24", "198.51.100.0/24")
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


def envelope(visitor_id: str, occurred_ms: int, event: Event, network: str | None = None) -> Envelope:
    """Wrap an event as the collector does."""
    return Envelope(
        site="docs",
        visitor_id=visitor_id,
        sent_ms=occurred_ms,
        received_ms=occurred_ms + 40,
        occurred_ms=occurred_ms,
        event=event,
        client_network=network,
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
            lang=draw(st.sampled_from(("", "de", "de-AT", "en"))),
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
    network = draw(st.sampled_from(NETWORKS))
    return [envelope(visitor_id, event.occurred_ms, event, network) for event in events]


@st.composite
def evidence(draw: st.DrawFn, visitor_id: str, number: int, moments: list[int]) -> list[Envelope]:
    """Return up to three signs of who a visitor is, which may contradict each other."""
    found = []
    for sign in range(draw(st.integers(0, 3))):
        at = draw(st.sampled_from(moments)) + draw(st.sampled_from((-1, 0, 1)))
        said = Identify(
            event_id=f"id-{number}-{sign}",
            occurred_ms=at,
            contact_id=draw(st.sampled_from(tuple(CONTACTS))),
            method=draw(st.sampled_from((IdentifyMethod.email_link, IdentifyMethod.site_token))),
        )
        found.append(envelope(visitor_id, at, said))
    return found


@st.composite
def withdrawals(draw: st.DrawFn, visitor_id: str, number: int, moments: list[int]) -> list[Envelope]:
    """Return up to two withdrawals: of one sign, of a contact, or of everything."""
    found = []
    for back in range(draw(st.integers(0, 2))):
        at = draw(st.sampled_from(moments)) + draw(st.sampled_from((-1, 0, 1)))
        which = draw(
            st.sampled_from(({"evidence_id": f"id-{number}-0"}, *({"contact_id": name} for name in CONTACTS), {}))
        )
        said = Withdraw(event_id=f"back-{number}-{back}", occurred_ms=at, reason="wrong", **which)
        found.append(envelope(visitor_id, at, said))
    return found


@st.composite
def journeys(draw: st.DrawFn, *, within_history: bool | None = None) -> list[Envelope]:
    """Return some visitors' events, in order; each is now one contact and now another, or never known.

    Withdrawals come only where nothing leaves the history: what has left it does not come back.
    """
    found: list[Envelope] = []
    if within_history is None:
        within_history = draw(st.booleans())
    pause_ms = 10_000_000 if within_history else 40 * 86_400_000
    for number in range(draw(st.integers(1, 3))):
        visitor_id = f"visitor-{number}"
        events: list[Envelope] = []
        at = START_MS + draw(st.integers(0, 600_000 if within_history else 86_400_000))
        for view in range(draw(st.integers(1, 4))):
            events += draw(page_view(visitor_id, f"pv-{number}-{view}", at))
            at += draw(st.integers(1_000, pause_ms))
        moments = [one.occurred_ms for one in events]
        events += draw(evidence(visitor_id, number, moments))
        if within_history:
            events += draw(withdrawals(visitor_id, number, moments))
        found += sorted(events, key=lambda one: one.occurred_ms)
    return found
