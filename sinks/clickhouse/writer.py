"""Writes records into ClickHouse, column by column; what can't be read or stored becomes a dead letter."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from clickhouse_driver import Client
from pydantic import ValidationError

from schemas import topics
from schemas.dead_letter import DeadLetter, DeadLetterStage
from schemas.errors import InputError
from schemas.message import first_error
from sinks.clickhouse import metrics, rows
from sinks.clickhouse.inserting import insert_all
from sinks.clickhouse.table import Row, Table, UnreadableRecordError
from sinks.consumer import Record

_log = structlog.get_logger()

Publish = Callable[[str, bytes | None, bytes | None], None]
"""Puts key and value on a topic, and returns once they are durable."""

_Unreadable = (ValidationError, UnreadableRecordError)


@dataclass
class Batch:
    """Rows for one table, each with the record that it came from."""

    rows: list[Row] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)


@dataclass
class Reading:
    """What records turned out to be."""

    batches: dict[Table, Batch] = field(default_factory=dict)
    readable: list[Record] = field(default_factory=list)
    unreadable: list[tuple[Record, str]] = field(default_factory=list)
    unreadable_in_a_row: int = 0

    def take(self, record: Record) -> None:
        """Make rows of a record, or of those of its parts that can be read."""
        try:
            table, made = rows.rows(record)
        except _Unreadable as error:
            self._take_parts(record, error)
        else:
            self.unreadable_in_a_row = 0
            self.readable.append(record)
            self._put(table, made, record)

    def _take_parts(self, record: Record, error: ValidationError | UnreadableRecordError) -> None:
        table = rows.TABLES[record.topic]
        split = table.parts(record) if table.parts else [record]
        if len(split) < 2:  # noqa: PLR2004 - it is all there is of it
            self._refuse(record, error)
            return
        for part in split:
            try:
                made = table.rows(part)
            except _Unreadable as part_error:
                self._refuse(part, part_error)
            else:
                self.unreadable_in_a_row = 0
                self._put(table, made, part)

    def _put(self, table: Table, made: list[Row], record: Record) -> None:
        batch = self.batches.setdefault(table, Batch())
        batch.rows += made
        batch.records += [record] * len(made)

    def _refuse(self, record: Record, error: ValidationError | UnreadableRecordError) -> None:
        reason = first_error(error) if isinstance(error, ValidationError) else str(error)
        self.unreadable.append((record, reason))
        self.unreadable_in_a_row += 1


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
        reading.take(record)
        if reading.unreadable_in_a_row > limit:
            last, reason = reading.unreadable[-1]
            raise InputError(
                f"{reading.unreadable_in_a_row} records in a row can't be read, the last one {last.origin} "
                f"({reason}): stopped, as this version may be the fault; READBRIEF_DEAD_LETTER_LIMIT says how "
                "many become dead letters before that"
            )
    return reading


class Writer:
    """Inserts batches of records, in the order given; twice the same is once."""

    def __init__(self, client: Client, publish: Publish, dead_letter_limit: int) -> None:
        self._client = client
        self._publish = publish
        self._limit = dead_letter_limit
        self._unreadable_in_a_row = 0

    def use(self, client: Client) -> None:
        """Insert by another connection from now on."""
        self._client = client

    def write(self, records: Sequence[Record], now_ms: int) -> list[Record]:
        """Insert the records' rows, publish what can't be read or stored as dead letters; return the readable records.

        Raises:
            InputError: too many in a row can't be read; then none of these is written or published. Or ClickHouse
                refuses too many rows; then none of these is published.
            UnavailableError: ClickHouse does not answer, or has no room now.
        """
        if not records:
            return []
        with _uncollected():
            return self._write(records, now_ms)

    def _write(self, records: Sequence[Record], now_ms: int) -> list[Record]:
        began = time.monotonic()
        reading = read_all(records, self._unreadable_in_a_row, self._limit)
        refused: list[tuple[Record, str]] = []
        for table, batch in reading.batches.items():
            found = insert_all(self._client, table, batch.rows, self._limit)
            refused += [(_alone(table, batch, place), reason) for place, reason in found]
        for record, reason in [*reading.unreadable, *refused]:
            self._set_aside(record, reason, now_ms)
        self._unreadable_in_a_row = reading.unreadable_in_a_row
        _log.info(
            "clickhouse_written",
            records=len(records),
            rows={table.name: len(batch.rows) for table, batch in reading.batches.items()},
            unreadable=len(reading.unreadable),
            refused=len(refused),
            seconds=round(time.monotonic() - began, 3),
        )
        self._count(reading, len(refused), time.monotonic() - began)
        return reading.readable

    @staticmethod
    def _count(reading: Reading, refused: int, seconds: float) -> None:
        for table, batch in reading.batches.items():
            metrics.ROWS.labels(table.name).inc(len(batch.rows))
        metrics.DEAD_LETTERS.inc(len(reading.unreadable) + refused)
        metrics.WRITE_SECONDS.observe(seconds)

    def _set_aside(self, record: Record, reason: str, now_ms: int) -> None:
        if record.topic == topics.DEAD_LETTERS.name:
            # A dead letter of a dead letter would come back here; it stays in its topic.
            _log.error("dead_letter_unreadable", origin=record.origin, reason=reason)
            return
        letter = DeadLetter.of(DeadLetterStage.clickhouse, record.origin, reason, record.value or b"", now_ms)
        self._publish(topics.DEAD_LETTERS.name, None, letter.to_bytes())
        _log.warning("record_unreadable", origin=record.origin, reason=reason)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from looking for cycles among a batch's many small values: there are none, and it takes a third.

    The batch is gone before it looks again, or it would look through all of it then.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _alone(table: Table, batch: Batch, place: int) -> Record:
    """Return the record of one row: the part of it that made the row, if it made several."""
    record = batch.records[place]
    if table.parts is None:
        return record
    first = next(i for i in range(place, -1, -1) if i == 0 or batch.records[i - 1] is not record)
    split = table.parts(record)
    return split[place - first] if place - first < len(split) else record
