"""Inserts rows by columns; of rows that ClickHouse refuses, those alone stay out that are at fault."""

from collections.abc import Sequence
from typing import Final

from clickhouse_driver import Client
from clickhouse_driver.errors import (
    ErrorCodes,
    NetworkError,
    PartiallyConsumedQueryError,
    ServerException,
    SocketTimeoutError,
    TypeMismatchError,
)

from schemas.errors import InputError, UnavailableError
from sinks.clickhouse.table import Row, Table

ROWS_PER_INSERT = 20_000

INSERT_SETTINGS: Final = {
    # Rows come in the order of their time; a batch after a long absence, or a replay, may hold those of many months.
    "max_partitions_per_insert_block": 0,
    # Copies are put together as parts are merged, and who reads leaves them out; to look for them here takes long.
    "optimize_on_insert": 0,
}
# What ClickHouse answers if a value is wrong, where the same insert without that row would go in.
_ROWS_FAULT: Final = frozenset(
    {
        ErrorCodes.ARGUMENT_OUT_OF_BOUND,
        ErrorCodes.BAD_ARGUMENTS,
        ErrorCodes.CANNOT_CONVERT_TYPE,
        ErrorCodes.CANNOT_PARSE_TEXT,
        ErrorCodes.INCORRECT_DATA,
        ErrorCodes.TOO_LARGE_STRING_SIZE,
        ErrorCodes.TYPE_MISMATCH,
        ErrorCodes.VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE,
        469,  # VIOLATED_CONSTRAINT, which the driver has no name for
    }
)
# What it answers when it can't take anything at present, and may a little later.
_NOT_NOW: Final = frozenset(
    {
        ErrorCodes.KEEPER_EXCEPTION,
        ErrorCodes.MEMORY_LIMIT_EXCEEDED,
        ErrorCodes.NETWORK_ERROR,
        ErrorCodes.NO_ZOOKEEPER,
        ErrorCodes.NOT_ENOUGH_SPACE,
        ErrorCodes.SOCKET_TIMEOUT,
        ErrorCodes.TABLE_IS_READ_ONLY,
        ErrorCodes.TIMEOUT_EXCEEDED,
        285,  # TOO_FEW_LIVE_REPLICAS
        ErrorCodes.TOO_MANY_PARTS,
        ErrorCodes.TOO_MANY_SIMULTANEOUS_QUERIES,
        ErrorCodes.UNKNOWN_STATUS_OF_INSERT,
    }
)


class _RefusedRowsError(Exception):
    """ClickHouse, or the driver before it, refuses rows for what is in them."""


def insert_all(client: Client, table: Table, rows: Sequence[Row], limit: int) -> list[tuple[int, str]]:
    """Insert rows, and return the places of those that ClickHouse refuses, each with the reason.

    Raises:
        UnavailableError: ClickHouse does not answer, or takes nothing at present.
        InputError: it refuses more than `limit` rows: the program is wrong, not the rows.
        clickhouse_driver.errors.Error: it refuses the insert whatever is in it.
    """
    refused: list[tuple[int, str]] = []
    waiting = [(start, min(start + ROWS_PER_INSERT, len(rows))) for start in range(0, len(rows), ROWS_PER_INSERT)][::-1]
    while waiting:
        start, end = waiting.pop()
        try:
            _insert(client, table, rows[start:end])
        except _RefusedRowsError as error:
            if end - start > 1:
                middle = (start + end) // 2
                waiting += [(middle, end), (start, middle)]
                continue
            refused.append((start, str(error)))
            if len(refused) > limit:
                raise InputError(
                    f"ClickHouse refuses more than {limit} rows for {table.name}, because of {error}: "
                    "stopped, as this version may be the fault; READBRIEF_DEAD_LETTER_LIMIT says how many become "
                    "dead letters before that"
                ) from error
    return refused


def _insert(client: Client, table: Table, rows: Sequence[Row]) -> None:
    statement, columns = table.statement(rows)
    try:
        client.execute(statement, columns, columnar=True, settings=INSERT_SETTINGS)
    except ServerException as error:
        if error.code in _ROWS_FAULT:
            raise _RefusedRowsError(_line(error.message)) from error
        if error.code in _NOT_NOW:
            raise UnavailableError(f"ClickHouse takes no rows for {table.name} now: {_line(error.message)}") from error
        raise
    except (NetworkError, SocketTimeoutError, PartiallyConsumedQueryError, EOFError, OSError) as error:
        client.disconnect()
        raise UnavailableError(f"ClickHouse went away while it was written to: {error!r}") from error
    except (TypeMismatchError, UnicodeEncodeError, OverflowError, AttributeError) as error:
        # The driver could not write a value down; what was sent of the block is nothing to go on with.
        client.disconnect()
        raise _RefusedRowsError(_line(str(error))) from error


def _line(text: str) -> str:
    return " ".join(text.partition("Stack trace:")[0].split())[:500]
