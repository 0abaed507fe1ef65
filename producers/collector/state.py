"""What the collector's endpoints share, built once by the process."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from producers.bundling import Bundler
from producers.collector.dead_letters import DeadLetters
from schemas.settings import Settings


@dataclass(frozen=True)
class Collector:
    """The parts an endpoint works with.

    `partition_of` tells a visitor's partition, `reachable` whether Kafka is there (it may block for a second),
    `now_ms` the time; `script` is the snippet.
    """

    settings: Settings
    bundler: Bundler
    dead_letters: DeadLetters
    partition_of: Callable[[str], int]
    reachable: Callable[[], bool]
    now_ms: Callable[[], int]
    script: bytes
    background: set[asyncio.Task[None]] = field(default_factory=set)

    async def drain(self) -> None:
        """Return when everything accepted is acknowledged, or is known to be lost."""
        while self.background:
            await asyncio.wait(tuple(self.background))
        await self.bundler.drain()
