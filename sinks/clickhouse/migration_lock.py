"""A lock in ClickHouse, which has none: who claims and then sees no other claim, holds it.

A claim is inserted first and looked for second. Of two that claim at once, the one that looks later sees the other,
so they never both hold it; both may see each other, and then both step back and try again after unequal pauses. A claim
ends by itself after a while, so that who died with it does not keep the others out for good; whoever migrates for
longer renews it before each statement.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_driver import Client

from schemas.errors import UnavailableError
from sinks.clickhouse.ddl import on_cluster

LEASE_S = 600
_PAUSE_S = 0.2

_TABLE = """CREATE TABLE IF NOT EXISTS migration_lock
(
    holder String,
    version UInt64,
    expires DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version)
ORDER BY holder"""
_LIVE = "SELECT holder FROM migration_lock FINAL WHERE expires > now64(3)"
# On a cluster every replica of the majority has the claim before another one can look.
_STRICT = {"insert_quorum": "auto", "insert_quorum_parallel": 0, "select_sequential_consistency": 1}


class MigrationLock:
    """One holder's claims."""

    def __init__(self, client: Client, cluster: str = "") -> None:
        """Make the table if it is missing."""
        client.execute(on_cluster(_TABLE, cluster) if cluster else _TABLE)
        self._client = client
        self._settings = _STRICT if cluster else {}
        self._holder = secrets.token_hex(8)
        self._version = 0

    @contextmanager
    def held(self, timeout_s: float) -> Iterator[None]:
        """Hold the lock inside the block.

        Raises:
            UnavailableError: another process holds it for longer than the timeout.
        """
        deadline = time.monotonic() + timeout_s
        while not self._try():
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"another process has been migrating ClickHouse for {timeout_s:g} s; if it died, its claim ends "
                    f"within {LEASE_S} s"
                )
            # Unequal by chance, so that two who step back do not meet again.
            threading.Event().wait(_PAUSE_S * (1 + secrets.randbelow(100) / 50))
        try:
            yield
        finally:
            self._claim(0)

    def renew(self) -> None:
        """Put the claim's end off."""
        self._claim(LEASE_S)

    def _try(self) -> bool:
        if self._others():
            return False
        self._claim(LEASE_S)
        if not self._others():
            return True
        self._claim(0)
        return False

    def _others(self) -> bool:
        live = {holder for (holder,) in self._client.execute(_LIVE, settings=self._settings)}
        return bool(live - {self._holder})

    def _claim(self, lease_s: int) -> None:
        self._version += 1
        self._client.execute(
            "INSERT INTO migration_lock (holder, version, expires) "
            f"SELECT '{self._holder}', {self._version}, now64(3) + toIntervalSecond({lease_s})",
            settings=self._settings,
        )
