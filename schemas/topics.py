"""The one table of topics: what is on each, who writes it, who reads it, how long it is kept."""

from dataclasses import dataclass
from typing import Literal

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Topic:
    """One Kafka topic.

    `key` says what the key holds, `value` names the message; retention is in milliseconds, None where the topic is
    compacted. `keyed` topics have one partition per slot, so that what belongs together stays together.
    """

    name: str
    key: str
    value: str
    writers: str
    readers: str
    cleanup: Literal["delete", "compact"] = "delete"
    retention_ms: int | None = 7 * DAY_MS
    keyed: bool = True


EVENTS = Topic("events", "partition of visitor_id", "Bundle", "collector, replay", "visitors, clickhouse")
IDENTIFIED = Topic("identified", "visitor_id", "Identified", "visitors", "clickhouse (stitching)")
ACTIVITY = Topic("activity", "account_id", "Activity", "visitors, stitching, replay", "accounts, clickhouse")
INTEREST = Topic("interest", "account_id", "Interest", "accounts", "clickhouse", "compact", None)
BRIEFS = Topic("briefs", "rep_id", "RepMail", "accounts, reps, replay", "reps, clickhouse")
DELIVERIES = Topic("deliveries", "rep_id", "Delivery", "reps, bounces", "delivery, clickhouse")
OUTCOMES = Topic(
    "outcomes", "rep_id", "Outcome", "delivery, collector, bounces", "reps, clickhouse", retention_ms=30 * DAY_MS
)
DECISIONS = Topic("decisions", "account_id", "Decision", "accounts, reps", "clickhouse", retention_ms=30 * DAY_MS)
DIRECTORY = Topic(
    "directory", "kind:id", "Entry", "directory import, accounts", "visitors, accounts, reps, delivery, clickhouse",
    "compact", None, keyed=False,
)  # fmt: skip
REVOCATIONS = Topic(
    "revocations", "contact/campaign", "Revocation", "email revoke", "collector", "compact", None, keyed=False
)
DEAD_LETTERS = Topic("dead-letters", "none", "DeadLetter", "all", "clickhouse", retention_ms=30 * DAY_MS, keyed=False)

VISITOR_STATE = Topic("visitors-state", "visitor_id, record", "record", "visitors", "visitors", "compact", None)
ACCOUNT_STATE = Topic("accounts-state", "account_id, record", "record", "accounts", "accounts", "compact", None)
REP_STATE = Topic("reps-state", "rep_id, record", "record", "reps", "reps", "compact", None)

TOPICS = (
    EVENTS,
    IDENTIFIED,
    ACTIVITY,
    INTEREST,
    BRIEFS,
    DELIVERIES,
    OUTCOMES,
    DECISIONS,
    DIRECTORY,
    REVOCATIONS,
    DEAD_LETTERS,
    VISITOR_STATE,
    ACCOUNT_STATE,
    REP_STATE,
)
