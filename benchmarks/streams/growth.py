"""What does an account more cost? The same events among a thousand accounts held, and among a million.

Every account held has a read in its state. The events come from as many visitors and touch as many accounts, whatever
the number held; so what grows is what holding costs.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.streams.loading import PARTITIONS, Broker, load_bundles, load_directory
from benchmarks.streams.measuring import Measured, PeerFailedError
from benchmarks.streams.ours import TIMEOUT_S, Pipeline
from benchmarks.streams.workload import Workload, account_id, one_read
from producers.publisher import partition_of
from schemas.topics import ACTIVITY
from streams.runner import QUIET_S

ACTIVE_ACCOUNTS = 1_000
BUNDLE = 100


@dataclass(frozen=True)
class Holding:
    """A worker that holds so many accounts: CPU microseconds per event, bytes per account, and from start to ready."""

    accounts: int
    event_us: float
    account_bytes: float
    recovery_s: float
    recovery_cpu_s: float


def hold(broker: Broker, accounts: int, events: int, ending_ms: int, directory: Path) -> Holding:
    """Have a worker take over so many accounts' state, then measure what events cost it.

    Raises:
        PeerFailedError: the worker failed, did not catch up, or buried messages.
    """
    load = Workload(
        events,
        events // 10,
        ACTIVE_ACCOUNTS,
        known_every=1,
        ending_ms=ending_ms,
        account_step=accounts // ACTIVE_ACCOUNTS,
    )
    pipeline = Pipeline(broker, directory)
    load_directory(broker, load.contacts)
    log = directory / f"readbrief-{accounts}-accounts.log"
    empty = pipeline.start(log)
    try:
        broker.send_all(ACTIVITY.name, _one_read_each(accounts, load))
        empty.wait(pipeline.caught_up, TIMEOUT_S)
        empty.stop()
    finally:
        empty.kill()
    recovered = pipeline.start(log)
    try:
        _settle(recovered)
        before_s = recovered.cpu_s()
        load_bundles(broker, load, events, BUNDLE)
        recovered.wait(pipeline.caught_up, TIMEOUT_S)
        time.sleep(2 * QUIET_S)  # the summaries of a backlog come last
        _settle(recovered)
        spent_s = recovered.cpu_s() - before_s
        recovered.stop()
    finally:
        recovered.kill()
    pipeline.require_sound()
    return Holding(
        accounts,
        1e6 * spent_s / events,
        (recovered.ready_rss - empty.ready_rss) / accounts,
        recovered.starting_s,
        recovered.starting_cpu_s,
    )


def _settle(worker: Measured) -> None:
    """Wait until what starting has left to do is done, so that it is not counted as the events' cost.

    Raises:
        PeerFailedError: it does not come to rest.
    """
    deadline_s = time.monotonic() + TIMEOUT_S
    spent_s = -1.0
    while (now_s := worker.cpu_s()) > spent_s + 0.1:
        if time.monotonic() > deadline_s:
            raise PeerFailedError("a worker without work does not come to rest")
        spent_s = now_s
        time.sleep(1)


def _one_read_each(accounts: int, load: Workload) -> Iterator[tuple[bytes | None, bytes, int]]:
    began_ms = load.ending_ms - load.days * 86_400_000
    for number in range(accounts):
        account, envelope = account_id(number), one_read(number, began_ms)
        activity = b'{"v":1,"account_id":"%b","items":[{"contact_id":"contact-0","known":true,"envelope":%b}]}'
        yield account.encode(), activity % (account.encode(), envelope), _partition(account)


def _partition(account: str) -> int:
    return partition_of(account, PARTITIONS)
