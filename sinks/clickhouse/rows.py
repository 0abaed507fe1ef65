"""What each topic becomes in ClickHouse: record in, rows out, and nothing else."""

from collections import defaultdict
from datetime import UTC, date, datetime

from schemas import topics
from schemas.activity import Activity, ActivityItem, Identified
from schemas.brief import Brief
from schemas.dead_letter import DeadLetter
from schemas.decision import Decision
from schemas.delivery import Delivery, Outcome
from schemas.events import page_view_of
from schemas.interest import Interest
from schemas.rep_mail import RepMail
from sinks.clickhouse.directory_rows import DIRECTORY
from sinks.clickhouse.event_columns import canonical
from sinks.clickhouse.event_rows import EVENTS
from sinks.clickhouse.table import Row, Table, value_of
from sinks.consumer import Record


def _identified(record: Record) -> list[Row]:
    said = Identified.from_bytes(value_of(record))
    return [
        (
            said.visitor_id,
            said.contact_id,
            said.account_id,
            said.method.value,
            said.confidence,
            said.evidence_ms,
            said.from_ms,
            said.until_ms,
            said.withdrawn,
            record.timestamp_ms,
            said.to_bytes().decode(),
        )
    ]


def _activity(record: Record) -> list[Row]:
    said = Activity.from_bytes(value_of(record))
    return [_activity_item(said, item, record.timestamp_ms) for item in said.items]


def _activity_item(said: Activity, item: ActivityItem, recorded_ms: int) -> Row:
    envelope, event = item.envelope, item.envelope.event
    url = getattr(event, "url", None)
    return (
        said.account_id,
        envelope.visitor_id,
        envelope.site,
        event.event_id,
        item.contact_id,
        item.known,
        said.stitched,
        event.type,
        envelope.occurred_ms,
        page_view_of(event) or "",
        canonical(url) if url else "",
        getattr(event, "active_ms", 0),
        getattr(event, "beat_ms", 0),
        recorded_ms,
    )


def _interest(record: Record) -> list[Row]:
    if record.value is None:  # an account that is forgotten; its rows are erased where it is forgotten
        return []
    said = Interest.from_bytes(record.value)
    as_of_ms = said.as_of_ms or record.timestamp_ms  # a summary of nothing is as of no read
    points: dict[str, float] = defaultdict(float)
    for reason in said.reasons:
        points[reason.kind] += reason.points
    return [
        (
            said.account_id,
            _day(as_of_ms),
            as_of_ms,
            record.timestamp_ms,
            said.temperature.value,
            said.score,
            said.buying_stage.value if said.buying_stage else "",
            dict(points),
            {weight.topic: weight.weight for weight in said.topics},
            [reader.contact_id for reader in said.readers],
            said.unknown_visitors,
            [function.value for function in said.committee.missing] if said.committee else [],
            said.active_ms_last_7_days,
            said.active_ms_prior_7_days,
            said.trend.word.value if said.trend else "",
            said.trend.usual_week_ms if said.trend else 0,
            said.silence.days if said.silence else 0,
            said.cools_ms,
            said.to_bytes().decode(),
        )
    ]


def _briefs(record: Record) -> list[Row]:
    return [_brief(brief) for brief in RepMail.from_bytes(value_of(record)).briefs]


def _brief(brief: Brief) -> Row:
    return (
        brief.brief_id,
        brief.account_id,
        brief.rep_id,
        brief.language,
        brief.decided_ms,
        brief.trigger.kind.value,
        brief.trigger.met_ms,
        brief.trigger.url,
        list(brief.topics),
        brief.interest.temperature.value,
        brief.interest.score,
        brief.lifecycle.value if brief.lifecycle else "",
        brief.hand_over.reason.value if brief.hand_over else "",
        brief.hand_over.from_rep_id if brief.hand_over else "",
        len(brief.reads) + brief.more_reads,
        brief.to_bytes().decode(),
    )


def _deliveries(record: Record) -> list[Row]:
    said = Delivery.from_bytes(value_of(record))
    return [
        (
            said.delivery_id,
            said.rep_id,
            said.channel.value,
            [brief.brief_id for brief in said.briefs],
            [brief.account_id for brief in said.briefs],
            said.released_ms,
            said.to_bytes().decode(),
        )
    ]


def _outcomes(record: Record) -> list[Row]:
    said = Outcome.from_bytes(value_of(record))
    return [
        (
            said.outcome_id,
            said.delivery_id,
            said.rep_id,
            said.channel.value,
            list(said.brief_ids),
            list(said.account_ids),
            said.kind.value,
            said.at_ms,
            said.attempts,
            said.reason,
            said.target,
            said.text,
            said.url,
            said.suspected,
            said.to_bytes().decode(),
        )
    ]


def _decisions(record: Record) -> list[Row]:
    said = Decision.from_bytes(value_of(record))
    return [
        (
            said.decision_id,
            said.account_id,
            said.rep_id,
            said.brief_id,
            said.verdict.value,
            said.rule.value,
            said.trigger.value if said.trigger else "",
            said.at_ms,
            said.until_ms,
            said.with_brief_id,
            said.subject,
            said.to_bytes().decode(),
        )
    ]


def _dead_letters(record: Record) -> list[Row]:
    said = DeadLetter.from_bytes(value_of(record))
    return [(said.dead_letter_id, said.stage.value, said.origin, said.reason, said.at_ms, said.payload)]


def _day(unix_ms: int) -> date:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).date()


TABLES: dict[str, Table] = {
    topics.EVENTS.name: EVENTS,
    topics.IDENTIFIED.name: Table(
        "identified",
        ("visitor_id", "contact_id", "account_id", "method", "confidence", "evidence", "valid_from", "valid_until",
         "withdrawn", "recorded", "message"),
        _identified,
    ),
    topics.ACTIVITY.name: Table(
        "activity",
        ("account_id", "visitor_id", "site", "event_id", "contact_id", "known", "stitched", "type", "occurred",
         "page_view_id", "url", "active_ms", "beat_ms", "recorded"),
        _activity,
    ),
    topics.INTEREST.name: Table(
        "interest",
        ("account_id", "day", "as_of", "told", "temperature", "score", "buying_stage", "reasons", "topics", "readers",
         "unknown_visitors", "missing_functions", "active_ms_last_7_days", "active_ms_prior_7_days", "trend",
         "usual_week_ms", "silent_days", "cools", "message"),
        _interest,
    ),
    topics.BRIEFS.name: Table(
        "briefs",
        ("brief_id", "account_id", "rep_id", "language", "decided", "trigger_kind", "trigger_met", "trigger_url",
         "topics", "temperature", "score", "lifecycle", "hand_over", "handed_over_by", "reads", "message"),
        _briefs,
    ),
    topics.DELIVERIES.name: Table(
        "deliveries",
        ("delivery_id", "rep_id", "channel", "brief_ids", "account_ids", "released", "message"),
        _deliveries,
    ),
    topics.OUTCOMES.name: Table(
        "outcomes",
        ("outcome_id", "delivery_id", "rep_id", "channel", "brief_ids", "account_ids", "kind", "at", "attempts",
         "reason", "target", "text", "url", "suspected", "message"),
        _outcomes,
    ),
    topics.DECISIONS.name: Table(
        "decisions",
        ("decision_id", "account_id", "rep_id", "brief_id", "verdict", "rule", "trigger_kind", "at", "until",
         "with_brief_id", "subject", "message"),
        _decisions,
    ),
    topics.DEAD_LETTERS.name: Table(
        "dead_letters", ("dead_letter_id", "stage", "origin", "reason", "at", "payload"), _dead_letters
    ),
    topics.DIRECTORY.name: DIRECTORY,
}  # fmt: skip


def rows(record: Record) -> tuple[Table, list[Row]]:
    """Return the table and the rows of a record of any topic that has a table.

    Raises:
        pydantic.ValidationError: the value is no message of its topic.
        UnreadableRecordError: the record has no value, or no key, where it needs one.
        KeyError: the topic has no table.
    """
    table = TABLES[record.topic]
    return table, table.rows(record)
