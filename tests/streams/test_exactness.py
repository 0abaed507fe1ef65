"""Whatever happens to the workers, every account's summary is what a batch computation over all events gives."""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from readbrief.workers import as_environment
from schemas.interest import Interest
from schemas.topics import DIRECTORY, INTEREST
from sinks.clickhouse.migrate import migrate
from tests.streams import oracle
from tests.streams.crowd import Crowd
from tests.streams.turmoil import Workers, last_by_key, publishing, wait_until_worked_off
from tests.support.clickhouse import ClickHouseAddress
from tests.support.fresh_brokers import PARTITIONS, broker_settings, fresh_kafka, producing
from tests.support.processes import start

EVENTS = 200_000
PER_S = 4_000
SEED = 20
PLAYBOOK = "{company: Example, triggers: {min_session_active_s: 1000000, high_intent_stages: []}}"


@pytest.mark.timeout(420)
def test_workers_killed_added_and_removed_at_random_change_no_summary(
    clickhouse: ClickHouseAddress, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    crowd = Crowd(SEED, visitors=4000, accounts=200, contacts=600)
    events = crowd.arriving(EVENTS)
    playbook = tmp_path / "playbook.yaml"
    playbook.write_text(PLAYBOOK)
    with fresh_kafka(tmp_path / "kafka") as bootstrap:
        settings = broker_settings(bootstrap).model_copy(
            update={
                "playbook": playbook,
                "kafka_session_timeout_s": 6,
                "clickhouse_host": clickhouse.host,
                "clickhouse_port": clickhouse.port,
                "clickhouse_database": "exactness",
            }
        )
        migrate(settings)
        with producing(bootstrap) as producer:
            for entity in crowd.entities():
                producer.send(DIRECTORY.name, key=entity.entity_id.encode(), value=entity.to_bytes())
        workers = Workers(settings, tmp_path, SEED)
        command = [sys.executable, "-m", "readbrief", "run", "clickhouse"]
        store = start(command, tmp_path / "store.log", environment=as_environment(settings))
        workers.add()
        workers.add()
        try:
            pauses = random.Random(SEED)
            with publishing(bootstrap, PARTITIONS, events, PER_S) as publisher:
                while publisher.is_alive():
                    time.sleep(pauses.uniform(1, 8))
                    workers.all_alive()
                    workers.disturb()
            wait_until_worked_off(bootstrap, 150)
            workers.all_alive()
        finally:
            workers.stop()
            store.stop()
        found = last_by_key(bootstrap, INTEREST.name)
    expected = oracle.reads_by_account(events, crowd.account_of)
    for line in workers.story.lines():
        figure(line)
    assert len(workers.story.kills) >= 4
    differences = [key for key in expected if not _same(found.get(key), expected[key])]
    figure(f"{len(events):,} events, {len(expected)} accounts, {len(differences)} summaries differ (target: 0)")
    assert set(found) == set(expected)
    assert not differences


def _same(found: bytes | None, reads: dict[str, dict[str, Any]]) -> bool:
    if found is None:
        return False
    said = Interest.from_bytes(found)
    return sum(c.active_ms for c in said.contents) == sum(r["active_ms"] for r in reads.values()) and sum(
        c.reads for c in said.contents
    ) == sum(1 for r in reads.values() if r["active_ms"])
