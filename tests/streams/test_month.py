"""A month of 200 accounts and 10 reps, through the three stages: what reaches a rep, and whether anything is lost."""

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from statistics import mean
from zoneinfo import ZoneInfo

from schemas.brief import Brief, TriggerKind
from schemas.decision import Decision
from schemas.delivery import ChannelKind, Delivery
from schemas.directory import Account, Channel, Contact, Content, Directory, Function, Lifecycle, Rep, Stage
from schemas.envelope import Bundle, Envelope
from schemas.events import FormSubmit, Identify, IdentifyMethod, PageProgress
from schemas.message import Message
from schemas.playbook import Playbook
from schemas.rep_mail import RepMail
from schemas.topics import ACTIVITY, BRIEFS, EVENTS, Topic
from streams.account_stage import AccountStage
from streams.records import MemoryTable
from streams.rep_stage import RepStage
from streams.stage import Incoming, Written
from streams.stage import Stage as StreamStage
from streams.visitor_stage import VisitorStage
from tests.streams.journeys import SITE, envelope
from tests.streams.test_working_hours import wall_says_open

ACCOUNTS, REPS, DAYS = 200, 10, 30
BEGIN_MS = round(datetime(2026, 10, 12, tzinfo=UTC).timestamp() * 1000)  # clocks change on the 25th, and November 1
DAY_MS, MINUTE_MS = 86_400_000, 60_000
PLAYBOOK = Playbook(company="Example")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Shanghai", "UTC")
STAGES = (Stage.problem, Stage.solution, Stage.comparison, Stage.price, Stage.renewal)
LIFECYCLES = (Lifecycle.lead, Lifecycle.qualified_lead, Lifecycle.opportunity, Lifecycle.opportunity, Lifecycle.use)


def company() -> Directory:
    made = Directory()
    for n in range(REPS):
        email = Channel(kind=ChannelKind.email, target=f"r{n}@example.com")
        made.put(Rep(rep_id=f"r{n}", name=f"Rep {n}", time_zone=ZONES[n % 4], daily_cap=5, channels=(email,)))
    for n in range(ACCOUNTS):
        made.put(Account(account_id=f"a{n}", name=f"A{n}", rep_id=f"r{n % REPS}", lifecycle=LIFECYCLES[n % 5]))
        for k, function in enumerate((Function.executive, Function.technical_lead, Function.purchasing_head)):
            made.put(Contact(contact_id=f"a{n}c{k}", account_id=f"a{n}", name=f"C{n}{k}", function=function))
    for n, stage in enumerate(STAGES):
        made.put(Content(url=f"{SITE}/{n}", title=f"Page {n}", topics=(f"t{n}",), stage=stage, reading_time_s=90))
    return made


def happenings(chance: random.Random) -> Iterator[Envelope]:
    """Yield what readers do: some accounts read often, most now and then; most of it by day, some at night."""
    known: set[str] = set()
    for n in range(ACCOUNTS):
        for session in range(min(25, 1 + int(chance.expovariate(0.35)))):
            who, day = chance.randrange(3), chance.randrange(DAYS)
            at_ms = BEGIN_MS + day * DAY_MS + int(chance.gauss(12.5, 4) * 60) * MINUTE_MS
            visitor, contact, name = f"a{n}v{who}", f"a{n}c{who}", f"a{n}s{session}"
            method = IdentifyMethod.site_token
            sign = Identify(event_id=f"{name}i", occurred_ms=at_ms, contact_id=contact, method=method)
            if visitor not in known:  # a browser that was known before needs to log in no more
                yield envelope(visitor, at_ms, sign)
            known.add(visitor)
            for page in range(chance.randint(1, 3)):
                url, view = f"{SITE}/{chance.choices(range(5), (5, 4, 2, 1, 1))[0]}", f"{name}p{page}"
                active_s = int(chance.expovariate(1 / 40))
                at_ms += active_s * 1000 + 2000
                yield envelope(visitor, at_ms, PageProgress(
                    event_id=f"{view}e", occurred_ms=at_ms, page_view_id=view, url=url, active_ms=active_s * 1000,
                    depth_pct=chance.randint(10, 100), left=True,
                ))  # fmt: skip
                if chance.random() < 0.01:
                    sent = FormSubmit(event_id=f"{view}f", occurred_ms=at_ms, page_view_id=view, url=url, form="demo")
                    yield envelope(visitor, at_ms, sent)


class Month:
    """The three stages, each woken when a key of it is due; what they send arrives at once."""

    def __init__(self, directory: Directory) -> None:
        self.stages: dict[str, StreamStage] = {
            EVENTS.name: VisitorStage(directory),
            ACTIVITY.name: AccountStage(directory, PLAYBOOK, 90),
            BRIEFS.name: RepStage(directory, PLAYBOOK),
        }
        self.tables = {name: MemoryTable() for name in self.stages}
        self.due: dict[tuple[str, str], int] = {}
        self.calendar: list[tuple[int, int, str, str, bytes]] = []
        self.count = 0
        self.made: dict[str, Brief] = {}
        self.sent: dict[str, Delivery] = {}
        self.decisions: dict[str, Decision] = {}

    def put(self, at_ms: int, topic: Topic, key: str, message: Message | Written | None) -> None:
        self.count += 1
        value = message.to_bytes() if message else b""
        heapq.heappush(self.calendar, (at_ms, self.count, topic.name, key, value))

    def live(self, until_ms: int) -> None:
        while self.calendar and self.calendar[0][0] <= until_ms:
            at_ms, _, topic, key, value = heapq.heappop(self.calendar)
            if not value and self.due.get((topic, key)) != at_ms:
                continue  # it was looked at since, and is due at another time or not at all
            incoming = [Incoming(topic, 0, self.count, value)] if value else []
            table = self.tables[topic]
            work = self.stages[topic].handle(incoming, table, at_ms, () if value else (key,))
            table.apply(work.changes)
            for name, made in work.decoded.items():
                table.keep_decoded(name, made)
            for name, due_ms in work.due.items():
                self.due.pop((topic, name), None)
                if due_ms is not None:
                    self.due[topic, name] = max(due_ms, at_ms)
                    self.put(max(due_ms, at_ms), Topic(topic, "", "", "", ""), name, None)
            for send in work.sends:
                self._arrives(at_ms, send.topic, send.key, send.message)

    def _arrives(self, at_ms: int, topic: Topic, key: str, message: Message | Written) -> None:
        match message:
            case Delivery():
                self.sent[message.delivery_id] = message
            case Decision():
                self.decisions[message.decision_id] = message
            case RepMail():
                self.made |= {one.brief_id: one for one in message.briefs}
        if topic.name in self.stages:
            self.put(at_ms, topic, key, message)


def test_in_a_month_reps_get_few_briefs_within_hours_and_caps_and_nothing_is_lost(
    figure: Callable[[str], None],
) -> None:
    directory = company()
    month = Month(directory)
    for one in happenings(random.Random(7)):
        month.put(one.occurred_ms, EVENTS, one.visitor_id, Bundle(envelopes=(one,)))
    month.live(BEGIN_MS + (DAYS + 10) * DAY_MS)
    told = Counter(name for each in month.sent.values() for b in each.briefs for name in (b.brief_id, *b.merges))
    assert told == Counter(month.made.keys())
    messages: dict[str, Counter[date]] = defaultdict(Counter)
    for each in month.sent.values():
        rep = directory.reps[each.rep_id]
        assert wall_says_open(each.released_ms, rep)
        if not any(b.trigger.kind is TriggerKind.form_sent for b in each.briefs):
            messages[each.rep_id][datetime.fromtimestamp(each.released_ms / 1000, ZoneInfo(rep.time_zone)).date()] += 1
    assert set(messages) == set(directory.reps)
    assert max(count for days in messages.values() for count in days.values()) <= 5
    workdays = 22
    per_day = {rep_id: sum(days.values()) / workdays for rep_id, days in sorted(messages.items())}
    busiest = max(count for days in messages.values() for count in days.values())
    sizes = [len(each.briefs) for each in month.sent.values()]
    merged = sum(len(b.merges) for each in month.sent.values() for b in each.briefs)
    kinds = Counter(b.trigger.kind.value for each in month.sent.values() for b in each.briefs)
    rules = Counter(one.rule.value for one in month.decisions.values())
    figure(f"messages per rep and working day: {', '.join(f'{rep} {n:.1f}' for rep, n in per_day.items())}")
    figure(f"at most {busiest} on a day (cap 5), {mean(sizes):.1f} briefs each, {merged} of {len(told)} merged")
    figure(f"why: {dict(kinds.most_common())}; decided by: {dict(rules.most_common())}")
    assert {"free", "quiet_hours", "cooldown", "unripe", "waiting_brief"} <= set(rules)
