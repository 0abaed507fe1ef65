"""What the collector's endpoints share, built once by the process."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from producers.bundling import Bundler
from producers.collector.aws_fetch import fetch
from producers.collector.dead_letters import DeadLetters
from producers.collector.keeping import Keeping, Kept
from producers.collector.rates import RateLimiter
from producers.collector.replays import Replays
from producers.revocations import Revocations
from producers.senders.sns import Certificates
from schemas.delivery import Outcome
from schemas.errors import UnavailableError
from schemas.settings import Settings

_REMEMBERED = 10_000


@dataclass(frozen=True)
class Collector:
    """The parts an endpoint works with.

    `slot_of` tells where a visitor's events go, `accepts` whether events can be kept now (it may block for a second),
    `now_ms` the time; `script` is the snippet; on `metrics_port`, if there is one, Prometheus asks. `keeping` is
    started and stopped with the application. `overlay` tells, by a signed token, what is drawn over a page.
    """

    settings: Settings
    bundler: Bundler[Any]
    dead_letters: DeadLetters
    slot_of: Callable[[str], Any]
    accepts: Callable[[], bool]
    now_ms: Callable[[], int]
    script: bytes
    keeping: Keeping | None = None
    client_rates: RateLimiter = field(default_factory=lambda: RateLimiter(0))
    visitor_rates: RateLimiter = field(default_factory=lambda: RateLimiter(0))
    metrics_port: int | None = None
    replays: Replays = field(default_factory=Replays)
    fetch_from_aws: Callable[[str], bytes] = fetch
    revocations: Revocations = field(default_factory=Revocations)
    overlay: Callable[[str], bytes] | None = None
    background: set[asyncio.Task[None]] = field(default_factory=set)

    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def keep_outcome(self, outcome: Outcome) -> Kept:
        """Send what a rep did or said; the future is done once it is kept for good.

        Raises:
            UnavailableError: there is nothing that keeps.
        """
        if self.keeping is None:
            raise UnavailableError("nothing keeps outcomes here")
        return self.keeping.keep_outcome(outcome)

    def first_seen(self, outcome_id: str) -> bool:
        """Say whether an opening or click is none of the last that this process has seen."""
        if outcome_id in self._seen:
            return False
        self._seen[outcome_id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True

    @cached_property
    def certificates(self) -> Certificates:
        """Amazon's certificates, by their addresses."""
        return Certificates(self.fetch_from_aws)

    @cached_property
    def origins(self) -> frozenset[str]:
        """The origins of all sites."""
        return frozenset(origin for site in self.settings.sites.values() for origin in site.origins)

    async def drain(self) -> None:
        """Return when everything accepted is kept for good, or is known to be lost."""
        while self.background:
            await asyncio.wait(tuple(self.background))
        await self.bundler.drain()
        if self.keeping:
            await self.keeping.stop()
