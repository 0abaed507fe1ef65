"""Any order, duplication and splitting of visitors' events gives the same reads and summary as a batch computation."""

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import Activity, ActivityItem, Identified
from schemas.envelope import Bundle, Envelope
from schemas.interest import Interest
from schemas.message import Message
from schemas.playbook import Playbook
from schemas.topics import ACTIVITY, EVENTS, IDENTIFIED, INTEREST
from streams.accounts import AccountState
from streams.stages import AccountStage, Incoming, VisitorStage, Work
from tests.streams import oracle
from tests.streams.interest_oracle import Oracle
from tests.streams.journeys import directory, journeys

NOW_MS = 1_800_000_000_000
PLAYBOOK = Playbook(company="Example")


class Pipeline:
    """The two stages over plain dictionaries, and a store that stitches once it holds what came before."""

    def __init__(self) -> None:
        self.visitors = VisitorStage(directory())
        self.accounts = AccountStage(directory(), PLAYBOOK, history_days=90)
        self.tables: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
        self.stored: list[Envelope] = []
        self.interest: dict[str, Interest] = {}
        self.offset = 0

    def feed(self, bundle: list[Envelope], *, crash_before_write: bool = False) -> None:
        self.stored += bundle
        incoming = Incoming(EVENTS.name, 0, self.offset, Bundle(envelopes=tuple(bundle)).to_bytes())
        self.offset += 1
        if crash_before_write:  # everything was sent, nothing written, nothing committed: it all comes again
            self._send(self.visitors.handle(incoming, self.tables[0], NOW_MS))
        work = self.visitors.handle(incoming, self.tables[0], NOW_MS)
        self._send(work)
        self._write(0, work)

    def _send(self, work: Work) -> None:
        for one in work.sends:
            if one.topic is ACTIVITY:
                self._account(one.message)
            elif one.topic is IDENTIFIED:
                assert isinstance(one.message, Identified)
                self._account(self._stitched(one.message))

    def _account(self, message: Message) -> None:
        work = self.accounts.handle(Incoming(ACTIVITY.name, 0, 0, message.to_bytes()), self.tables[1], NOW_MS)
        for one in work.sends:
            if one.topic is INTEREST:
                assert isinstance(one.message, Interest)
                self.interest[one.key] = one.message
        self._write(1, work)

    def _write(self, table: int, work: Work) -> None:
        for key, state in work.writes.items():
            self.tables[table][key.encode()] = state.to_bytes()

    def _stitched(self, news: Identified) -> Activity:
        until = news.until_ms
        items = tuple(
            ActivityItem(contact_id=news.contact_id, known=one.occurred_ms >= news.evidence_ms, envelope=one)
            for one in self.stored
            if one.visitor_id == news.visitor_id
            and one.occurred_ms >= news.from_ms
            and (until is None or one.occurred_ms < until)
        )
        return Activity(account_id=news.account_id, items=items, stitched=True)

    def reads(self) -> dict[str, dict[str, dict[str, Any]]]:
        found = {}
        for value in self.tables[1].values():
            state = AccountState.from_bytes(value)
            if state.reads:
                found[state.account_id] = {
                    key: {
                        "page_view_id": read.page_view_id,
                        "visitor_id": read.visitor_id,
                        "contact_id": read.contact_id,
                        "title": read.title,
                        "url": read.url,
                        "started_ms": read.started_ms,
                        "last_ms": read.last_ms,
                        "left_ms": read.left_ms,
                        "active_ms": read.active_ms,
                        "depth_pct": read.depth_pct,
                        "bands": read.bands,
                        "sections": read.sections,
                        "clicks": set(read.clicks),
                        "forms": set(read.submitted_forms),
                        "known": read.known,
                    }
                    for key, read in state.reads.items()
                }
        return found


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Envelope], list[list[Envelope]], list[bool]]:
    """Return journeys, and a way they may arrive: shuffled, some twice, split into bundles, some with a crash."""
    events = draw(journeys())
    shuffled = random.Random(draw(st.integers(0, 2**32)))
    arriving = events + shuffled.sample(events, draw(st.integers(0, len(events))))
    if draw(st.booleans()):
        shuffled.shuffle(arriving)
    bundles = []
    while arriving:
        size = draw(st.integers(1, len(arriving)))
        bundles.append(arriving[:size])
        arriving = arriving[size:]
    return events, bundles, [draw(st.booleans()) for _ in bundles]


@settings(max_examples=150)
@given(deliveries())
def test_any_order_duplication_and_splitting_gives_the_batch_result(
    delivery: tuple[list[Envelope], list[list[Envelope]], list[bool]],
) -> None:
    events, bundles, crashes = delivery
    pipeline = Pipeline()
    for bundle, crash in zip(bundles, crashes, strict=True):
        pipeline.feed(bundle, crash_before_write=crash)
    expected = oracle.reads_by_account(events)
    assert pipeline.reads() == expected
    for account_id, reads in expected.items():
        summary = pipeline.interest[account_id]
        slow = Oracle(account_id, list(reads.values()), directory(), PLAYBOOK)
        assert json.loads(summary.to_bytes()) == slow.summary(summary.as_of_ms)
