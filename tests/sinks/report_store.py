"""A week of a made-up company in ClickHouse, as its topics would have it stored."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from clickhouse_driver import Client

from schemas.activity import Activity, ActivityItem, Identified
from schemas.brief import Brief
from schemas.channel import ChannelKind
from schemas.delivery import Outcome, OutcomeKind
from schemas.directory import Account, Channel, Contact, Content, Entity, Rep, Stage
from schemas.events import IdentifyMethod, PageProgress
from schemas.interest import Interest, Temperature
from schemas.rep_mail import RepMail
from sinks.clickhouse.writer import Writer
from sinks.consumer import Record
from tests.sinks.store_samples import brief, bundle, envelope

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_MS = round(datetime(2026, 11, 16, tzinfo=BERLIN).timestamp() * 1000)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SITE = "https://www.example.com"
HOSTILE = 'Too dear <script>alert(1)</script> & "so"'
EMAIL = (Channel(kind=ChannelKind.email, target="rep@example.com"),)

PAGES = {
    "price": ("Prices", ("pricing",), Stage.price, 120),
    "tariff": ("Tariffs of last year", ("pricing",), Stage.price, 120),
    "case": ("How Almhof Dairies avoided three stops <in one year>", ("downtime",), Stage.comparison, 240),
    "paper": ("White paper: vibration analysis for rotating machines", ("sensors",), Stage.problem, 600),
}

KNOWN = {"v-acme": "acme", "v-coil": "coil", "v-bolt": "bolt"}


def entities() -> list[Entity]:
    said: list[Entity] = [Rep(rep_id="ann", name="Ann Meyer", channels=EMAIL)]
    said.append(Rep(rep_id="bo", name="Bo Li 李波", channels=EMAIL))
    for account_id, name, rep_id in (
        ("acme", "Acme Pumps", "ann"), ("bolt", "Bolt & Sons", "bo"), ("coil", "Coil <Works>", "gone"),
    ):  # fmt: skip
        said.append(Account(account_id=account_id, name=name, rep_id=rep_id))
        said.append(Contact(contact_id=f"{account_id}-1", account_id=account_id, name=f"Reader of {name}"))
    for path, (title, topics, stage, reading_time_s) in PAGES.items():
        said.append(
            Content(url=f"{SITE}/{path}", title=title, topics=topics, stage=stage, reading_time_s=reading_time_s)
        )
    return said


def fill(client: Client) -> None:
    """Write the week: Acme and Coil read and turn warmer, ten strangers leave the white paper early."""
    writer = Writer(client, lambda *_: None, dead_letter_limit=1)
    writer.write([_directory(entity) for entity in entities()], MONDAY_MS)
    day = MONDAY_MS + DAY_MS
    reads = [
        _read("v-acme", "price", day, 100, 95), _read("v-acme", "case", day + HOUR_MS, 200, 100),
        _read("v-coil", "case", day, 90, 70), _read("v-bolt", "case", day + 4 * DAY_MS, 90, 60),
        _read("v-old", "price", MONDAY_MS - 2 * DAY_MS, 50, 100),
        *(_read(f"v-past{n}", "tariff", MONDAY_MS - 60 * DAY_MS, 50, 100) for n in range(3)),
        *(_read(f"v{n}", "paper", day + n * 60_000, 20, 20 if n < 8 else 100) for n in range(10)),
    ]  # fmt: skip
    writer.write([bundle([envelope(event, visitor) for visitor, event in reads])], MONDAY_MS)
    writer.write([_known(visitor, account) for visitor, account in KNOWN.items()], MONDAY_MS)
    writer.write([_told(account, visitor, reads) for visitor, account in KNOWN.items()], MONDAY_MS)
    interests = [
        ("acme", MONDAY_MS - DAY_MS, Temperature.cold), ("acme", day + 2 * HOUR_MS, Temperature.hot),
        ("coil", day + 2 * HOUR_MS, Temperature.warm), ("bolt", MONDAY_MS - DAY_MS, Temperature.warm),
        ("bolt", day + 5 * DAY_MS, Temperature.cold),
    ]  # fmt: skip
    writer.write([_interest(*each) for each in interests], MONDAY_MS)
    briefs = [("b1", "ann", "acme", ("pricing",)), ("b2", "bo", "bolt", ("installation",)), ("b3", "ann", "acme", ())]
    writer.write([_brief(*each) for each in briefs], MONDAY_MS)
    outcomes = [
        ("b1", OutcomeKind.sent, day, ""), ("b1", OutcomeKind.opened, day + 60_000, ""),
        ("b1", OutcomeKind.useful, day + 30 * 60_000, ""), ("b1", OutcomeKind.objection, day + HOUR_MS, HOSTILE),
        ("b2", OutcomeKind.sent, day, ""), ("b2", OutcomeKind.objection, day + 2 * HOUR_MS, "Who fits it?"),
        ("b3", OutcomeKind.sent, day + DAY_MS, ""),
        # Mails that came back: the first one's brief goes by chat below, the other one's was had by nobody.
        ("b2", OutcomeKind.bounced, day + HOUR_MS - 1, ""),
        ("b4", OutcomeKind.sent, day, ""), ("b4", OutcomeKind.bounced, day + HOUR_MS, ""),
    ]  # fmt: skip
    writer.write([_outcome(n, *each) for n, each in enumerate(outcomes)], MONDAY_MS)
    writer.write([_outcome(99, "b2", OutcomeKind.sent, day + HOUR_MS, "", "d-again")], MONDAY_MS)
    # The same again, as a replay would have it: no number may change.
    writer.write([_outcome(n, *each) for n, each in enumerate(outcomes)], MONDAY_MS)
    writer.write([bundle([envelope(event, visitor) for visitor, event in reads])], MONDAY_MS)


def _directory(entity: Entity) -> Record:
    return Record("directory", 0, 0, entity.entity_id.encode(), entity.to_bytes())


def _read(visitor: str, path: str, at_ms: int, active_s: int, depth: int) -> tuple[str, PageProgress]:
    event = PageProgress(
        event_id=f"e-{visitor}-{path}", occurred_ms=at_ms, page_view_id=f"{visitor}-{path}", url=f"{SITE}/{path}",
        title=path, active_ms=active_s * 1000, depth_pct=depth, left=True,
    )  # fmt: skip
    return visitor, event


def _known(visitor: str, account_id: str) -> Record:
    said = Identified(
        visitor_id=visitor, contact_id=f"{account_id}-1", account_id=account_id, method=IdentifyMethod.email_link,
        evidence_ms=MONDAY_MS, from_ms=0, partition=0, offset=0,
    )  # fmt: skip
    return Record("identified", 0, 0, visitor.encode(), said.to_bytes())


def _told(account_id: str, visitor: str, reads: Sequence[tuple[str, PageProgress]]) -> Record:
    items = tuple(
        ActivityItem(contact_id=f"{account_id}-1", envelope=envelope(event, who))
        for who, event in reads
        if who == visitor
    )
    return Record("activity", 0, 0, account_id.encode(), Activity(account_id=account_id, items=items).to_bytes())


def _interest(account_id: str, at_ms: int, temperature: Temperature) -> Record:
    said = Interest(
        account_id=account_id, as_of_ms=at_ms, temperature=temperature, score=40.0 if temperature == "hot" else 10.0,
        reasons=(), topics=(), contents=(), readers=(), active_ms_last_7_days=0, active_ms_prior_7_days=0,
    )  # fmt: skip
    return Record("interest", 0, 0, account_id.encode(), said.to_bytes())


def _brief(brief_id: str, rep_id: str, account_id: str, topics: Sequence[str]) -> Record:
    made: Brief = brief(brief_id).model_copy(
        update={"rep_id": rep_id, "account_id": account_id, "topics": tuple(topics)}
    )
    return Record("briefs", 0, 0, rep_id.encode(), RepMail(rep_id=rep_id, briefs=(made,)).to_bytes())


def _outcome(number: int, brief_id: str, kind: OutcomeKind, at_ms: int, text: str, by: str = "") -> Record:
    rep_id = "bo" if brief_id == "b2" else "ann"
    said = Outcome(
        outcome_id=f"o{number}", delivery_id=by or f"d-{brief_id}", rep_id=rep_id, channel=ChannelKind.email,
        brief_ids=(brief_id,), account_ids=("bolt" if brief_id == "b2" else "acme",), kind=kind, at_ms=at_ms, text=text,
    )  # fmt: skip
    return Record("outcomes", 0, 0, rep_id.encode(), said.to_bytes())
