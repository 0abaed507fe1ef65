"""A made-up company's pages: two teams, accounts that were read, and names full of markup; served by a real server."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import httpx
import uvicorn
from clickhouse_driver import Client

from schemas.activity import Activity, ActivityItem, Identified
from schemas.brief import Brief, Trigger, TriggerKind
from schemas.channel import ChannelKind
from schemas.dead_letter import DeadLetter, DeadLetterStage
from schemas.decision import Decision, Rule, Verdict
from schemas.delivery import Outcome, OutcomeKind
from schemas.directory import Account, Channel, Contact, Content, Directory, Entity, Function, Lifecycle, Rep, Stage
from schemas.envelope import Envelope
from schemas.events import EmailClick, EmailOpen, Event, IdentifyMethod, PageProgress, SectionAttention
from schemas.interest import (
    Committee,
    ContentInterest,
    FunctionCoverage,
    Interest,
    ReaderInterest,
    Temperature,
    TopicWeight,
    Trend,
    TrendWord,
)
from schemas.playbook import Playbook, TopicPlay
from schemas.rep_mail import RepMail
from schemas.settings import Settings
from sinks.clickhouse.writer import Writer
from sinks.consumer import Record
from sinks.lags import Lag
from sinks.web.process import server_config
from sinks.web.sessions import new_session
from sinks.web.store import Store
from sinks.web.web import Web
from tests.sinks.store_samples import brief as sample_brief
from tests.sinks.store_samples import bundle, envelope
from tests.support.ports import free_port

NOW_MS = 1_795_356_300_000  # Sunday, 2026-11-22 14:05 UTC
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
SITE = "https://www.example.com"
MARKUP = '<img src=x onerror="document.title=1"><script>document.title=2</script>\'"&{{7*7}}'
MARKETER = "mara@nordhaven.example"
PLAYBOOK = Playbook(
    company="Nordhaven",
    topics={
        "pricing": TopicPlay(name={"en": "Pricing", "zh": "价格"}),
        "downtime": TopicPlay(name={"en": "Unplanned downtime", "zh": "意外停机"}),
    },
)
PAGES = {
    "pricing": ("One price per machine, and what it holds", ("pricing",), Stage.price),
    "downtime": ("What an hour of standstill really costs", ("downtime",), Stage.problem),
    "evil": (MARKUP, ("pricing",), Stage.comparison),
}


def address(rep_id: str) -> str:
    return f"{rep_id}@nordhaven.example"


def entities() -> list[Entity]:
    """Cleo leads Ann and Dan, and Dan leads Bo; Eve is alone. Each of the accounts is called after its rep."""
    said: list[Entity] = [
        Rep(
            rep_id=rep_id, name=name, manager_id=manager, time_zone="Europe/Berlin", language=language,
            channels=(Channel(kind=ChannelKind.email, target=address(rep_id)),), daily_cap=5,
        )
        for rep_id, name, manager, language in (
            ("cleo", "Cleo Marsh", None, "en"), ("ann", "Ann Meyer", "cleo", "en"), ("dan", "Dan Ochs", "cleo", "en"),
            ("bo", "Bo Li 李波", "dan", "zh-CN"), ("eve", "Eve Stone", None, "en"),
        )
    ]  # fmt: skip
    for account_id, name, rep_id, lifecycle in (
        ("acme", "Acme Pumps", "ann", Lifecycle.opportunity), ("anvil", f"Anvil {MARKUP}", "ann", Lifecycle.lead),
        ("quarry", "Ridgeline Quarries", "ann", Lifecycle.qualified_lead), ("bolt", "Bolt & Sons", "bo", Lifecycle.use),
        ("dairy", "Lakeside Dairy Co-op", "dan", Lifecycle.lead), ("secret", "Secretive Steel", "eve", Lifecycle.lead),
    ):  # fmt: skip
        said.append(
            Account(
                account_id=account_id, name=name, rep_id=rep_id, lifecycle=lifecycle, domains=(f"{account_id}.example",)
            )
        )
        for number, (function, title) in enumerate(
            (
                (Function.executive, "Managing director"),
                (Function.technician, "Engineer"),
                (Function.purchaser, "Buyer"),
            )
        ):
            who = f"{account_id.title()} Reader {number}" if account_id != "anvil" else MARKUP[:190]
            said.append(
                Contact(
                    contact_id=f"{account_id}-{number}", account_id=account_id, name=who, function=function, title=title
                )
            )
    said += [
        Content(url=f"{SITE}/{path}", title=title, topics=topics, stage=stage)
        for path, (title, topics, stage) in PAGES.items()
    ]
    return said


def directory() -> Directory:
    made = Directory()
    for entity in entities():
        made.put(entity)
    return made


class Told:
    """Writes to the store as the topics would have it."""

    def __init__(self, client: Client) -> None:
        self.writer = Writer(client, lambda *_: None, dead_letter_limit=1)
        self.numbers = itertools.count()

    def message(self, topic: str, key: str, message: Any) -> None:
        self.writer.write([Record(topic, 0, next(self.numbers), key.encode(), message.to_bytes())], NOW_MS)

    def events(self, events: list[tuple[str, Event]]) -> list[Envelope]:
        made = [envelope(event, visitor) for visitor, event in events]
        self.writer.write([bundle(made)], NOW_MS)
        return made


def fill(client: Client) -> None:
    """Write some weeks: Acme is hot and rising, Anvil hostile, Bolt falling, Secret as warm as Acme."""
    told = Told(client)
    told.writer.write([Record("directory", 0, 0, e.entity_id.encode(), e.to_bytes()) for e in entities()], NOW_MS)
    for account_id, path, temperature, trend in (
        ("acme", "pricing", Temperature.hot, TrendWord.rising), ("anvil", "evil", Temperature.warm, TrendWord.new),
        ("bolt", "downtime", Temperature.warm, TrendWord.falling),
        ("secret", "pricing", Temperature.hot, TrendWord.new),
    ):  # fmt: skip
        _account(told, account_id, path, temperature, trend)
    letter = DeadLetter.of(DeadLetterStage.visitors, "events/2/17", f"not a bundle: {MARKUP}", b"{}", NOW_MS - HOUR_MS)
    told.message("dead-letters", letter.dead_letter_id, letter)


def _account(told: Told, account_id: str, path: str, temperature: Temperature, trend: TrendWord) -> None:
    url, evil = f"{SITE}/{path}", path == "evil"
    title = PAGES[path][0]
    reads = [
        _read(account_id, who, url, title, NOW_MS - days * DAY_MS - HOUR_MS, 40 + 30 * who + days, evil=evil)
        for who, days in ((0, 0), (1, 1), (0, 3), (0, 9), (1, 16), (0, 24), (1, 39))
    ]
    mails: list[tuple[str, Event]] = [
        (f"v-{account_id}-0", EmailOpen(event_id=f"o-{account_id}", occurred_ms=NOW_MS - 2 * DAY_MS,
                                        contact_id=f"{account_id}-0", campaign_id="spring-letter")),
        (f"v-{account_id}-0", EmailClick(event_id=f"c-{account_id}", occurred_ms=NOW_MS - 2 * DAY_MS + MINUTE_MS,
                                         contact_id=f"{account_id}-0", campaign_id="spring-letter", url=url)),
    ]  # fmt: skip
    made = told.events([*reads, *mails])
    for who in (0, 1):
        known = Identified(
            visitor_id=f"v-{account_id}-{who}", contact_id=f"{account_id}-{who}", account_id=account_id,
            method=IdentifyMethod.email_link, evidence_ms=NOW_MS - 60 * DAY_MS, from_ms=0, partition=0, offset=0,
        )  # fmt: skip
        told.message("identified", known.visitor_id, known)
    items = tuple(
        ActivityItem(envelope=one, contact_id=f"{account_id}-{one.visitor_id[-1]}", known=True, stitched=False)
        for one in made
    )
    told.message("activity", account_id, Activity(account_id=account_id, items=items))
    for weeks in range(5):
        told.message(
            "interest", account_id, interest(account_id, path, temperature, trend, NOW_MS - weeks * 7 * DAY_MS)
        )
    _briefs(told, account_id, url)


def _read(
    account_id: str, who: int, url: str, title: str, at_ms: int, active_s: int, *, evil: bool
) -> tuple[str, Event]:
    visitor = f"v-{account_id}-{who}"
    section = MARKUP[:100] if evil else "What a machine costs"
    event = PageProgress(
        event_id=f"e-{visitor}-{at_ms}", occurred_ms=at_ms, page_view_id=f"{visitor}-{at_ms}", url=url,
        title=title[:100],
        active_ms=active_s * 1000, depth_pct=60 + who * 30, bands=(active_s * 100,) * 10, left=True,
        sections=(
            SectionAttention(key="costs", title=section, active_ms=active_s * 600),
            SectionAttention(key="terms", title="What is not in it", active_ms=active_s * 200),
        ),
    )  # fmt: skip
    return visitor, event


def interest(account_id: str, path: str, temperature: Temperature, trend: TrendWord, at_ms: int) -> Interest:
    age = (NOW_MS - at_ms) / DAY_MS
    rep_functions = (
        FunctionCoverage(function=Function.executive, contacts=1, readers=1, active_ms=160_000, topics=("pricing",)),
        FunctionCoverage(function=Function.technician, contacts=1, readers=1, active_ms=70_000, topics=("downtime",)),
        FunctionCoverage(function=Function.purchaser, contacts=1, unread_contacts=(f"{account_id}-2",)),
    )
    return Interest(
        account_id=account_id, as_of_ms=at_ms - HOUR_MS, temperature=temperature, score=40.0 - age, reasons=(),
        topics=(TopicWeight(topic="pricing", weight=max(0.4, 6 - age / 6)),
                TopicWeight(topic="downtime", weight=1.2 + age / 20)),
        contents=(ContentInterest(url=f"{SITE}/{path}", title=PAGES[path][0], active_ms=200_000, depth_pct=90, reads=4,
                                  readers=(f"{account_id}-0", f"{account_id}-1"), last_ms=at_ms - HOUR_MS),),
        readers=tuple(ReaderInterest(contact_id=f"{account_id}-{n}", active_ms=100_000, reads=3, last_ms=at_ms)
                      for n in (0, 1)),
        active_ms_last_7_days=150_000, active_ms_prior_7_days=60_000,
        committee=Committee(functions=rep_functions, missing=(Function.purchaser, Function.technical_lead),
                            unread_contacts=(f"{account_id}-2",)),
        trend=Trend(word=trend, week_ms=150_000, usual_week_ms=60_000, past_weeks=6),
    )  # fmt: skip


REPS = {"acme": "ann", "anvil": "ann", "quarry": "ann", "bolt": "bo", "dairy": "dan", "secret": "eve"}


def _briefs(told: Told, account_id: str, url: str) -> None:
    rep_id = REPS[account_id]
    made: Brief = sample_brief(f"b-{account_id}", NOW_MS - 2 * DAY_MS).model_copy(
        update={
            "rep_id": rep_id, "account_id": account_id, "topics": ("pricing",),
            "trigger": Trigger(kind=TriggerKind.high_intent, met_ms=NOW_MS, page_view_id="p1", url=url),
        }
    )  # fmt: skip
    told.message("briefs", rep_id, RepMail(rep_id=rep_id, briefs=(made,)))
    decided = [
        (Verdict.held, Rule.quiet_hours, 0, NOW_MS - DAY_MS), (Verdict.sent, Rule.digest, HOUR_MS, None),
        (Verdict.withheld, Rule.below_minimum, DAY_MS, None),
    ]  # fmt: skip
    for number, (verdict, rule, later, until) in enumerate(decided):
        decision = Decision(
            decision_id=f"d-{account_id}-{number}", account_id=account_id, rep_id=rep_id,
            brief_id=made.brief_id if number < 2 else "", verdict=verdict, rule=rule,
            at_ms=NOW_MS - 2 * DAY_MS + later, until_ms=until,
        )  # fmt: skip
        told.message("decisions", account_id, decision)
    ends = [
        (OutcomeKind.sent, 2, ""), (OutcomeKind.opened, 3, ""), (OutcomeKind.useful, 4, ""),
        (OutcomeKind.objection, 5, f"Too dear for {account_id}: {MARKUP}"), (OutcomeKind.snoozed, 6, ""),
    ]  # fmt: skip
    for kind, hours, text in ends:
        outcome = Outcome(
            outcome_id=f"o-{account_id}-{kind}", delivery_id=f"dl-{account_id}", rep_id=rep_id,
            channel=ChannelKind.email,
            brief_ids=(made.brief_id,), account_ids=(account_id,), kind=kind, text=text,
            at_ms=NOW_MS - 2 * DAY_MS + hours * HOUR_MS,
        )  # fmt: skip
        told.message("outcomes", rep_id, outcome)


@dataclass
class Pages:
    """Pages that are served, and what they sent."""

    web: Web
    url: str
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    published: list[tuple[str, bytes | None, bytes | None, int | None]] = field(default_factory=list)
    mailed: threading.Event = field(default_factory=threading.Event)

    def cookie(self, who: str) -> str:
        return new_session(self.web.settings, who, now_ms=self.web.now_ms())

    def client(self, who: str = "") -> httpx.Client:
        cookies = {"readbrief": self.cookie(who)} if who else {}
        return httpx.Client(base_url=self.url, cookies=cookies, headers={"Origin": self.url}, timeout=30)


def _nobody(_mail: EmailMessage, _to: str) -> None:
    """Send nothing."""


@contextmanager
def served_pages(settings: Settings, now_ms: int = NOW_MS) -> Iterator[Pages]:
    """Serve the pages of a filled store on a port of their own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    own = settings.model_copy(update={"web_port": port, "web_url": url, "web_marketing": MARKETER})
    web = Web(own, Store(own), directory(), lambda: PLAYBOOK, lambda: now_ms, _nobody)
    pages = Pages(web, url)

    def send(mail: EmailMessage, to: str) -> None:
        pages.mails.append((to, mail))
        pages.mailed.set()

    web.send = send
    web.lags = lambda: [Lag("readbrief-visitors", "events", 3), Lag("readbrief-accounts", "activity", None)]
    web.publish = lambda *message: pages.published.append(message)
    server = uvicorn.Server(server_config(web))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline, "the pages did not start"
        time.sleep(0.01)
    try:
        yield pages
    finally:
        server.should_exit = True
        thread.join(10)
