"""The stream worker as a process, on the embedded broker and on Apache Kafka."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import time as clock_time
from pathlib import Path

import httpx
import pytest

from producers.publisher import partition_of
from readbrief.broker_topics import create_topics
from readbrief.workers import as_environment
from schemas.brief import TriggerKind
from schemas.dead_letter import DeadLetter, DeadLetterStage
from schemas.decision import Decision, Rule, Verdict
from schemas.delivery import ChannelKind, Delivery, Outcome, OutcomeKind
from schemas.directory import Account, Channel, Contact, Content, Entity, Lifecycle, Rep, WorkingHours
from schemas.envelope import Bundle
from schemas.events import Event, Identify, IdentifyMethod, PageProgress, SectionAttention
from schemas.interest import Interest
from schemas.topics import ACTIVITY, BRIEFS, DEAD_LETTERS, DECISIONS, DELIVERIES, DIRECTORY, EVENTS, INTEREST, OUTCOMES
from tests.streams.journeys import SITE, envelope
from tests.support.brokers import start_kafka
from tests.support.fresh_brokers import (
    PARTITIONS,
    broker_settings,
    fresh_embedded_broker,
    fresh_kafka,
    messages_until,
    producing,
)
from tests.support.ports import free_port
from tests.support.processes import Running, start

PLAYBOOK = """
company: Example
triggers: {session_grace_s: 1, session_quiet_s: 4, min_session_active_s: 5}
outbox: {cooldown_s: 0}
"""
ALWAYS = WorkingHours(start=clock_time(0), end=clock_time(0), days=tuple(range(7)))


def publish_directory(bootstrap: str) -> None:
    email = Channel(kind=ChannelKind.email, target="rita@example.com")
    entities: list[Entity] = [
        Rep(rep_id="rita", name="Rita", working_hours=ALWAYS, channels=(email,), daily_cap=1000),
        Content(url=f"{SITE}/problem", title="The problem", topics=("sensors",), reading_time_s=60),
    ]
    for name in ("acme", "bolt", "coil"):
        entities.append(Account(account_id=name, name=name.title(), rep_id="rita", lifecycle=Lifecycle.opportunity))
        entities.append(Contact(contact_id=f"{name}-1", account_id=name, name=f"Reader of {name}"))
    with producing(bootstrap) as producer:
        for entity in entities:
            producer.send(DIRECTORY.name, key=entity.entity_id.encode(), value=entity.to_bytes())


def publish_events(bootstrap: str, visitor_id: str, *events: Event) -> None:
    bundle = Bundle(envelopes=tuple(envelope(visitor_id, event.occurred_ms, event) for event in events))
    with producing(bootstrap) as producer:
        producer.send(EVENTS.name, value=bundle.to_bytes(), partition=partition_of(visitor_id, PARTITIONS))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def identify(name: str, contact_id: str) -> Identify:
    return Identify(
        event_id=f"id-{name}", occurred_ms=now_ms(), contact_id=contact_id, method=IdentifyMethod.email_link
    )


def progress(name: str, active_s: int) -> PageProgress:
    return PageProgress(
        event_id=f"progress-{name}-{active_s}",
        occurred_ms=now_ms(),
        page_view_id=name,
        url=f"{SITE}/problem?utm_source=mail",
        active_ms=active_s * 1000,
        depth_pct=80,
        sections=(SectionAttention(key="why", title="Why", active_ms=active_s * 1000),),
        left=True,
    )


def deliveries_on(bootstrap: str, account_id: str, count: int, timeout_s: float = 20) -> list[Delivery]:
    def of_account(values: list[bytes]) -> list[Delivery]:
        # A worker killed before it wrote its state sends a delivery again, under its old id: the ledger lets one go.
        found = {one.delivery_id: one for one in map(Delivery.from_bytes, values)}
        return [one for one in found.values() if any(brief.account_id == account_id for brief in one.briefs)]

    values = messages_until(bootstrap, DELIVERIES.name, lambda found: len(of_account(found)) >= count, timeout_s)
    return of_account(values)


def dead_letters(bootstrap: str, count: int) -> list[DeadLetter]:
    values = messages_until(bootstrap, DEAD_LETTERS.name, lambda found: len(found) >= count, 20)
    return [DeadLetter.from_bytes(value) for value in values]


@contextmanager
def worker(
    bootstrap: str, directory: Path, *, limit: int = 100, rules: str = PLAYBOOK, streams_metrics_port: int = 0
) -> Iterator[Running]:
    """Have a worker running from the moment it says that it is ready."""
    playbook = directory / "playbook.yaml"
    playbook.write_text(rules)
    settings = broker_settings(bootstrap).model_copy(
        update={"playbook": playbook, "dead_letter_limit": limit, "streams_metrics_port": streams_metrics_port}
    )
    log = directory / f"worker-{now_ms()}.log"
    running = start([sys.executable, "-m", "readbrief", "run", "streams"], log, environment=as_environment(settings))

    def ready() -> None:
        assert "streams_ready" in log.read_text()

    try:
        running.wait_until(ready, 40)
        yield running
    finally:
        running.stop()


@pytest.mark.timeout(180)
def test_a_known_readers_visit_becomes_one_delivery_and_an_interest_summary(fresh_broker: str, tmp_path: Path) -> None:
    publish_directory(fresh_broker)
    with worker(fresh_broker, tmp_path) as running:
        publish_events(fresh_broker, "visitor-a", identify("a", "acme-1"), progress("pv-a", 30))
        publish_events(fresh_broker, "visitor-a", progress("pv-a", 30))  # the beacon comes again
        (delivery,) = deliveries_on(fresh_broker, "acme", 1)
        (brief,) = delivery.briefs
        (read,) = brief.reads
        assert (read.title, read.url) == ("The problem", f"{SITE}/problem")
        assert (read.active_s, read.depth_pct, read.section) == (30, 80, "Why")
        interests = messages_until(fresh_broker, INTEREST.name, bool, 10)
        assert Interest.from_bytes(interests[-1]).account_id == "acme"
        assert running.stop() == 0


@pytest.mark.timeout(180)
def test_what_a_rep_answers_is_heeded_by_whoever_holds_the_outbox(fresh_broker: str, tmp_path: Path) -> None:
    publish_directory(fresh_broker)
    with worker(fresh_broker, tmp_path):
        snooze = Outcome(
            outcome_id="o1", delivery_id="d1", rep_id="rita", channel=ChannelKind.email, brief_ids=(),
            kind=OutcomeKind.snoozed, at_ms=now_ms(), account_ids=("coil",),
        )  # fmt: skip
        with producing(fresh_broker) as producer:
            rita = partition_of("rita", PARTITIONS)
            producer.send(OUTCOMES.name, key=b"rita", value=snooze.to_bytes(), partition=rita)
        publish_events(fresh_broker, "visitor-s", identify("s", "coil-1"), progress("pv-s", 30))

        def of_coil(values: list[bytes]) -> list[Decision]:
            return [one for one in map(Decision.from_bytes, values) if one.account_id == "coil" and one.brief_id]

        said = of_coil(messages_until(fresh_broker, DECISIONS.name, lambda found: bool(of_coil(found)), 30))
        assert (said[0].verdict, said[0].rule, said[0].until_ms) == (
            Verdict.held, Rule.snoozed, snooze.at_ms + 7 * 86_400_000,
        )  # fmt: skip


@pytest.mark.timeout(180)
def test_messages_that_cannot_be_read_become_dead_letters_and_the_worker_goes_on(
    fresh_broker: str, tmp_path: Path
) -> None:
    publish_directory(fresh_broker)
    poison = {EVENTS: b"{not json", ACTIVITY: b'{"v":1,"items":7}', BRIEFS: b'{"v":9,"rep_id":"rita"}'}
    with worker(fresh_broker, tmp_path):
        with producing(fresh_broker) as producer:
            for topic, value in poison.items():
                producer.send(topic.name, value=value, partition=0)
        found = {letter.stage: letter for letter in dead_letters(fresh_broker, len(poison))}
        assert set(found) == {DeadLetterStage.visitors, DeadLetterStage.accounts, DeadLetterStage.reps}
        assert {letter.payload_bytes() for letter in found.values()} == set(poison.values())
        assert "account_id" in found[DeadLetterStage.accounts].reason
        assert found[DeadLetterStage.visitors].origin.startswith("events/0/")
        publish_events(fresh_broker, "visitor-b", identify("b", "bolt-1"), progress("pv-b", 20))
        assert len(deliveries_on(fresh_broker, "bolt", 1)) == 1


@pytest.mark.timeout(120)
def test_a_running_worker_keeps_the_last_good_playbook_and_takes_a_new_good_one(tmp_path: Path) -> None:
    playbook, bare = tmp_path / "playbook.yaml", "company: Example\ntriggers: {session_grace_s: 1, "
    metrics_port = free_port()
    with fresh_embedded_broker(tmp_path) as bootstrap:
        publish_directory(bootstrap)
        rules = bare + "told: [temperature_up]}\n"
        with worker(bootstrap, tmp_path, rules=rules, streams_metrics_port=metrics_port) as running:
            publish_events(bootstrap, "visitor-a", identify("a", "acme-1"), progress("pv-a", 6))
            playbook.write_text(bare + "tolled: []}\n")
            refusal = "playbook.yaml:2:32: triggers.tolled: unknown key; did you mean 'told'?"
            running.wait_until(lambda: running.output.read_text().index(refusal), 10)
            metrics = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics", timeout=5).text
            assert f'readbrief_playbook_faults{{place="{playbook}:2:32"}} 1.0' in metrics
            playbook.write_text(bare + "min_session_active_s: 5}\n")
            running.wait_until(lambda: running.output.read_text().index("playbook_renewed"), 10)
            publish_events(bootstrap, "visitor-b", identify("b", "bolt-1"), progress("pv-b", 6))
            (delivery,) = deliveries_on(bootstrap, "bolt", 1)
            assert delivery.briefs[0].trigger.kind is TriggerKind.session_end
            assert running.stop() == 0


@pytest.mark.timeout(240)
def test_state_survives_a_kill_and_nothing_is_told_twice(tmp_path: Path) -> None:
    with fresh_kafka(tmp_path) as bootstrap:
        publish_directory(bootstrap)
        with worker(bootstrap, tmp_path) as running:
            publish_events(bootstrap, "visitor-c", identify("c", "coil-1"), progress("pv-c", 30))
            assert len(deliveries_on(bootstrap, "coil", 1)) == 1
            running.kill()
        with worker(bootstrap, tmp_path):
            # No identification comes again: who it is, and what was told, is known from before the kill.
            publish_events(bootstrap, "visitor-c", progress("pv-c", 30))
            publish_events(bootstrap, "visitor-c", progress("pv-d", 12))
            first, second = deliveries_on(bootstrap, "coil", 2)
            assert [read.page_view_id for read in first.briefs[0].reads] == ["pv-c"]
            assert [read.page_view_id for read in second.briefs[0].reads] == ["pv-d"]
            assert len(deliveries_on(bootstrap, "coil", 3, timeout_s=5)) == 2


@pytest.mark.timeout(180)
def test_a_broker_that_goes_and_comes_back_costs_no_brief(tmp_path: Path) -> None:
    kafka = start_kafka(tmp_path / "kafka")
    try:
        create_topics(broker_settings(kafka.bootstrap))
        publish_directory(kafka.bootstrap)
        with worker(kafka.bootstrap, tmp_path) as running:
            publish_events(kafka.bootstrap, "visitor-e", identify("e", "acme-1"), progress("pv-e", 30))
            kafka.stop()
            time.sleep(3)
            kafka.start()
            publish_events(kafka.bootstrap, "visitor-f", identify("f", "bolt-1"), progress("pv-f", 30))
            assert len(deliveries_on(kafka.bootstrap, "acme", 1)) == 1
            assert len(deliveries_on(kafka.bootstrap, "bolt", 1)) == 1
            assert running.process.poll() is None
    finally:
        kafka.stop()


@pytest.mark.timeout(180)
def test_too_many_dead_letters_in_a_row_stop_the_worker_with_the_reason(tmp_path: Path) -> None:
    with fresh_kafka(tmp_path) as bootstrap, worker(bootstrap, tmp_path, limit=3) as running:
        with producing(bootstrap) as producer:
            for _ in range(3):
                producer.send(EVENTS.name, value=b"nonsense", partition=1)
        assert running.process.wait(30) == 1
        assert "3 messages in a row could not be used" in running.tail()


def test_a_worker_whose_broker_is_gone_ends_when_told(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with fresh_kafka(tmp_path) as bootstrap:
            publish_directory(bootstrap)
            running = stack.enter_context(worker(bootstrap, tmp_path))
            publish_events(bootstrap, "visitor-a", identify("a", "acme-1"), progress("pv-a", 30))
            assert messages_until(bootstrap, ACTIVITY.name, bool, 20)  # done, and not yet committed
        time.sleep(12)  # so that it has found out, and given up its membership
        assert running.stop() == 0, running.tail()
