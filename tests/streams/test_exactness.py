"""Whatever happens to the workers, every account's summary is what a batch computation over all events gives."""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from readbrief.workers import as_environment
from schemas.envelope import Envelope
from schemas.interest import Interest
from schemas.playbook import Playbook
from schemas.topics import DIRECTORY, INTEREST
from streams.backlog import LONGEST_PUT_OFF_MS
from tests.streams import oracle
from tests.streams.crowd import Crowd
from tests.streams.interest_oracle import Oracle
from tests.streams.turmoil import Workers, last_by_key, publishing, wait_until_worked_off
from tests.support.clickhouse import ClickHouseAddress
from tests.support.fresh_brokers import PARTITIONS, broker_settings, fresh_kafka, producing
from tests.support.migrated import make_migrated
from tests.support.processes import start

EVENTS = 200_000
PER_S = 4_000
SPARE_S = 30  # for a busy machine, beside the minute that an account may be put off
KILLS = 4  # at least, however few fit into the time of publishing on a busy machine
SEED = 20
PLAYBOOK = "{company: Example, triggers: {min_session_active_s: 1000000, high_intent_stages: []}}"


@pytest.mark.timeout(600)
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
        make_migrated(settings)
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
                while publisher.is_alive() or len(workers.story.kills) < KILLS:
                    time.sleep(pauses.uniform(1, 8))
                    workers.all_alive()
                    workers.disturb()
            wait_until_worked_off(bootstrap, 300)
            worked_off_s = time.monotonic()
            at_once = differences = differing(bootstrap, crowd, events)
            # An account put off in a backlog is told once it is quiet, or when its time has come: a worker that takes
            # over does not know who waits.
            while differences and time.monotonic() < worked_off_s + LONGEST_PUT_OFF_MS / 1000 + SPARE_S:
                time.sleep(1)
                differences = differing(bootstrap, crowd, events)
            settled_s = time.monotonic() - worked_off_s
            workers.all_alive()
        finally:
            workers.stop()
            store.stop()
        found = last_by_key(bootstrap, INTEREST.name)
    for line in workers.story.lines():
        figure(line)
    figure(f"{len(at_once)} summaries were put off when all was worked off, {len(differences)} after {settled_s:.0f} s")
    figure(f"{len(events):,} events, {len(found)} accounts, {len(differences)} summaries differ (target: 0)")
    assert len(workers.story.kills) >= KILLS
    assert not differences


def differing(bootstrap: str, crowd: Crowd, events: list[Envelope]) -> list[str]:
    """Return the accounts whose last summary is not the batch computation's, or that only one of the two knows."""
    found = last_by_key(bootstrap, INTEREST.name)
    expected = summaries(crowd, events, {key: Interest.from_bytes(value).as_of_ms for key, value in found.items()})
    return [key for key in sorted(found.keys() | expected) if found.get(key) != expected.get(key)]


def summaries(crowd: Crowd, events: list[Envelope], as_of_ms: dict[str, int]) -> dict[str, bytes]:
    """Return every account's summary as the batch computation has it, in the bytes of the topic.

    A summary is renewed as the account cools, so the moment of each is taken from what was told.
    """
    directory, playbook = crowd.directory(), Playbook.model_validate(yaml.safe_load(PLAYBOOK))
    found = {}
    for account_id, reads in oracle.reads_by_account(events, crowd.account_of).items():
        slow = Oracle(account_id, list(reads.values()), directory, playbook)
        found[account_id] = Interest.model_validate(slow.summary(as_of_ms.get(account_id))).to_bytes()
    return found
