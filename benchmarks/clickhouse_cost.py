"""What a query costs: the shortest of several times, and what ClickHouse itself counts of it."""

import time
from collections.abc import Callable
from typing import NamedTuple

from clickhouse_driver import Client

REPEATS, LONG_S, MOST_REPEATS = 9, 1.0, 60
"""A quick query is asked again until that was long enough to meet a quiet moment of the machine."""
_COUNTS = """
    SELECT sumIf(value, event = 'SelectedRows'), sumIf(value, event = 'SelectedBytes'),
           sumIf(value, event = 'OSCPUVirtualTimeMicroseconds')
    FROM system.events
"""


class Cost(NamedTuple):
    """Seconds on the clock and of the server's processors, and rows and bytes (unpacked) read from tables."""

    seconds: float
    cpu_seconds: float
    rows: int
    size_bytes: int

    def __str__(self) -> str:
        """Say it in a line."""
        return (
            f"{self.rows:,} rows, {self.size_bytes / 1e6:.1f} MB, {1000 * self.seconds:.1f} ms "
            f"({1000 * self.cpu_seconds:.1f} ms of CPU)"
        )


def cost_of(client: Client, query: Callable[[Client], object]) -> Cost:
    """Ask several times, and return the least; nobody else may ask the server anything meanwhile."""
    took: list[float] = []
    idle: list[list[int]] = []
    asked: list[list[int]] = []
    began = time.perf_counter()
    while len(took) < REPEATS or (len(took) < MOST_REPEATS and time.perf_counter() - began < LONG_S):
        first, second = _counted(client), _counted(client)
        before = time.perf_counter()
        query(client)
        took.append(time.perf_counter() - before)
        idle.append(_between(first, second))
        asked.append(_between(second, _counted(client)))
    # What counting itself costs is taken off.
    rows, size_bytes, cpu_us = (most - least for most, least in zip(_least(asked), _least(idle), strict=True))
    return Cost(min(took), cpu_us / 1e6, rows, size_bytes)


def _least(counts: list[list[int]]) -> list[int]:
    return [min(values) for values in zip(*counts, strict=True)]


def _between(before: list[int], after: list[int]) -> list[int]:
    return [later - earlier for earlier, later in zip(before, after, strict=True)]


def _counted(client: Client) -> list[int]:
    (counts,) = client.execute(_COUNTS)
    return [int(count) for count in counts]
