"""The demo's readers get through the real collector; in Kafka's place, a list takes what it publishes."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from producers.bundling import Bundler
from producers.collector.app import build_app
from producers.collector.dead_letters import DeadLetters
from producers.collector.state import Collector
from producers.links import email_link
from readbrief.demo.local_server import LocalServer
from readbrief.demo.reader_plan import Reader
from readbrief.demo.readers import Surroundings, demo_plan, run_readers
from readbrief.demo.site import CompanySite
from schemas.dead_letter import DeadLetter
from schemas.envelope import Bundle, Envelope, Report
from schemas.errors import UnavailableError
from schemas.events import EmailClick, Identify, PageProgress, PageView
from schemas.settings import Settings, Site
from tests.support.ports import free_port

SITE_KEY = "nordhaven"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Taken:
    """What the collector published, in order."""

    envelopes: list[Envelope] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)

    def bundle(self, _partition: int, data: bytes) -> asyncio.Future[None]:
        self.envelopes.extend(Bundle.from_bytes(data).envelopes)
        return _done()

    def letter(self, data: bytes) -> asyncio.Future[None]:
        self.dead.append(DeadLetter.from_bytes(data))
        return _done()


def _done() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
def surroundings(taken: Taken) -> Iterator[Surroundings]:
    server, site = LocalServer("collector"), CompanySite()
    settings = Settings(
        secret="0123456789abcdef", collector_url=server.origin, sites={SITE_KEY: Site(origins=(site.origin,))}
    )
    collector = Collector(
        settings, Bundler(taken.bundle, 0.01), DeadLetters(taken.letter), lambda _visitor: 0, lambda: True, now_ms, b""
    )
    server.start(build_app(collector))
    site.start(server.origin, SITE_KEY)

    def link(contact_id: str, url: str) -> str:
        return email_link(settings, SITE_KEY, contact_id, "autumn", url, now_ms=now_ms())

    yield Surroundings(server.origin, SITE_KEY, site.origin, link)
    site.stop()
    server.stop()


def wait_for_clicks(taken: Taken, count: int) -> int:
    """The collector publishes an email's click after it has answered: return their number once there are so many."""
    deadline = time.monotonic() + 5
    while clicks_of(taken) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return clicks_of(taken)


def clicks_of(taken: Taken) -> int:
    return sum(isinstance(each.event, EmailClick) for each in taken.envelopes)


def quick(plan: tuple[Reader, ...]) -> tuple[Reader, ...]:
    return tuple(replace(reader, starts_s=reader.starts_s / 8, live_s=reader.live_s / 8) for reader in plan)


def test_every_reader_gets_through_and_every_known_one_is_recognised(surroundings: Surroundings, taken: Taken) -> None:
    plan = quick(demo_plan())
    seen: list[tuple[str, Report]] = []
    begun = time.monotonic()
    outcome = run_readers(plan, surroundings, lambda reader, report: seen.append((reader.name, report)))
    assert time.monotonic() - begun < 16
    assert outcome.faults == []
    assert taken.dead == []
    assert outcome.finished == len(plan)
    assert outcome.reports == len(seen)
    assert outcome.events == sum(len(report.events) for _, report in seen)

    clicks = sum(reader.contact_id is not None for reader in plan)
    assert wait_for_clicks(taken, clicks) == clicks
    people = [reader for reader in plan if not reader.scanner]
    known = {reader.contact_id for reader in people if reader.contact_id}
    events = [envelope.event for envelope in taken.envelopes]
    assert {event.contact_id for event in events if isinstance(event, Identify)} == known
    assert sum(isinstance(event, PageView) for event in events) == sum(len(r.reads) + len(r.earlier) for r in plan)
    for envelope in taken.envelopes:
        assert envelope.occurred_ms <= envelope.received_ms


def test_who_is_known_later_was_anonymous_before(surroundings: Surroundings, taken: Taken) -> None:
    late = next(reader for reader in quick(demo_plan()) if reader.earlier)
    run_readers((replace(late, starts_s=0),), surroundings)
    (visitor,) = {each.visitor_id for each in taken.envelopes if not isinstance(each.event, EmailClick)}
    theirs = [each for each in taken.envelopes if each.visitor_id == visitor]
    recognised = next(n for n, each in enumerate(theirs) if isinstance(each.event, Identify))
    before, after = theirs[:recognised], theirs[recognised:]
    assert sum(isinstance(each.event, PageView) for each in before) == len(late.earlier)
    assert max(each.occurred_ms for each in before) < after[0].occurred_ms


def test_a_scanner_follows_its_link_and_reads_nothing(surroundings: Surroundings, taken: Taken) -> None:
    scanner = next(reader for reader in demo_plan() if reader.scanner)
    outcome = run_readers((replace(scanner, starts_s=0),), surroundings)
    assert outcome.finished == 1
    assert wait_for_clicks(taken, 1) == 1
    assert Counter(type(each.event) for each in taken.envelopes) == {EmailClick: 1}


def test_a_session_ends_live_so_that_its_brief_is_not_early(surroundings: Surroundings, taken: Taken) -> None:
    reader = replace(next(reader for reader in demo_plan() if len(reader.reads) > 1), starts_s=0, live_s=1)
    run_readers((reader,), surroundings)
    left = [each for each in taken.envelopes if isinstance(each.event, PageProgress) and each.event.left]
    assert left[-1].received_ms - left[-1].occurred_ms < 2000
    arrivals = sorted({each.received_ms for each in taken.envelopes})
    assert arrivals[-1] - arrivals[0] > 800


def test_a_link_that_leads_nowhere_is_one_readers_fault_and_stops_nobody(
    surroundings: Surroundings, taken: Taken
) -> None:
    broken = replace(surroundings, make_link=lambda _contact, _url: f"{surroundings.collector_url}/l/forged")
    plan = [reader for reader in quick(demo_plan()) if not reader.earlier]
    known, anonymous = next(r for r in plan if r.contact_id and r.reads), next(r for r in plan if not r.contact_id)
    outcome = run_readers((known, anonymous), broken)
    assert outcome.finished == 1
    (fault,) = outcome.faults
    assert fault.startswith(f"{known.name}: the email link led nowhere (HTTP 400)")
    assert {type(each.event) for each in taken.envelopes} >= {PageView, PageProgress}


def test_a_refused_report_is_said_with_its_reason(surroundings: Surroundings, taken: Taken) -> None:
    reader = next(reader for reader in quick(demo_plan()) if reader.contact_id is None)
    outcome = run_readers((reader,), replace(surroundings, site_key="unknown"))
    assert outcome.finished == 0
    assert "HTTP 403" in outcome.faults[0]
    assert "no such site" in outcome.faults[0]
    assert taken.envelopes == []


def test_a_missing_collector_is_said_at_once(surroundings: Surroundings) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(UnavailableError, match=nowhere):
        run_readers(demo_plan(), replace(surroundings, collector_url=nowhere))


def test_a_fault_of_the_caller_is_not_swallowed(surroundings: Surroundings) -> None:
    def broken(_reader: Reader, _report: Report) -> None:
        raise ZeroDivisionError

    reader = next(reader for reader in quick(demo_plan()) if reader.contact_id is None)
    with pytest.raises(ZeroDivisionError):
        run_readers((reader,), surroundings, broken)
