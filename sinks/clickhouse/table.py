"""What a topic's messages become: the table's name, its columns, and the function from a record to rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sinks.consumer import Record

Row = tuple[Any, ...]


class UnreadableRecordError(Exception):
    """A record without what its topic promises."""


@dataclass(frozen=True)
class Table:
    """A ClickHouse table that one topic fills.

    `rows` is pure, and raises pydantic.ValidationError or UnreadableRecordError for a record it can't read. `parts`
    splits such a record into records that stand alone, so that one bad part does not cost the others.
    """

    name: str
    columns: tuple[str, ...]
    rows: Callable[[Record], list[Row]]
    parts: Callable[[Record], list[Record]] | None = None

    @property
    def insert(self) -> str:
        """The statement that takes its rows."""
        return f"INSERT INTO {self.name} ({', '.join(self.columns)}) VALUES"


def value_of(record: Record) -> bytes:
    """Return a record's value. Raises UnreadableRecordError if it has none."""
    if record.value is None:
        raise UnreadableRecordError("the record has no value")
    return record.value
