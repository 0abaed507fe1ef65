"""Any order, duplication and splitting of visitors' events gives the same reads and summary as a batch computation."""

import json
import random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.activity import Activity, Identified
from schemas.envelope import Bundle, Envelope
from schemas.events import Identify, IdentifyMethod, PageProgress, Withdraw
from schemas.interest import Interest
from schemas.message import Message
from schemas.playbook import Playbook
from schemas.topics import ACTIVITY, EVENTS, IDENTIFIED, INTEREST
from sinks.clickhouse.stitching import activities
from streams.account_records import state_of
from streams.account_stage import AccountStage
from streams.account_state import AccountState
from streams.identity import VisitorState
from streams.interest import summarise
from streams.records import HEAD, MemoryTable, Records
from streams.stage import Incoming, Work, Written
from streams.visitor_stage import VisitorStage
from tests.streams import oracle
from tests.streams.interest_oracle import Oracle
from tests.streams.journeys import SITE, START_MS, directory, envelope, journeys

NOW_MS = 1_800_000_000_000
PLAYBOOK = Playbook(company="Example")


class Pipeline:
    """The two stages over plain dictionaries, and a store that stitches what came before, sooner or later."""

    def __init__(self) -> None:
        self.visitors = VisitorStage(directory())
        self.accounts = AccountStage(directory(), PLAYBOOK, history_days=90)
        self.tables = (MemoryTable(), MemoryTable(max_decoded=1))
        self.stored: list[Envelope] = []
        self.interest: dict[str, Interest] = {}
        self.offset = 0
        self.waiting: list[Activity] = []

    def feed(self, bundle: list[Envelope], *, crash_before_write: bool = False, stitch: bool = True) -> None:
        self.stored += bundle
        incoming = Incoming(EVENTS.name, 0, self.offset, Bundle(envelopes=tuple(bundle)).to_bytes())
        self.offset += 1
        if crash_before_write:  # everything was sent, nothing written, nothing committed: it all comes again
            self._send(self.visitors.handle([incoming], self.tables[0], NOW_MS))
        work = self.visitors.handle([incoming], self.tables[0], NOW_MS)
        self._send(work)
        self._write(0, work)
        if stitch:
            self.stitch()

    def stitch(self) -> None:
        for activity in self.waiting:
            self._account(activity)
        self.waiting.clear()

    def _send(self, work: Work) -> None:
        for one in work.sends:
            if one.topic is ACTIVITY:
                self._account(one.message)
            elif one.topic is IDENTIFIED:
                assert isinstance(one.message, Identified)
                self.waiting += self._history(one.message)

    def _account(self, message: Message | Written) -> None:
        self._take(self.accounts.handle([Incoming(ACTIVITY.name, 0, 0, message.to_bytes())], self.tables[1], NOW_MS))

    def _take(self, work: Work) -> None:
        for one in work.sends:
            if one.topic is INTEREST:
                assert isinstance(one.message, Interest)
                self.interest[one.key] = one.message
        self._write(1, work)

    def settle(self) -> None:
        """Look at every account once, as the worker does when one is due: what has cooled by now is told."""
        for key in tuple(self.tables[1].keys):
            self._take(self.accounts.handle([], self.tables[1], NOW_MS, due=[key]))

    def _write(self, table: int, work: Work) -> None:
        self.tables[table].apply(work.changes)
        for key, made in work.decoded.items():
            self.tables[table].keep_decoded(key, made)

    def _history(self, news: Identified) -> list[Activity]:
        if news.withdrawn or not news.stitch:
            return []
        return list(activities(news, [one for one in self.stored if one.visitor_id == news.visitor_id]))

    def reads(self) -> dict[str, dict[str, dict[str, Any]]]:
        found = {}
        for account_id, records in self.tables[1].keys.items():
            state = state_of(account_id, records)
            if state.reads:
                found[state.account_id] = {
                    key: {
                        "page_view_id": read.page_view_id,
                        "visitor_id": read.visitor_id,
                        "contact_id": read.contact_id,
                        "via": read.via,
                        "confidence": read.confidence,
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
def deliveries(draw: st.DrawFn) -> tuple[list[Envelope], list[list[Envelope]], list[tuple[bool, bool]]]:
    """Return journeys, and a way they may arrive: shuffled, some twice, bundled, with crashes, history soon or late."""
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
    return events, bundles, [draw(st.tuples(st.booleans(), st.booleans())) for _ in bundles]


@settings(max_examples=200, deadline=None)
@given(deliveries())
def test_any_order_duplication_and_splitting_gives_the_batch_result(
    delivery: tuple[list[Envelope], list[list[Envelope]], list[tuple[bool, bool]]],
) -> None:
    events, bundles, ways = delivery
    pipeline = Pipeline()
    for bundle, (crash, stitch) in zip(bundles, ways, strict=True):
        pipeline.feed(bundle, crash_before_write=crash, stitch=stitch)
    pipeline.stitch()
    expected = oracle.reads_by_account(events)
    assert pipeline.reads() == expected
    for account_id, reads in expected.items():
        summary = pipeline.interest[account_id]
        slow = Oracle(account_id, list(reads.values()), directory(), PLAYBOOK)
        assert json.loads(summary.to_bytes()) == slow.summary(summary.as_of_ms)


@st.composite
def mistaken(draw: st.DrawFn) -> tuple[list[list[Envelope]], list[list[Envelope]], list[bool]]:
    """Return bundles in which one visitor is taken for contacts and that is taken back, and the same without both."""
    events = [one for one in draw(journeys(within_history=True)) if not isinstance(one.event, Withdraw)]
    last_ms = max((one.occurred_ms for one in events), default=START_MS)
    back = Withdraw(event_id="back", occurred_ms=last_ms, reason="It was a colleague")
    told = [*events, envelope("visitor-0", last_ms, back)]
    random.Random(draw(st.integers(0, 2**32))).shuffle(told)
    bundles, stitches = [], []
    while told:
        size = draw(st.integers(1, len(told)))
        bundles.append(told[:size])
        stitches.append(draw(st.booleans()))
        told = told[size:]
    never = [[one for one in bundle if not _concerns_identity_of(one, "visitor-0")] for bundle in bundles]
    return bundles, never, stitches


def _concerns_identity_of(one: Envelope, visitor_id: str) -> bool:
    return one.visitor_id == visitor_id and isinstance(one.event, Identify | Withdraw)


def cooling() -> tuple[list[list[Envelope]], list[list[Envelope]], list[bool]]:
    """Return a mistake that changes no read, so the account is only looked at more often, and seen to have cooled."""
    reading = PageProgress(
        event_id="p", occurred_ms=START_MS, page_view_id="pv", url=f"{SITE}/pricing", active_ms=15_000, depth_pct=50
    )
    signs = [
        Identify(event_id=f"id-{who}", occurred_ms=START_MS, contact_id="fay", method=IdentifyMethod.email_link)
        for who in (1, 0)
    ]
    back = Withdraw(event_id="back", occurred_ms=START_MS, reason="It was a colleague")
    true = [envelope("visitor-1", START_MS, event) for event in (signs[0], reading)]
    mistake = [[envelope("visitor-0", START_MS, signs[1])], [envelope("visitor-0", START_MS, back)]]
    return [true, *mistake], [true, [], []], [True, True, True]


def summaries(bundles: list[list[Envelope]], stitches: list[bool]) -> dict[str, bytes]:
    pipeline = Pipeline()
    for bundle, stitch in zip(bundles, stitches, strict=True):
        pipeline.feed(bundle, stitch=stitch)
    pipeline.stitch()
    pipeline.settle()  # how often an account was looked at, and so how far its summary has cooled, is no difference
    return {account_id: interest.to_bytes() for account_id, interest in pipeline.interest.items()}


@settings(max_examples=200, deadline=None)
@given(mistaken())
@example(cooling())
def test_an_identification_taken_back_leaves_each_summary_as_if_it_had_never_been(
    mistake: tuple[list[list[Envelope]], list[list[Envelope]], list[bool]],
) -> None:
    bundles, never, stitches = mistake
    without = summaries(never, stitches)
    for account_id, summary in summaries(bundles, stitches).items():
        nothing = summarise(account_id, (), directory(), PLAYBOOK).to_bytes()
        assert summary == without.get(account_id, nothing)
    assert without.keys() <= summaries(bundles, stitches).keys()


def test_history_goes_to_the_account_that_it_belongs_to_once_a_mistake_is_taken_back() -> None:
    read = PageProgress(
        event_id="p", occurred_ms=START_MS, page_view_id="pv", url=f"{SITE}/problem", active_ms=9000, depth_pct=50
    )
    signs = [
        Identify(event_id=f"id-{who}", occurred_ms=START_MS + at, contact_id=who, method=IdentifyMethod.email_link)
        for at, who in ((10, "dana"), (20, "fay"))
    ]
    back = Withdraw(event_id="back", occurred_ms=START_MS + 30, contact_id="dana", reason="It was Fay all the time")
    pipeline = Pipeline()
    pipeline.feed([envelope("v", START_MS, read)])
    pipeline.feed([envelope("v", sign.occurred_ms, sign) for sign in signs])
    assert {account_id: set(reads) for account_id, reads in pipeline.reads().items()} == {"acme": {"pv"}}
    pipeline.feed([envelope("v", back.occurred_ms, back)])
    assert {account_id: set(reads) for account_id, reads in pipeline.reads().items()} == {"bolt": {"pv"}}
    assert pipeline.reads()["bolt"]["pv"]["contact_id"] == "fay"


class Checked(Pipeline):
    """The two stages, and whether what they make of checked values without checking it again is right."""

    def _write(self, table: int, work: Work) -> None:
        super()._write(table, work)
        for message in (send.message for send in work.sends):
            if not isinstance(message, Written):
                assert type(message).from_bytes(message.to_bytes()) == message
        for key, made in work.decoded.items():
            records = self.tables[table].keys[key]
            if isinstance(made, AccountState):
                assert told_some(state_of(key, Records(records))) == told_some(made)
            else:
                assert VisitorState.from_bytes(records[HEAD]) == made.state


def told_some(state: AccountState) -> AccountState:
    """Leave out marks of nothing: with a read that is there, none is written."""
    return state.but(told={name: ms for name, ms in state.told.items() if ms})


@settings(max_examples=60, deadline=None)
@given(journeys(), st.integers(1, 5))
def test_what_the_stages_make_unchecked_passes_the_models_checks(envelopes: list[Envelope], at_once: int) -> None:
    pipeline = Checked()
    for first in range(0, len(envelopes), at_once):
        pipeline.feed(envelopes[first : first + at_once])
    pipeline.settle()
