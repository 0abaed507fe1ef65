"""Nothing that the stages send or write comes near what a broker takes, however many read, and whatever they send."""

from schemas.activity import Activity, ActivityItem, OwnedSpan, Ownership
from schemas.envelope import Bundle
from schemas.events import Click, Event, Identify, IdentifyMethod, PageProgress, SectionAttention
from schemas.playbook import OutboxRules, Playbook
from schemas.topics import ACTIVITY, EVENTS
from streams.account_records import state_of
from streams.account_stage import AccountStage
from streams.account_state import AccountState, take_in
from streams.accounts import advance
from streams.briefing import MAX_TOLD
from streams.merging import merged
from streams.records import MemoryTable
from streams.stage import Incoming, Work
from streams.visitor_stage import VisitorStage
from tests.streams.journeys import SITE, START_MS, directory, envelope

BROKER_TAKES = 1_048_588
VISITORS = 3_000
DAY_MS = 86_400_000
NAME = "n" * 90  # ids may have 128 characters


def incoming(activity: Activity) -> Incoming:
    return Incoming(ACTIVITY.name, 0, 0, activity.to_bytes())


def reads_of(visitor: int) -> list[ActivityItem]:
    """Return two reads of a visitor, who came back after some days."""
    return [
        ActivityItem(
            contact_id="",
            envelope=envelope(
                f"{NAME}-{visitor}",
                at_ms,
                PageProgress(
                    event_id=f"{NAME}-{visitor}-{at_ms}",
                    occurred_ms=at_ms,
                    page_view_id=f"{NAME}-{visitor}-{at_ms}",
                    url=f"{SITE}/pricing",
                    active_ms=9_000,
                    depth_pct=90,
                ),
            ),
        )
        for at_ms in (START_MS + visitor, START_MS + visitor + 3 * DAY_MS)
    ]


def owned(visitor: int) -> Ownership:
    span = OwnedSpan(from_ms=0, contact_id="", method=IdentifyMethod.network, evidence_ms=START_MS, confidence=25)
    return Ownership(visitor_id=f"{NAME}-{visitor}", facts=1, turn=1, changed_ms=START_MS, spans=(span,))


def largest(work: Work) -> int:
    sent = [len(send.message.to_bytes()) for send in work.sends]
    return max([*sent, *(len(change.value or b"") for change in work.changes)])


def test_an_account_of_thousands_of_visitors_writes_and_sends_no_message_that_a_broker_refuses() -> None:
    stage = AccountStage(directory(), Playbook(company="Example"), history_days=90)
    table = MemoryTable()
    activity = Activity(
        account_id="acme",
        owners=tuple(map(owned, range(VISITORS))),
        items=tuple(item for visitor in range(VISITORS) for item in reads_of(visitor)),
    )
    work = stage.handle([incoming(activity)], table, START_MS + 4 * DAY_MS)
    assert len(work.changes) > 3 * VISITORS
    assert (
        largest(Work([send for send in work.sends if send.topic.name == "interest"], work.changes)) < BROKER_TAKES / 2
    )

    table.apply(work.changes)  # what is kept in pieces is found again, and one visitor more rewrites none of the others
    assert len(state_of("acme", table.get("acme")).owners) == VISITORS
    more = Activity(account_id="acme", owners=(owned(VISITORS),), items=tuple(reads_of(VISITORS)))
    assert len(stage.handle([incoming(more)], table, START_MS + 4 * DAY_MS).changes) <= 4


def test_a_read_stays_small_whatever_its_events_carry() -> None:
    letter = "\N{PILE OF POO}"
    clicks: list[Event] = [
        Click(
            event_id=f"c-{number}",
            occurred_ms=START_MS,
            page_view_id="pv",
            url=f"{SITE}/pricing",
            element=letter * 200,
            text=letter * 200,
            href=letter * 2_000,
            page_x=0,
            page_y=0,
        )
        for number in range(200)
    ]
    sections = tuple(SectionAttention(key=f"{n}{letter * 190}", title=letter * 200, active_ms=1) for n in range(50))
    progress = PageProgress(
        event_id="p",
        occurred_ms=START_MS,
        page_view_id="pv",
        url=f"{SITE}/pricing",
        active_ms=1,
        depth_pct=1,
        sections=sections,
    )
    items = [ActivityItem(contact_id="dana", envelope=envelope("v", START_MS, one)) for one in [*clicks, progress]]
    stage = AccountStage(directory(), Playbook(company="Example"), history_days=90)
    work = stage.handle([incoming(Activity(account_id="acme", items=tuple(items)))], MemoryTable(), START_MS)
    assert largest(work) < BROKER_TAKES / 2


def test_activity_is_split_by_its_size_and_whose_it_is_goes_first() -> None:
    sections = tuple(SectionAttention(key=f"{n}-{'k' * 190}", title="t" * 200, active_ms=1) for n in range(50))
    sign = Identify(event_id="i", occurred_ms=START_MS, contact_id="dana", method=IdentifyMethod.email_link)
    reading: list[Event] = [
        PageProgress(
            event_id=f"p-{number}",
            occurred_ms=START_MS + number,
            page_view_id="pv",
            url=f"{SITE}/pricing",
            active_ms=number,
            depth_pct=1,
            sections=sections,
        )
        for number in range(150)
    ]
    bundle = Bundle(envelopes=tuple(envelope("v", event.occurred_ms, event) for event in [sign, *reading]))
    work = VisitorStage(directory()).handle([Incoming(EVENTS.name, 0, 7, bundle.to_bytes())], MemoryTable(), START_MS)
    sent = [Activity.from_bytes(send.message.to_bytes()) for send in work.sends if send.topic == ACTIVITY]
    assert len(sent) > 1
    assert max(len(one.to_bytes()) for one in sent) < BROKER_TAKES / 2
    assert [len(one.owners) for one in sent] == [1] + [0] * (len(sent) - 1)
    told = [item.envelope.event.event_id for one in sent for item in one.items]
    assert told == [event.event_id for event in reading] or told == ["i", *(event.event_id for event in reading)]


def test_a_brief_on_an_account_that_read_thousands_of_pages_stays_small_and_tells_nothing_twice() -> None:
    known, playbook = directory(), Playbook(company="Example")
    items = tuple(item for visitor in range(VISITORS // 2) for item in reads_of(visitor))
    owners = tuple(map(owned, range(VISITORS // 2)))
    state = take_in(
        AccountState(account_id="acme"), Activity(account_id="acme", owners=owners, items=items), history_days=90
    )
    later_ms = START_MS + 4 * DAY_MS
    step = advance(state, known, playbook, later_ms)
    (brief,) = step.briefs
    assert len(state.reads) == VISITORS
    assert len(brief.told) == MAX_TOLD
    assert {read.page_view_id for read in brief.reads} <= brief.told.keys()
    assert brief.more_reads == VISITORS - len(brief.reads)
    # A digest holds ten of them; who takes the account over is told all of it, and by no larger message.
    assert len(brief.to_bytes()) < BROKER_TAKES / OutboxRules().max_briefs_in_digest
    assert step.state.told.keys() == state.reads.keys()
    assert advance(step.state, known, playbook, later_ms + DAY_MS, step.state).briefs == ()

    other = brief.model_copy(
        update={"brief_id": "b2", "told": {f"{NAME}-{n}": 1 for n in range(MAX_TOLD)}, "decided_ms": later_ms}
    )
    both = merged(brief, other)
    assert len(both.told) == MAX_TOLD
    assert {read.page_view_id for read in both.reads} <= both.told.keys()
    assert both.more_reads >= brief.more_reads
