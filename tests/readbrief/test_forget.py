"""Forgetting and replaying on the whole running system: who is forgotten is nowhere, and nobody is told anything twice.

dana@acme, fay@bolt   |- link, read -| briefs |- replay -| nothing |- forget dana -| restart |- dana's browser reads on
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from clickhouse_driver import Client
from kafka import KafkaConsumer, TopicPartition

from schemas.settings import Settings, Site
from schemas.topics import TOPICS
from sinks.clickhouse.client import connect
from tests.support.browser import PERSON
from tests.support.clickhouse import ClickHouseAddress
from tests.support.fresh_brokers import broker_settings, fresh_embedded_broker
from tests.support.ports import free_port
from tests.support.receivers import HOST, Mailbox, receiving_mail, wait_until
from tests.support.system import readbrief, running_system

SITE = "https://www.vendor.example"
COMPANY = {
    "accounts": "account_id,name,rep_id,industry,lifecycle\n"
    "acme,Acme Robotics,rita,robotics,opportunity\nbolt,Bolt Logistics,rita,logistics,opportunity\n",
    "contacts": "contact_id,account_id,name,email,title,role,function\n"
    "dana-7f3a,acme,Dana Weiss,dana@acme.example,Head of Production,decider,department_head\n"
    "fay-91bc,bolt,Fay Lind,fay@bolt.example,Purchaser,buyer,purchaser\n",
    "reps": "rep_id,name,language,time_zone,working_hours,channels,daily_cap\n"
    "rita,Rita Sommer,en,UTC,Mon-Sun 00:00-00:00,email:rita@vendor.example,100\n",
}
OF_DANA = ("dana-7f3a", "Dana Weiss", "dana@acme.example", "browser-dana", "pv-dana", "e-dana")
OF_FAY = ("fay-91bc", "browser-fay", "pv-fay")
FOREVER = ("--from", "2020-01-01", "--to", "2100-01-01")
pytestmark = pytest.mark.timeout(300)


@dataclass
class System:
    settings: Settings
    mail: Mailbox
    logs: Path

    def report(self, visitor_id: str, *events: dict[str, object]) -> None:
        """Send events as the snippet does."""
        now_ms = time.time_ns() // 1_000_000
        body = {"v": 1, "site": "docs", "visitor_id": visitor_id, "sent_ms": now_ms}
        url = f"http://{HOST}:{self.settings.collector_port}/v1/events"
        sent = httpx.post(
            url,
            json={**body, "events": [{"occurred_ms": now_ms, **event} for event in events]},
            headers={"Origin": SITE, "User-Agent": PERSON},
            timeout=10,
        )
        assert sent.status_code == 204

    def identify(self, contact: str, event_id: str) -> dict[str, object]:
        """Follow an email link as a browser does, and return what its landing tells."""
        page = ("--url", f"{SITE}/sensors")
        link = readbrief(self.settings, "link", "--site", "docs", "--contact", contact, "--campaign", "spring", *page)
        location = httpx.get(link, headers={"User-Agent": PERSON}).headers["Location"]
        return {"type": "identify", "event_id": event_id, "token": location.split("#rb=")[1]}

    def query(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.settings) as client:
            rows: list[tuple[Any, ...]] = client.execute(query)
            return rows


@pytest.fixture(scope="module")
def system(clickhouse: ClickHouseAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    directory = tmp_path_factory.mktemp("forgetting")
    port = free_port()
    playbook = directory / "playbook.yaml"
    example = (Path(__file__).parents[2] / "docs" / "example" / "playbook.yaml").read_text()
    playbook.write_text(example)
    with fresh_embedded_broker(directory) as bootstrap, receiving_mail() as mail:
        given = broker_settings(bootstrap).model_dump() | {
            "clickhouse_port": clickhouse.port,
            "clickhouse_database": f"forgetting_{port}",
            "collector_port": port,
            "collector_url": f"http://{HOST}:{port}",
            "sites": {"docs": Site(origins=(SITE,))},
            "playbook": playbook,
            "smtp_port": mail.port,
        }
        yield System(Settings.model_validate(given), mail, directory)


def progress(page_view_id: str, active_s: int) -> dict[str, object]:
    return {
        "type": "page_progress", "event_id": f"e-{page_view_id}-{active_s}", "page_view_id": page_view_id,
        "url": f"{SITE}/sensors", "title": "Sensors", "active_ms": active_s * 1000, "depth_pct": 80, "left": True,
    }  # fmt: skip


def tables_with(client: Client, needles: tuple[str, ...]) -> dict[str, list[str]]:
    """Return which of the needles stand in a row of which table, in whatever column."""
    found = {}
    tables = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    for (table,) in client.execute(tables):
        rows = f"SELECT arrayFilter(n -> position(formatRow('JSONEachRow', *), n) > 0, %(needles)s) FROM {table}"  # noqa: S608
        hits = {one for (some,) in client.execute(rows, {"needles": list(needles)}) for one in some}
        if hits:
            found[table] = sorted(hits)
    return found


def topics_with(bootstrap: str, needles: tuple[str, ...]) -> dict[str, list[bytes]]:
    """Return what stands of the needles in compacted topics, in each key's last value, or in its key."""
    found: dict[str, list[bytes]] = {}
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        for topic in (one.name for one in TOPICS if one.cleanup == "compact"):
            consumer.assign([TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic) or ())])
            last: dict[tuple[int, bytes], bytes | None] = {}
            while polled := consumer.poll(timeout_ms=500):
                for records in polled.values():
                    last |= {(one.partition, one.key): one.value for one in records}
            values = [key + b" " + value for (_, key), value in last.items() if value is not None]
            hits = [one for one in values if any(needle.encode() in one for needle in needles)]
            if hits:
                found[topic] = hits
    finally:
        consumer.close()
    return found


def worked_off(system: System) -> None:
    """Wait until what was sent has become rows, by an event that comes behind it."""
    marker = f"e-marker-{time.time_ns()}"
    system.report("browser-marker", {**progress("pv-marker", 1), "event_id": marker})
    stored = f"SELECT 1 FROM events WHERE event_id = '{marker}'"  # noqa: S608 - our own
    assert wait_until(lambda: system.query(stored) or None, 30)


def test_a_replay_sends_nothing_twice_and_the_forgotten_are_gone_everywhere(system: System) -> None:
    with running_system(system.settings, system.logs):
        for kind, text in COMPANY.items():
            (system.logs / f"{kind}.csv").write_text(text)
        readbrief(system.settings, "directory", "import", *(str(system.logs / f"{kind}.csv") for kind in COMPANY))
        for name, contact in (("dana", "dana-7f3a"), ("fay", "fay-91bc")):
            who = system.identify(contact, f"e-{name}-identify")
            system.report(f"browser-{name}", who, progress(f"pv-{name}", 40))
        system.report("browser-nobody", progress("pv-nobody", 30))
        assert len(system.mail.wait_for(2, 40)) == 2
        assert wait_until(lambda: len(system.query("SELECT 1 FROM outcomes FINAL")) >= 2 or None, 20)
        replayed(system)
        with connect(system.settings) as client:
            assert {"events", "reads", "identified", "activity", "briefs", "directory"} <= tables_with(
                client, OF_DANA
            ).keys()
        assert {"directory", "visitors-state", "accounts-state"} <= topics_with(
            system.settings.kafka_bootstrap, OF_DANA
        ).keys()
        would = json.loads(readbrief(system.settings, "forget", "contact:dana-7f3a"))["would_remove"]
        assert would["directory"] == 1
        assert would["reads"] >= 1  # a replay has written her read again, and copies may not be merged yet
        forgotten(system, "contact:dana-7f3a", OF_DANA)
        forgotten(system, "visitor:browser-nobody", ("browser-nobody", "pv-nobody"))
        with connect(system.settings) as client:
            assert {"events", "reads", "identified", "briefs"} <= tables_with(client, OF_FAY).keys()
    # Started again, the workers know of her what the changelogs have: nothing. Her browser is a stranger's.
    with running_system(system.settings, system.logs):
        system.report("browser-dana", progress("pv-later", 45))
        system.report("browser-fay", progress("pv-fay-2", 45))
        assert len(system.mail.wait_for(3, 40)) == 3
        worked_off(system)
        assert system.query("SELECT count() FROM events FINAL WHERE visitor_id = 'browser-dana'") == [(1,)]
        for table in ("identified", "activity"):
            assert system.query(f"SELECT count() FROM {table} WHERE visitor_id = 'browser-dana'") == [(0,)]  # noqa: S608
        forgotten(system, "account:bolt", (*OF_FAY, "bolt", "Bolt Logistics"))
        assert len(system.mail.received) == 3


def replayed(system: System) -> None:
    """Send all events again; nothing comes of it."""
    tables = ("briefs", "deliveries", "outcomes", "reads", "decisions", "delivery_ledger", "content_days")
    count = "SELECT {}".format(", ".join(f"(SELECT count() FROM {table} FINAL)" for table in tables))  # noqa: S608 - our own
    standing = """
        SELECT account_id, temperature, score, readers, active_ms_last_7_days FROM interest FINAL
        ORDER BY account_id
    """
    worked_off(system)
    before, answers = system.query(count), system.query(standing)
    assert readbrief(system.settings, "replay", *FOREVER).endswith("events sent again")
    worked_off(system)
    assert system.query(count)[0][:3] == before[0][:3]
    assert system.query(standing) == answers
    assert len(system.mail.received) == 2
    into = f"{system.settings.clickhouse_database}_fresh"
    try:
        assert readbrief(system.settings, "replay", *FOREVER, "--into", into).endswith(f"events written into {into}")
        reads = "SELECT visitor_id, page_view_id, active_ms, depth_pct FROM {}.reads FINAL ORDER BY ALL"
        theirs = system.query(reads.format(system.settings.clickhouse_database))
        assert theirs
        assert system.query(reads.format(into)) == theirs
    finally:
        system.query(f"DROP DATABASE IF EXISTS {into}")
    assert len(system.mail.received) == 2


def forgotten(system: System, who: str, needles: tuple[str, ...]) -> None:
    """Forget somebody, and find nothing of them; the receipt says what went."""
    receipt = json.loads(readbrief(system.settings, "forget", who, "--yes"))
    assert receipt["streams"]["gone_through"]
    kind, _, subject = who.partition(":")
    assert receipt["subject"] == {"kind": kind, "id": subject}
    assert receipt["tables"]["events"] > 0
    assert receipt["tables"]["reads"] > 0
    assert set(receipt["expires"]) >= {"events", "activity", "briefs"}
    worked_off(system)
    with connect(system.settings) as client:
        assert tables_with(client, needles) == {}
    assert topics_with(system.settings.kafka_bootstrap, needles) == {}
