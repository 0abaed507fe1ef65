"""Writes records into ClickHouse, table by table; what can't be read becomes a dead letter."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from clickhouse_driver import Client
from pydantic import ValidationError

from schemas import topics
from schemas.dead_letter import DeadLetter, DeadLetterStage
from schemas.errors import InputError
from schemas.message import first_error
from sinks.clickhouse import rows
from sinks.clickhouse.table import Row, Table, UnreadableRecordError
from sinks.consumer import Record

_log = structlog.get_logger()

ROWS_PER_INSERT = 20_000

Publish = Callable[[str, bytes | None, bytes | None], None]
"""Puts key and value on a topic, and returns once they are durable."""


@dataclass
class Reading:
    """What records turned out to be."""

    rows: dict[Table, list[Row]] = field(default_factory=dict)
    readable: list[Record] = field(default_factory=list)
    unreadable: list[tuple[Record, str]] = field(default_factory=list)
    unreadable_in_a_row: int = 0


def read_all(records: Sequence[Record], unreadable_before: int, limit: int) -> Reading:
    """Make rows of records, and set aside those that can't be read.

    Args:
        records: Of any topics that have tables.
        unreadable_before: So many records in a row could not be read just before these.
        limit: So many in a row are too many.

    Raises:
        InputError: more than `limit` in a row can't be read: the program is wrong, not the records.
    """
    reading = Reading(unreadable_in_a_row=unreadable_before)
    for record in records:
        try:
            table, made = rows.rows(record)
        except (ValidationError, UnreadableRecordError) as error:
            reason = first_error(error) if isinstance(error, ValidationError) else str(error)
            reading.unreadable.append((record, reason))
            reading.unreadable_in_a_row += 1
            if reading.unreadable_in_a_row > limit:
                raise InputError(
                    f"{reading.unreadable_in_a_row} records in a row can't be read, the last one {record.origin} "
                    f"({reason}): stopped, as this version may be the fault; READBRIEF_DEAD_LETTER_LIMIT says how "
                    "many become dead letters before that"
                ) from error
        else:
            reading.unreadable_in_a_row = 0
            reading.readable.append(record)
            reading.rows.setdefault(table, []).extend(made)
    return reading


class Writer:
    """Inserts batches of records, in the order given; twice the same is once."""

    def __init__(self, client: Client, publish: Publish, dead_letter_limit: int) -> None:
        self._client = client
        self._publish = publish
        self._limit = dead_letter_limit
        self._unreadable_in_a_row = 0

    def write(self, records: Sequence[Record], now_ms: int) -> list[Record]:
        """Insert the records' rows, publish what can't be read as dead letters, and return the readable records.

        Raises:
            InputError: too many in a row can't be read; then none of these is written or published.
        """
        if not records:
            return []
        began = time.monotonic()
        reading = read_all(records, self._unreadable_in_a_row, self._limit)
        for table, made in reading.rows.items():
            for start in range(0, len(made), ROWS_PER_INSERT):
                self._client.execute(table.insert, made[start : start + ROWS_PER_INSERT])
        for record, reason in reading.unreadable:
            self._set_aside(record, reason, now_ms)
        self._unreadable_in_a_row = reading.unreadable_in_a_row
        _log.info(
            "clickhouse_written",
            records=len(records),
            rows={table.name: len(made) for table, made in reading.rows.items()},
            unreadable=len(reading.unreadable),
            seconds=round(time.monotonic() - began, 3),
        )
        return reading.readable

    def _set_aside(self, record: Record, reason: str, now_ms: int) -> None:
        if record.topic == topics.DEAD_LETTERS.name:
            # A dead letter of a dead letter would come back here; it stays in its topic.
            _log.error("dead_letter_unreadable", origin=record.origin, reason=reason)
            return
        letter = DeadLetter.of(DeadLetterStage.clickhouse, record.origin, reason, record.value or b"", now_ms)
        self._publish(topics.DEAD_LETTERS.name, None, letter.to_bytes())
        _log.warning("record_unreadable", origin=record.origin, reason=reason)
