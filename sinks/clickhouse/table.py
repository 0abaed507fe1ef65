"""What a topic's messages become: the table's name, its columns, and the function from a record to rows."""

from collections.abc import Callable, Iterable, Sequence
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
    splits such a record into records that stand alone, so that one bad part does not cost the others. Where
    `blank_by_default`, the table holds in a column that an insert doesn't name what Python holds to be false: an empty
    string, nought, an empty map.
    """

    name: str
    columns: tuple[str, ...]
    rows: Callable[[Record], list[Row]]
    parts: Callable[[Record], list[Record]] | None = None
    blank_by_default: bool = False

    @property
    def insert(self) -> str:
        """The statement that takes its rows."""
        return self._insert(self.columns)

    def statement(self, rows: Sequence[Row]) -> tuple[str, list[tuple[Any, ...]]]:
        """Return what inserts rows, at least one, and the columns it is given.

        Of many events none has a form's fields or an email's campaign: columns in which no row says anything are not
        sent, where the table knows what stands there then.
        """
        columns = list(zip(*rows, strict=True))
        if not self.blank_by_default:
            return self.insert, columns
        said = [(name, column) for name, column in zip(self.columns, columns, strict=True) if any(column)]
        return self._insert(name for name, _ in said), [column for _, column in said]

    def _insert(self, columns: Iterable[str]) -> str:
        return f"INSERT INTO {self.name} ({', '.join(columns)}) VALUES"


def value_of(record: Record) -> bytes:
    """Return a record's value. Raises UnreadableRecordError if it has none."""
    if record.value is None:
        raise UnreadableRecordError("the record has no value")
    return record.value
