"""The demo's readers at work: they follow email links and report to the real collector, as browsers do."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx
import structlog

from readbrief.demo.company_files import DEMO_CONTACT, rows_of
from readbrief.demo.pages import load_pages
from readbrief.demo.reader_plan import READERS, SPREAD_S, Reader, plan_readers
from readbrief.demo.reading_reports import Browser, visit_ms, visit_reports
from schemas.directory import Contact
from schemas.envelope import Report
from schemas.errors import UnavailableError

_log = structlog.get_logger()

MakeLink = Callable[[str, str], str]
OnReport = Callable[[Reader, Report], None]

_REQUEST_TIMEOUT_S = 5.0
_TRIES = 3
_PAUSE_S = 0.5
_GRACE_S = 12.0
_GAP_BEFORE_MS = 240_000
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
_SERVER_ERROR = 500
_TOO_MANY = 429


class ReaderFaultError(Exception):
    """A reader could not go on; the message says what answered how."""


@dataclass(frozen=True)
class Surroundings:
    """Where the readers read: collector and website, the site's key, and who makes email links.

    `make_link(contact_id, page_url)` returns a whole address, as it would stand in an email.
    """

    collector_url: str
    site_key: str
    site_origin: str
    make_link: MakeLink


@dataclass
class ReadersOutcome:
    """What came of it: people and scanners that finished, reports and events accepted, and one line per fault."""

    finished: int = 0
    reports: int = 0
    events: int = 0
    faults: list[str] = field(default_factory=list)


def demo_plan(*, count: int = READERS, spread_s: float = SPREAD_S, seed: int = 7) -> tuple[Reader, ...]:
    """Return the plan for the invented company: all its contacts but the one that is you."""
    rows = [row for row in rows_of("contacts.csv") if row["contact_id"] != DEMO_CONTACT]
    language_of_rep = {row["rep_id"]: row["language"] for row in rows_of("reps.csv")}
    rep_of = {row["account_id"]: row["rep_id"] for row in rows_of("accounts.csv")}
    contacts = [Contact.model_validate(row) for row in rows]
    languages = {each.contact_id: language_of_rep[rep_of[each.account_id]] for each in contacts}
    return plan_readers(load_pages(), contacts, languages, count=count, spread_s=spread_s, seed=seed)


def run_readers(
    plan: Sequence[Reader], surroundings: Surroundings, on_report: OnReport = lambda _reader, _report: None
) -> ReadersOutcome:
    """Play the plan in real time and return what came of it; it takes its spread and at most 12 s more.

    `on_report` is called after each report that was accepted. Not for use inside a running event loop: see `play`.

    Raises:
        UnavailableError: the collector can't be reached.
    """
    return asyncio.run(play(plan, surroundings, on_report))


async def play(
    plan: Sequence[Reader], surroundings: Surroundings, on_report: OnReport = lambda _reader, _report: None
) -> ReadersOutcome:
    """Play the plan as `run_readers` does, in a running event loop.

    Raises:
        UnavailableError: the collector can't be reached.
    """
    outcome = ReadersOutcome()
    lasts_s = max((reader.starts_s + reader.live_s for reader in plan), default=0.0)
    limits = httpx.Limits(max_connections=16)
    async with httpx.AsyncClient(timeout=_REQUEST_TIMEOUT_S, limits=limits, headers={"User-Agent": _AGENT}) as client:
        await _check(client, surroundings)
        browser = Browser(surroundings.site_key, surroundings.site_origin, str(_now_ms()), load_pages())
        stage = _Stage(client, surroundings, browser, on_report, outcome)
        tasks = {asyncio.create_task(stage.appear(reader)): reader for reader in plan}
        try:
            done, late = await asyncio.wait(tasks, timeout=lasts_s + _GRACE_S) if tasks else (set(), set())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()  # a fault of ours, not of a reader, is raised here
        outcome.faults += [f"{tasks[task].name}: did not finish in time" for task in late]
    return outcome


async def _check(client: httpx.AsyncClient, surroundings: Surroundings) -> None:
    try:
        (await client.get(f"{surroundings.collector_url}/healthz")).raise_for_status()
    except httpx.HTTPError as error:
        raise UnavailableError(
            f"the demo's readers can't reach the collector at {surroundings.collector_url} ({error})"
        ) from error


@dataclass(frozen=True)
class _Stage:
    """What all readers of one run share."""

    client: httpx.AsyncClient
    surroundings: Surroundings
    browser: Browser
    on_report: OnReport
    outcome: ReadersOutcome

    async def appear(self, reader: Reader) -> None:
        """Let one reader come, read and go; a fault of theirs is noted and touches nobody else."""
        await asyncio.sleep(reader.starts_s)
        try:
            await self._read(reader)
        except (ReaderFaultError, httpx.HTTPError) as fault:
            self.outcome.faults.append(f"{reader.name}: {fault or type(fault).__name__}")
            _log.warning("demo_reader_failed", reader=reader.name, problem=str(fault))
        else:
            self.outcome.finished += 1

    async def _read(self, reader: Reader) -> None:
        now_ms = _now_ms()
        if reader.earlier:
            ends_ms = now_ms - visit_ms(reader.reads) - _GAP_BEFORE_MS
            before = visit_reports(self.browser, reader, reader.earlier, None, starts_ms=ends_ms, ends_ms=ends_ms)
            await self._send_each(reader, before)
        token = await self._token(reader)
        if reader.scanner:
            return
        starts_ms = max(now_ms, _now_ms())
        ends_ms = starts_ms + round(reader.live_s * 1000)
        visit = visit_reports(self.browser, reader, reader.reads, token, starts_ms=starts_ms, ends_ms=ends_ms)
        await self._send_each(reader, visit)

    async def _token(self, reader: Reader) -> str | None:
        """Follow the reader's email link and the redirect to the page, and return the token in the address."""
        if reader.contact_id is None:
            return None
        path = reader.reads[0].path if reader.reads else "/"
        link = self.surroundings.make_link(reader.contact_id, f"{self.surroundings.site_origin}{path}")
        answer = await self.client.get(link)
        page_url, _, fragment = answer.headers.get("location", "").partition("#")
        token: str = fragment.removeprefix("rb=").partition("&")[0]
        if not answer.is_redirect or not fragment.startswith("rb=") or not token:
            raise ReaderFaultError(f"the email link led nowhere (HTTP {answer.status_code}): {link}")
        if reader.scanner:
            return None
        landed = await self.client.get(page_url)
        if not landed.is_success:
            raise ReaderFaultError(f"the page answered HTTP {landed.status_code}: {page_url}")
        return token

    async def _send_each(self, reader: Reader, reports: Sequence[Report]) -> None:
        for report in reports:
            await asyncio.sleep(max(0, report.sent_ms - _now_ms()) / 1000)
            sent = report.model_copy(update={"sent_ms": max(report.sent_ms, _now_ms())})
            await self._send(sent)
            self.outcome.reports += 1
            self.outcome.events += len(sent.events)
            self.on_report(reader, sent)

    async def _send(self, report: Report) -> None:
        """Post one report as a beacon would, and again if the collector is busy, as the snippet does."""
        headers = {"Content-Type": "text/plain;charset=UTF-8", "Origin": self.surroundings.site_origin}
        url = f"{self.surroundings.collector_url}/v1/events"
        answer = await _patiently(lambda: self.client.post(url, content=report.to_bytes(), headers=headers))
        if not answer.is_success:
            raise ReaderFaultError(f"the collector refused a report (HTTP {answer.status_code}): {answer.text[:200]}")


async def _patiently(send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    for _ in range(_TRIES - 1):
        answer = await send()
        if answer.status_code < _SERVER_ERROR and answer.status_code != _TOO_MANY:
            return answer
        await asyncio.sleep(_PAUSE_S)
    return await send()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
