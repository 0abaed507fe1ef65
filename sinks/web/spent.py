"""Which sign-in links were used and which sessions are over: kept in ClickHouse, so that every process knows."""

import uuid
from datetime import UTC, datetime

from sinks.web.store import Store

_CLAIMS = "SELECT claim_id FROM spent_sign_ins WHERE number = %(number)s"
_INSERT = "INSERT INTO spent_sign_ins (number, claim_id, at) VALUES"


def spend(store: Store, number: str, now_ms: int) -> bool:
    """Use up a number, and say whether it was free: of all who try, at most one hears yes."""
    if is_spent(store, number):
        return False
    claim = uuid.uuid4().hex
    store.insert(_INSERT, [(number, claim, datetime.fromtimestamp(now_ms / 1000, UTC))])
    return [row["claim_id"] for row in store.ask(_CLAIMS, {"number": number})] == [claim]


def is_spent(store: Store, number: str) -> bool:
    """Say whether a number was used up."""
    return bool(store.ask(_CLAIMS, {"number": number}))
