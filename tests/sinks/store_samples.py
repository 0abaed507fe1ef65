"""Records of every topic as the tests of the ClickHouse sink use them."""

from collections.abc import Sequence
from typing import Any

from schemas import topics
from schemas.activity import Activity, ActivityItem, Identified
from schemas.brief import Advice, Brief, Trigger, TriggerKind
from schemas.dead_letter import DeadLetter, DeadLetterStage
from schemas.delivery import ChannelKind, Delivery, Outcome, OutcomeKind
from schemas.directory import Account, Channel, Contact, Content, Rep, Stage
from schemas.envelope import Bundle, Envelope
from schemas.events import (
    Click,
    Custom,
    EmailClick,
    EmailOpen,
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
from schemas.interest import Interest, ReaderInterest, Temperature, TopicWeight
from schemas.rep_mail import RepMail
from sinks.consumer import Record

NOW_MS = 1_795_356_300_000  # 2026-11-22 14:05 UTC
URL = "https://www.example.com/pricing"


def envelope(event: Event, visitor_id: str = "v1", received_ms: int | None = None) -> Envelope:
    return Envelope(
        site="main",
        visitor_id=visitor_id,
        sent_ms=event.occurred_ms,
        received_ms=event.occurred_ms if received_ms is None else received_ms,
        occurred_ms=event.occurred_ms,
        event=event,
    )


def page_view(event_id: str = "e-view", at_ms: int = NOW_MS, page_view_id: str = "p1", **more: Any) -> PageView:
    said: dict[str, Any] = {"url": URL + "/?utm_source=mail", "title": "Pricing", "viewport": Viewport.mobile} | more
    return PageView(event_id=event_id, occurred_ms=at_ms, page_view_id=page_view_id, **said)


def identify(event_id: str = "e-identify", at_ms: int = NOW_MS, contact_id: str = "c1") -> Identify:
    return Identify(event_id=event_id, occurred_ms=at_ms, contact_id=contact_id, method=IdentifyMethod.email_link)


def withdraw(event_id: str = "e-withdraw", at_ms: int = NOW_MS, **which: str) -> Withdraw:
    return Withdraw(event_id=event_id, occurred_ms=at_ms, reason="It was a colleague", **which)


def email_click(event_id: str = "e-mail", at_ms: int = NOW_MS, contact_id: str = "c1") -> EmailClick:
    return EmailClick(event_id=event_id, occurred_ms=at_ms, contact_id=contact_id, campaign_id="spring", url=URL)


def one_of_each_event() -> list[Event]:
    page = {"page_view_id": "p1", "url": URL}
    return [
        page_view(),
        PageProgress(
            event_id="e-progress",
            occurred_ms=NOW_MS + 1,
            title="Pricing",
            active_ms=4000,
            depth_pct=60,
            bands=(1000, 3000, 0, 0, 0, 0, 0, 0, 0, 0),
            sections=(SectionAttention(key="plans", title="Plans", active_ms=3000),),
            left=True,
            **page,
        ),
        Click(event_id="e-click", occurred_ms=NOW_MS + 2, element="a#buy", page_x=0.5, page_y=0.25, **page),
        FormSubmit(event_id="e-form", occurred_ms=NOW_MS + 3, form="demo", fields={"size": "50"}, **page),
        EmailOpen(event_id="e-open", occurred_ms=NOW_MS + 4, contact_id="c1", campaign_id="spring"),
        email_click(at_ms=NOW_MS + 5),
        identify(at_ms=NOW_MS + 6),
        PagePing(event_id="e-ping", occurred_ms=NOW_MS + 7, beat_ms=10_000, depth_pct=40, **page),
        Custom(event_id="e-custom", occurred_ms=NOW_MS + 8, name="Trial Started", url=URL),
        withdraw(at_ms=NOW_MS + 9, contact_id="c1"),
    ]


def bundle(envelopes: Sequence[Envelope], partition: int = 0, offset: int = 0) -> Record:
    return Record("events", partition, offset, None, Bundle(envelopes=tuple(envelopes)).to_bytes(), NOW_MS)


def identified(visitor_id: str = "v1", partition: int = 0, offset: int = 0, **more: Any) -> Identified:
    said: dict[str, Any] = {"evidence_ms": NOW_MS, "from_ms": 0, "method": IdentifyMethod.email_link} | more
    return Identified(
        visitor_id=visitor_id,
        contact_id="c1",
        account_id="a1",
        partition=partition,
        offset=offset,
        **said,
    )


def interest(as_of_ms: int = NOW_MS, score: float = 31.5) -> Interest:
    return Interest(
        account_id="a1",
        as_of_ms=as_of_ms,
        temperature=Temperature.hot,
        score=score,
        reasons=(),
        topics=(TopicWeight(topic="pricing", weight=2.5),),
        contents=(),
        readers=(ReaderInterest(contact_id="c1", active_ms=4000, reads=1, last_ms=as_of_ms),),
        active_ms_last_7_days=4000,
        active_ms_prior_7_days=0,
    )


def brief(brief_id: str = "brief_1", decided_ms: int = NOW_MS) -> Brief:
    return Brief(
        brief_id=brief_id,
        account_id="a1",
        rep_id="r1",
        language="en",
        decided_ms=decided_ms,
        trigger=Trigger(kind=TriggerKind.session_end, met_ms=decided_ms, page_view_id="p1", url=URL),
        reads=(),
        more_reads=2,
        told={"p1": 4000},
        topics=("pricing",),
        advice=Advice(next_step="Call — höflich, 请"),
        interest=interest(),
    )


def delivery(delivery_id: str = "delivery_1", briefs: Sequence[Brief] = ()) -> Delivery:
    return Delivery(
        delivery_id=delivery_id,
        rep_id="r1",
        channel=ChannelKind.email,
        briefs=tuple(briefs) or (brief(),),
        released_ms=NOW_MS,
    )


def outcome(outcome_id: str = "outcome_1", delivery_id: str = "delivery_1") -> Outcome:
    return Outcome(
        outcome_id=outcome_id,
        delivery_id=delivery_id,
        rep_id="r1",
        channel=ChannelKind.email,
        brief_ids=("brief_1",),
        kind=OutcomeKind.sent,
        at_ms=NOW_MS,
    )


ACCOUNT = Account(account_id="a1", name="Globex", rep_id="r1", industry="robotics")
CONTACT = Contact(contact_id="c1", account_id="a1", name="Ada", email="ada@example.com")
REP = Rep(rep_id="r1", name="Rhea", channels=(Channel(kind=ChannelKind.email, target="rhea@example.com"),))
CONTENT = Content(url=URL, title="Pricing", topics=("pricing",), stage=Stage.price)
ENTITIES: tuple[Account | Contact | Rep | Content, ...] = (ACCOUNT, CONTACT, REP, CONTENT)


def entity(said: Account | Contact | Rep | Content, offset: int = 0, at_ms: int = NOW_MS) -> Record:
    return Record("directory", 0, offset, said.entity_id.encode(), said.to_bytes(), at_ms)


def tombstone(entity_id: str, offset: int, at_ms: int = NOW_MS) -> Record:
    return Record("directory", 0, offset, entity_id.encode(), None, at_ms)


def one_record_of_each_topic() -> list[Record]:
    letter = DeadLetter.of(DeadLetterStage.collector, "/v1/events", "events: missing", b"\xff{", NOW_MS)
    messages = {
        topics.IDENTIFIED: identified(),
        topics.ACTIVITY: Activity(
            account_id="a1", items=(ActivityItem(contact_id="c1", envelope=envelope(page_view())),)
        ),
        topics.INTEREST: interest(),
        topics.BRIEFS: RepMail(rep_id="r1", briefs=(brief(),)),
        topics.DELIVERIES: delivery(),
        topics.OUTCOMES: outcome(),
        topics.DEAD_LETTERS: letter,
    }
    return [
        bundle([envelope(event) for event in one_of_each_event()]),
        *(Record(topic.name, 0, 0, b"k", message.to_bytes(), NOW_MS) for topic, message in messages.items()),
        *(entity(said, offset) for offset, said in enumerate(ENTITIES)),
    ]
