"""What a query costs: the shortest of several times, and what it reads by ClickHouse's own count."""

import time
from collections.abc import Callable
from typing import NamedTuple

from clickhouse_driver import Client

REPEATS = 9
_COUNTS = "SELECT value FROM system.events WHERE event IN ('SelectedRows', 'SelectedBytes') ORDER BY event DESC"


class Cost(NamedTuple):
    """Seconds on the clock, and rows and bytes (unpacked) read from tables."""

    seconds: float
    rows: int
    size_bytes: int

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.rows:,} rows, {self.size_bytes / 1e6:.1f} MB, {1000 * self.seconds:.1f} ms"


def cost_of(client: Client, query: Callable[[Client], object]) -> Cost:
    """Ask several times, and return the cost; nobody else may ask the server anything meanwhile."""
    best = float("inf")
    for _ in range(REPEATS):
        began = time.perf_counter()
        query(client)
        best = min(best, time.perf_counter() - began)
    first, second = _counted(client), _counted(client)
    query(client)
    third = _counted(client)
    # What counting itself reads is taken off.
    rows, size_bytes = (
        after - before - (before - early) for early, before, after in zip(first, second, third, strict=True)
    )
    return Cost(best, rows, size_bytes)


def _counted(client: Client) -> list[int]:
    return [int(value) for (value,) in client.execute(_COUNTS)]
