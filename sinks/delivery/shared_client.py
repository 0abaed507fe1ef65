"""A connection to ClickHouse that the threads of delivery share."""

import threading
from typing import Any, ClassVar, Self

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from schemas.errors import UnavailableError
from schemas.settings import Settings
from sinks.clickhouse.client import connect


class SharedClient:
    """One statement at a time; whatever goes wrong with it means that ClickHouse does not serve."""

    what: ClassVar[str]
    """What ClickHouse is asked for, in words."""

    def __init__(self, client: Client) -> None:
        """Take a connection of its own to the database that has the tables."""
        self._client = client
        self._lock = threading.Lock()

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Connect.

        Raises:
            UnavailableError: ClickHouse does not answer.
            InputError: it refuses the login or has no such database.
        """
        return cls(connect(settings))

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._client.disconnect()

    def _execute(self, statement: str, data: Any, options: dict[str, int] | None = None) -> Any:
        try:
            with self._lock:
                return self._client.execute(statement, data, settings=options)
        except (Error, OSError, EOFError) as error:
            reason = " ".join(str(error).split())[:300]
            raise UnavailableError(f"ClickHouse does not serve {self.what}: {reason}") from error
