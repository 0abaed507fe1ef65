"""Asks ClickHouse from many threads: a few connections, each used by one thread at a time."""

import queue
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from clickhouse_driver import Client
from clickhouse_driver.errors import NetworkError, SocketTimeoutError

from schemas.errors import UnavailableError
from schemas.settings import Settings
from sinks.clickhouse.client import connect

Row = dict[str, Any]

_KEPT = 4


class Store:
    """Connections to ClickHouse; one that failed is not used again."""

    def __init__(self, settings: Settings) -> None:
        """Connect to nothing yet."""
        self._settings = settings
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue(_KEPT)

    def ask(self, sql: str, given: Mapping[str, Any]) -> list[Row]:
        """Return a query's rows by the names of their columns; values are bound, never pasted.

        Raises:
            UnavailableError: ClickHouse does not answer.
        """
        with self.client() as client:
            rows, columns = client.execute(sql, dict(given), with_column_types=True)
        names = [name for name, _ in columns]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def insert(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows, and return once they are there.

        Raises:
            UnavailableError: ClickHouse does not answer.
        """
        with self.client() as client:
            client.execute(sql, list(rows))

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Lend a connection.

        Raises:
            UnavailableError: ClickHouse does not answer.
        """
        try:
            client = self._idle.get_nowait()
        except queue.Empty:
            client = connect(self._settings)
        try:
            yield client
        except (NetworkError, SocketTimeoutError, EOFError, OSError) as error:
            client.disconnect()
            raise UnavailableError(f"ClickHouse does not answer: {error!r}") from error
        except BaseException:
            client.disconnect()  # an answer may be half read
            raise
        try:
            self._idle.put_nowait(client)
        except queue.Full:
            client.disconnect()

    def close(self) -> None:
        """End the connections that nobody uses."""
        while True:
            try:
                self._idle.get_nowait().disconnect()
            except queue.Empty:
                return
