"""A backtest finds no difference under the rules that were in force, and under others exactly what they change."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import time as clock_time
from pathlib import Path

import pytest

from producers.publisher import partition_of
from readbrief.backtest import backtest, known_at, stitching
from readbrief.telling import Kind, Telling, compared, tellings
from schemas.brief import Brief, TriggerKind
from schemas.channel import ChannelKind
from schemas.delivery import Delivery, Outcome, OutcomeKind
from schemas.directory import (
    Account,
    Channel,
    Contact,
    Content,
    Directory,
    Entity,
    Lifecycle,
    Rep,
    Stage,
    WorkingHours,
)
from schemas.envelope import Bundle, Envelope
from schemas.events import Event, Identify, IdentifyMethod, PageProgress
from schemas.message import Message
from schemas.playbook import Playbook, load_playbook
from schemas.settings import Settings
from schemas.topics import DIRECTORY, EVENTS
from sinks.clickhouse.client import connect
from streams.rehearsal import Known, Rehearsal
from tests.sinks.store_samples import brief as sample
from tests.streams.crowd import START_MS, Crowd
from tests.streams.journeys import SITE, envelope
from tests.support.clickhouse import ClickHouseAddress
from tests.support.fresh_brokers import PARTITIONS, broker_settings, fresh_embedded_broker, producing
from tests.support.ports import free_port
from tests.support.receivers import receiving_mail, wait_until
from tests.support.system import readbrief, running_system

ALWAYS = WorkingHours(start=clock_time(0), end=clock_time(0), days=tuple(range(7)))
RITA = Rep(
    rep_id="rita",
    name="Rita",
    working_hours=ALWAYS,
    daily_cap=1000,
    channels=(Channel(kind=ChannelKind.email, target="rita@example.com"),),
)
HISTORY_DAYS = 90
RULES = Playbook.model_validate(
    {"company": "Example", "triggers": {"session_grace_s": 20, "session_quiet_s": 60}, "outbox": {"cooldown_s": 120}}
)
BEFORE = Known((), ())


def crowd() -> tuple[Directory, list[Envelope]]:
    made = Crowd(7, visitors=80, accounts=24, contacts=48)
    directory = made.directory()
    directory.put(RITA)
    for account in list(directory.accounts.values()):
        directory.put(account.model_copy(update={"lifecycle": Lifecycle.opportunity}))
    return directory, sorted(made.arriving(1200), key=lambda one: (one.received_ms, one.event.event_id))


def rehearse(
    directory: Directory,
    rules: Playbook,
    events: Sequence[Envelope],
    start_ms: int,
    known: Known = BEFORE,
    *,
    answers: Sequence[Outcome] = (),
) -> list[Delivery]:
    run = Rehearsal(directory, rules, HISTORY_DAYS, stitching(HISTORY_DAYS))
    run.begin([[one for one in events if one.received_ms < start_ms]], known, start_ms)
    inside = [one for one in events if one.received_ms >= start_ms]
    for _ in run.run(inside, events[-1].received_ms + 600_000, answers):
        pass
    return run.deliveries


def test_the_second_half_alone_tells_what_it_told_after_the_first() -> None:
    directory, events = crowd()
    whole = rehearse(directory, RULES, events, START_MS)
    middle_ms = events[len(events) // 2].received_ms
    earlier = [one for one in whole if one.released_ms < middle_ms]
    later = [one for one in whole if one.released_ms >= middle_ms]
    told = [brief for one in whole for brief in one.briefs if brief.decided_ms < middle_ms]
    again = rehearse(directory, RULES, events, middle_ms, known_at(told, earlier, middle_ms))
    assert len(later) > 4
    assert len(earlier) > 4
    found = compared(tellings(later), tellings(again))
    assert {each.kind for each in found} == {Kind.unchanged}, [
        each for each in found if each.kind is not Kind.unchanged
    ]


def test_what_a_rep_answered_is_heard_at_its_time() -> None:
    directory, events = crowd()
    whole = tellings(rehearse(directory, RULES, events, START_MS))
    accounts = [one.brief.account_id for one in whole]
    first = next(one for one in whole if accounts.count(one.brief.account_id) > 1)
    snoozed = Outcome(
        outcome_id="o1", delivery_id="d1", rep_id="rita", channel=ChannelKind.email, kind=OutcomeKind.snoozed,
        brief_ids=(first.brief.brief_id,), account_ids=(first.brief.account_id,), at_ms=first.at_ms + 1,
    )  # fmt: skip
    quieter = tellings(rehearse(directory, RULES, events, START_MS, answers=[snoozed]))
    of_account = [one for one in quieter if one.brief.account_id == first.brief.account_id]
    assert [one.brief.brief_id for one in of_account] == [first.brief.brief_id]
    others = [[one for one in told if one.brief.account_id != first.brief.account_id] for told in (whole, quieter)]
    assert {each.kind for each in compared(*others)} == {Kind.unchanged}


def test_the_same_events_and_rules_tell_the_same_bytes() -> None:
    directory, events = crowd()
    runs = [[one.to_bytes() for one in rehearse(directory, RULES, events, START_MS)] for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_rule_that_takes_a_trigger_away_takes_its_briefs_and_no_others() -> None:
    directory, events = crowd()
    only = RULES.triggers.model_copy(update={"told": (TriggerKind.high_intent,)})
    was = tellings(rehearse(directory, RULES, events, START_MS))
    would = tellings(rehearse(directory, RULES.model_copy(update={"triggers": only}), events, START_MS))
    assert {one.brief.trigger.kind for one in would} == {TriggerKind.high_intent}
    found = compared(was, would)
    assert {each.kind for each in found} >= {Kind.gone}
    gone = [each.was for each in found if each.kind is Kind.gone]
    assert all(one is not None and one.brief.trigger.kind is not TriggerKind.high_intent for one in gone)
    assert len(was) - len(gone) == len(would) - sum(each.kind is Kind.added for each in found)


def brief(brief_id: str, read: str, account_id: str = "acme") -> Brief:
    return sample(brief_id).model_copy(update={"told": {read: 5000}, "account_id": account_id})


def test_the_same_news_at_another_time_or_under_another_name_is_moved() -> None:
    was = [Telling(brief("b1", "pv1"), "rita", 0), Telling(brief("b2", "pv2"), "rita", 100)]
    was += [Telling(brief("b3", "pv3"), "rita", 200), Telling(brief("b4", "pv4"), "rita", 300)]
    would = [Telling(brief("b1", "pv1"), "rita", 59_000), Telling(brief("b2", "pv2"), "rita", 90_000)]
    would += [Telling(brief("x3", "pv3"), "rita", 200), Telling(brief("x4", "pv4", "bolt"), "rita", 300)]
    kinds = {each.stands.brief.brief_id: each.kind.value for each in compared(was, would)}
    assert kinds == {"b1": "unchanged", "b2": "moved", "x3": "moved", "x4": "added", "b4": "gone"}


@pytest.fixture(scope="module")
def recorded(clickhouse: ClickHouseAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Run the real system over two readers, one of them anonymous at first, and leave what it stored."""
    directory = tmp_path_factory.mktemp("recorded")
    playbook = directory / "playbook.yaml"
    playbook.write_text(
        "company: Example\ntriggers: {session_grace_s: 1, session_quiet_s: 3, min_session_active_s: 5}\n"
    )
    with fresh_embedded_broker(directory) as bootstrap, receiving_mail() as mail:
        given = broker_settings(bootstrap).model_dump() | {
            "clickhouse_port": clickhouse.port,
            "clickhouse_database": f"backtest_{time.time_ns()}",
            "collector_port": free_port(),
            "playbook": playbook,
            "smtp_port": mail.port,
        }
        settings = Settings.model_validate(given)
        publish(bootstrap, entities())
        with running_system(settings, directory):
            visit(bootstrap)
            mail.wait_for(1, 30)
            client = connect(settings)
            assert wait_until(
                lambda: len(client.execute("SELECT arrayJoin(brief_ids) FROM deliveries FINAL")) >= 2 or None, 20
            )
            client.disconnect()
        yield settings


def entities() -> list[tuple[str, bytes, Message]]:
    named: list[Entity] = [
        RITA,
        *(
            Account(account_id=key, name=key, rep_id="rita", lifecycle=Lifecycle.opportunity)
            for key in ("acme", "bolt")
        ),
        *(Contact(contact_id=f"{key}-1", account_id=key, name=key) for key in ("acme", "bolt")),
        Content(url=f"{SITE}/problem", title="The problem", topics=("sensors",), reading_time_s=60),
        Content(url=f"{SITE}/price", title="Prices", topics=("sensors",), stage=Stage.price, reading_time_s=60),
    ]
    return [(DIRECTORY.name, one.entity_id.encode(), one) for one in named]


def publish(bootstrap: str, messages: Sequence[tuple[str, bytes, Message]]) -> None:
    with producing(bootstrap) as producer:
        for topic, key, message in messages:
            producer.send(topic, key=key, value=message.to_bytes())


def visit(bootstrap: str) -> None:
    """Acme's reader reads and is then known; Bolt's reads the prices."""
    now = time.time_ns() // 1_000_000
    happened: dict[str, list[Event]] = {
        "v-acme": [progress("pv-a", now, 30, "problem"), named("acme-1", now + 1)],
        "v-bolt": [named("bolt-1", now), progress("pv-b", now + 1, 20, "price")],
    }
    with producing(bootstrap) as producer:
        for visitor, events in happened.items():
            for event in events:
                bundle = Bundle(envelopes=(envelope(visitor, event.occurred_ms, event),))
                producer.send(EVENTS.name, value=bundle.to_bytes(), partition=partition_of(visitor, PARTITIONS))


def progress(name: str, at_ms: int, active_s: int, page: str) -> PageProgress:
    return PageProgress(
        event_id=f"e-{name}", occurred_ms=at_ms, page_view_id=name, url=f"{SITE}/{page}", active_ms=active_s * 1000,
        depth_pct=80, left=True,
    )  # fmt: skip


def named(contact_id: str, at_ms: int) -> Identify:
    return Identify(
        event_id=f"id-{contact_id}", occurred_ms=at_ms, contact_id=contact_id, method=IdentifyMethod.email_link
    )


@pytest.mark.timeout(120)
def test_a_recorded_run_under_its_own_rules_has_no_difference(recorded: Settings) -> None:
    said = json.loads(readbrief(recorded, "backtest", "--playbook", str(recorded.playbook), "--days", "1", "--json"))
    assert said["counts"] == {"added": 0, "gone": 0, "moved": 0, "unchanged": 2}, said
    assert {(each["account_id"], each["trigger"]) for each in said["differences"]} == {
        ("acme", "session_end"),
        ("bolt", "high_intent"),
    }
    assert [(row["was"], row["would"]) for row in said["per_rep_and_day"]] in ([(2, 2)], [(1, 1), (1, 1)])


def test_a_recorded_run_under_other_rules_differs_by_exactly_what_they_change(
    recorded: Settings, tmp_path: Path
) -> None:
    stricter = tmp_path / "stricter.yaml"
    stricter.write_text(
        recorded.playbook.read_text().replace("_active_s: 5}", "_active_s: 60, high_intent_stages: []}")
    )
    now_ms = time.time_ns() // 1_000_000
    found = backtest(recorded, load_playbook(stricter), now_ms - 3_600_000, now_ms, pytest.fail)
    assert [each.kind.value for each in found.differences] == ["gone", "gone"]
    shown = readbrief(recorded, "backtest", "--playbook", str(stricter), "--days", "1")
    assert "0 added, 2 gone, 0 moved, 0 unchanged" in shown
    assert "acme" in shown
    later = tmp_path / "later.yaml"
    later.write_text(recorded.playbook.read_text().replace("session_grace_s: 1", "session_grace_s: 300"))
    counts = backtest(recorded, load_playbook(later), now_ms - 3_600_000, now_ms + 400_000, pytest.fail).as_json()[
        "counts"
    ]
    assert counts == {"added": 0, "gone": 0, "moved": 1, "unchanged": 1}


def test_a_backtest_writes_nothing(recorded: Settings) -> None:
    client = connect(recorded)
    tables = ("events", "briefs", "deliveries", "outcomes", "identified", "interest")
    counts = [client.execute(f"SELECT count() FROM {table}")[0] for table in tables]  # noqa: S608 - constants
    now_ms = time.time_ns() // 1_000_000
    backtest(recorded, RULES, now_ms - 3_600_000, now_ms, pytest.fail)
    assert counts == [client.execute(f"SELECT count() FROM {table}")[0] for table in tables]  # noqa: S608 - constants
    client.disconnect()
