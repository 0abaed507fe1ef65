"""The ledger on a real ClickHouse: a claim is one process's, and the end that says most stands."""

import itertools
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from schemas.errors import UnavailableError
from schemas.settings import Settings
from sinks.clickhouse.client import connect
from sinks.delivery.ledger import DeliveryLedger, Entry, LedgerState, standing
from tests.sinks.delivery_samples import MET_MS, settings_with
from tests.support.clickhouse import ClickHouseAddress
from tests.support.migrated import make_migrated
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def settings(clickhouse: ClickHouseAddress) -> Settings:
    built = settings_with(
        clickhouse_host=clickhouse.host, clickhouse_port=clickhouse.port, clickhouse_database="ledger_tests"
    )
    make_migrated(built)
    return built


@pytest.fixture
def ledger(settings: Settings) -> Iterator[DeliveryLedger]:
    opened = DeliveryLedger.open(settings)
    yield opened
    opened.close()


def new_id() -> str:
    return f"delivery-{uuid.uuid4().hex}"


def claimed(ledger: DeliveryLedger, delivery_id: str) -> Entry:
    claim = ledger.claim(delivery_id, MET_MS)
    assert claim is not None
    return claim


def test_a_delivery_is_claimed_once(settings: Settings, ledger: DeliveryLedger) -> None:
    delivery_id = new_id()
    assert ledger.standings([delivery_id]) == {}
    claim = claimed(ledger, delivery_id)
    other = DeliveryLedger.open(settings)
    assert other.standings([delivery_id]) == {delivery_id: claim}
    assert other.claim(delivery_id, MET_MS) is None
    assert ledger.standings([delivery_id]) == {delivery_id: claim}
    other.close()


def test_an_end_is_read_back_as_it_was_noted(ledger: DeliveryLedger) -> None:
    delivery_id = new_id()
    end = claimed(ledger, delivery_id).ended(LedgerState.failed, MET_MS + 7, 3, "the server's 'reason'", "team")
    ledger.record(end)
    assert ledger.standings([delivery_id]) == {delivery_id: end}


@pytest.mark.parametrize("is_merged", [False, True])
def test_an_older_state_noted_late_changes_nothing(
    settings: Settings, ledger: DeliveryLedger, *, is_merged: bool
) -> None:
    delivery_id = new_id()
    claim = claimed(ledger, delivery_id)
    sent = claim.ended(LedgerState.sent, MET_MS + 1, 1, "", "email")
    ledger.record(sent)
    ledger.record(claim.ended(LedgerState.uncertain, MET_MS + 2, 1, "lost sight", ""))
    ledger.record(claim)
    if is_merged:
        with connect(settings) as client:
            client.execute("OPTIMIZE TABLE delivery_ledger FINAL")
    assert ledger.standings([delivery_id]) == {delivery_id: sent}


def test_a_released_claim_counts_no_more(ledger: DeliveryLedger) -> None:
    delivery_id = new_id()
    ledger.record(claimed(ledger, delivery_id).ended(LedgerState.released, MET_MS, 1, "stopped", ""))
    assert ledger.standings([delivery_id]) == {}
    assert ledger.claim(delivery_id, MET_MS) is not None


def test_of_many_who_claim_at_once_at_most_one_wins(settings: Settings) -> None:
    ledgers = [DeliveryLedger.open(settings) for _ in range(4)]
    with ThreadPoolExecutor(len(ledgers)) as pool:
        for _ in range(20):
            delivery_id, start = new_id(), threading.Barrier(len(ledgers))

            def race(ledger: DeliveryLedger, delivery_id: str = delivery_id, start: threading.Barrier = start) -> bool:
                start.wait()
                return ledger.claim(delivery_id, MET_MS) is not None

            assert sum(pool.map(race, ledgers)) <= 1
    for ledger in ledgers:
        ledger.close()


def test_the_state_that_says_most_stands_in_whatever_order_it_was_noted() -> None:
    entries = [Entry("d", f"claim-{state}", state, MET_MS) for state in LedgerState]
    for order in itertools.permutations(entries):
        found = standing(order)
        assert found is not None
        assert found.state is LedgerState.sent
    assert standing([entries[1]]) is None
    assert standing([]) is None


def test_a_server_that_is_gone_is_said_so(settings: Settings) -> None:
    client = connect(settings)
    ledger = DeliveryLedger(client)
    client.disconnect()
    client.connection.hosts.clear()
    client.connection.hosts.append(("127.0.0.1", free_port()))
    with pytest.raises(UnavailableError):
        ledger.claim(new_id(), MET_MS)
