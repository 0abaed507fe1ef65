"""The delivery ledger: each delivery is sent once, or not at all, and never twice.

A delivery is claimed before it is sent, and its end is recorded after. ClickHouse answers an insert once it is on disk.
So, wherever a process is killed, the one that reads the delivery again does the right thing:

| killed                                      | the ledger holds | who reads it again                             |
| ------------------------------------------- | ---------------- | ---------------------------------------------- |
| before the claim                            | nothing          | sends it                                       |
| after the claim, before or while it is sent | a claim          | doesn't send it, tells the outcome `uncertain` |
| after it was sent, before its end is noted  | a claim          | doesn't send it, tells the outcome `uncertain` |
| after its end is noted, before it is told   | the end          | tells that end, under the id it always has     |
| after it is told, before the commit         | the end          | tells the same again, which changes nothing    |

The second and third can't be told apart from outside. The choice is never to send twice: a brief that is lost is
known as `uncertain`, one that comes twice costs the rep's trust. Only while the process lives and
another channel stands by does a message that one service may have taken go by the other, too; its end says so.

A claim is a row of its own with an id that is drawn, because it must differ between two processes that claim the same
delivery at once. Who claims reads back all claims and yields if there is another: inserts to one server have an
order, so at most one finds itself alone. Over several replicas this needs `insert_quorum` and
`select_sequential_consistency` in the user's profile. A claim that surely sent nothing is `released` and counts no
more.
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sinks.delivery.shared_client import SharedClient

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = "delivery_id, claim_id, state, at, attempts, reason, target"
_SELECT = f"SELECT {_COLUMNS} FROM delivery_ledger FINAL WHERE delivery_id IN %(ids)s"  # noqa: S608 - constants
_INSERT = f"INSERT INTO delivery_ledger ({_COLUMNS}, rank) VALUES"
# A server may be set to answer before it has written.
_DURABLE = {"async_insert": 0}


class LedgerState(StrEnum):
    """How far a claim has come; the later in this list, the more it says."""

    claimed = "claimed"
    released = "released"
    uncertain = "uncertain"
    failed = "failed"
    sent = "sent"

    @property
    def rank(self) -> int:
        """The state's number in the table."""
        return list(LedgerState).index(self) + 1


@dataclass(frozen=True)
class Entry:
    """One claim on a delivery, and how far it has come."""

    delivery_id: str
    claim_id: str
    state: LedgerState
    at_ms: int
    attempts: int = 0
    reason: str = ""
    target: str = ""

    def ended(self, state: LedgerState, at_ms: int, attempts: int, reason: str, target: str) -> "Entry":
        """Return the entry in a later state."""
        return replace(self, state=state, at_ms=at_ms, attempts=attempts, reason=reason, target=target)


def standing(entries: Iterable[Entry]) -> Entry | None:
    """Return the entry that decides about a delivery, or None if it may be claimed."""
    valid = (entry for entry in entries if entry.state is not LedgerState.released)
    return max(valid, key=lambda entry: (entry.state.rank, entry.claim_id), default=None)


class DeliveryLedger(SharedClient):
    """Claims and ends of deliveries, in ClickHouse; threads may share it."""

    what = "the delivery ledger"

    def standings(self, delivery_ids: Collection[str]) -> dict[str, Entry]:
        """Return what decides about each of these deliveries; those that may be claimed are not in it.

        Raises:
            UnavailableError: ClickHouse does not answer.
        """
        by_delivery: dict[str, list[Entry]] = {}
        for entry in self._entries(delivery_ids):
            by_delivery.setdefault(entry.delivery_id, []).append(entry)
        decided = {delivery_id: standing(entries) for delivery_id, entries in by_delivery.items()}
        return {delivery_id: entry for delivery_id, entry in decided.items() if entry is not None}

    def claim(self, delivery_id: str, at_ms: int) -> Entry | None:
        """Claim a delivery, on disk when this returns; None if another process has claimed it.

        Raises:
            UnavailableError: ClickHouse does not answer.
        """
        mine = Entry(delivery_id, uuid.uuid4().hex, LedgerState.claimed, at_ms)
        self.record(mine)
        others = [entry for entry in self._entries([delivery_id]) if entry.claim_id != mine.claim_id]
        if standing(others) is None:
            return mine
        self.record(mine.ended(LedgerState.released, at_ms, 0, "", ""))
        return None

    def record(self, entry: Entry) -> None:
        """Note an entry's state, on disk when this returns; noting it twice, or an older one, changes nothing.

        Raises:
            UnavailableError: ClickHouse does not answer.
        """
        at = _EPOCH + timedelta(milliseconds=entry.at_ms)
        row = (entry.delivery_id, entry.claim_id, str(entry.state), at, entry.attempts, entry.reason, entry.target)
        self._execute(_INSERT, [(*row, entry.state.rank)], _DURABLE)

    def _entries(self, delivery_ids: Collection[str]) -> list[Entry]:
        if not delivery_ids:
            return []
        rows = self._execute(_SELECT, {"ids": tuple(delivery_ids)})
        return [
            Entry(delivery_id, claim_id, LedgerState(state), (at - _EPOCH) // timedelta(milliseconds=1), *rest)
            for delivery_id, claim_id, state, at, *rest in rows
        ]
