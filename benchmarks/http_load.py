"""Load on a collector, from a process of its own: `python -m benchmarks.http_load JSON` prints one JSON line."""

import asyncio
import json
import sys
from dataclasses import dataclass, field
from typing import cast

import uvloop

from benchmarks.reports import request_parts


@dataclass
class Load:
    """How many requests were answered with what, and how long each took in milliseconds."""

    statuses: dict[str, int] = field(default_factory=dict)
    took_ms: list[float] = field(default_factory=list)


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, load: Load) -> None:
        """Count into a load."""
        self._load = load
        self._answered: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)  # asyncio's signature can't say so

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request under way."""
        if self._answered and not self._answered.done():
            self._answered.set_exception(exc or ConnectionResetError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        """Take an answer, which is small enough to come in one piece."""
        status = data[9:12].decode()
        self._load.statuses[status] = self._load.statuses.get(status, 0) + 1
        if self._answered and not self._answered.done():
            self._answered.set_result(None)

    async def ask(self, head: bytes, visitor: bytes, tail: bytes, due_s: float) -> None:
        """Send one request and wait for its answer; its time counts from when it was due."""
        loop = asyncio.get_running_loop()
        self._answered = loop.create_future()
        assert self._transport is not None  # noqa: S101 - connected before it is asked
        self._transport.write(head + visitor + tail)
        await self._answered
        self._load.took_ms.append((loop.time() - due_s) * 1000)


async def run(port: int, connections: int, seconds: float, visitors: int, per_s: float) -> Load:
    """Ask for so many seconds: as fast as the server answers, or, if a rate is given, when each request is due."""
    loop = asyncio.get_running_loop()
    load = Load()
    head, tail = request_parts(port)
    count = 0
    # Connected before the time begins: what is measured are answers, not how hundreds of connections are taken at once.
    made = [await loop.create_connection(lambda: Connection(load), "127.0.0.1", port) for _ in range(connections)]
    begin_s = loop.time()
    end_s = begin_s + seconds

    async def work(connection: Connection) -> None:
        nonlocal count
        while loop.time() < end_s:
            number = count
            count += 1
            due_s = loop.time()
            if per_s:
                due_s = begin_s + number / per_s
                await asyncio.sleep(due_s - loop.time())
            visitor = f"{number * 7919 % visitors:012d}".encode()
            await connection.ask(head, visitor, tail, due_s)

    await asyncio.gather(*(work(connection) for _, connection in made))
    return load


def main() -> None:
    """Run what the argument says."""
    given = json.loads(sys.argv[1])
    load = uvloop.run(run(**given))
    took = sorted(load.took_ms)
    result = {
        "per_s": len(took) / given["seconds"],
        "statuses": load.statuses,
        "p50_ms": took[len(took) // 2],
        "p99_ms": took[len(took) * 99 // 100],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
