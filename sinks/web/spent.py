"""Which sign-in links were used, which sessions are over, and how many links an address was sent of late.

It is kept in ClickHouse, so that every process knows.
"""

import uuid
from datetime import UTC, datetime

from sinks.web.store import Store

_CLAIMS = "SELECT claim_id FROM spent_sign_ins WHERE number = %(number)s"
_CLAIMS_SINCE = "SELECT count() AS claims FROM spent_sign_ins WHERE number = %(number)s AND at > %(since)s"
_INSERT = "INSERT INTO spent_sign_ins (number, claim_id, at) VALUES"


def spend(store: Store, number: str, now_ms: int) -> bool:
    """Use up a number, and say whether it was free: of all who try, at most one hears yes."""
    if is_spent(store, number):
        return False
    claim = _claim(store, number, now_ms)
    return [row["claim_id"] for row in store.ask(_CLAIMS, {"number": number})] == [claim]


def is_spent(store: Store, number: str) -> bool:
    """Say whether a number was used up."""
    return bool(store.ask(_CLAIMS, {"number": number}))


def spend_one_of(store: Store, number: str, most: int, window_ms: int, now_ms: int) -> bool:
    """Use up one of so many within a stretch of time, and say whether there was one: of all who try, so many hear yes.

    Two who try for the last one at the same moment may both hear no.
    """
    since = _moment(now_ms - window_ms).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    given = {"number": number, "since": since}
    if store.ask(_CLAIMS_SINCE, given)[0]["claims"] >= most:
        return False
    _claim(store, number, now_ms)
    return bool(store.ask(_CLAIMS_SINCE, given)[0]["claims"] <= most)


def _claim(store: Store, number: str, now_ms: int) -> str:
    claim = uuid.uuid4().hex
    store.insert(_INSERT, [(number, claim, _moment(now_ms))])
    return claim


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
