"""Kafka first, the spool while it is away: whoever sends hears as soon as one of them has the message for good.

The order of messages is kept. Once a message had to go to the spool, later ones follow it there, until the spool is
empty again. What was under way then is spooled too, so it may come twice: readers join, and do not mind.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

import structlog

from producers.metrics import KAFKA_AWAY, SPOOL_BYTES, SPOOL_FULL, SPOOL_REFUSED, SPOOLED, UNSPOOLED
from producers.spool import Spool, SpoolFullError
from producers.spool_records import SpoolRecord
from schemas.errors import UnavailableError

PATIENCE_S = 0.3
MOST_PATIENCE_S = 2.0
RETRY_S = 0.25
ADOPT_EVERY_S = 5.0

_BATCH_RECORDS = 64
_HOLD_BYTES = 256 * 1024
_STOP_WAIT_S = 3.0

_log = structlog.get_logger()

ToKafka = Callable[[SpoolRecord], Sequence[asyncio.Future[Any]]]


class _Order(NamedTuple):
    record: SpoolRecord
    done: asyncio.Future[None]


class SpooledSending:
    """Sends records to Kafka, by way of the spool where it must. Belongs to one event loop.

    `to_kafka` hands a record over without blocking; it may become several messages. Raises UnavailableError if it
    can't even be addressed.
    """

    def __init__(self, to_kafka: ToKafka, spool: Spool, patience_s: float = PATIENCE_S) -> None:
        """Start with Kafka, unless something waits in the spool already."""
        self._to_kafka = to_kafka
        self._spool = spool
        self._patience_s = patience_s
        self._under_way: dict[int, _Order] = {}
        self._next = 0
        self._acknowledged_s = float("-inf")
        self._spooling = False
        self._held: list[_Order] | None = None
        self._draining: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsettled: set[asyncio.Future[None]] = set()

    def start(self) -> None:
        """Begin to bring to Kafka what waits already, and to look after what dead workers leave."""
        self._run(self._look_after())
        if self._spool.backlog_bytes:
            self._begin_spooling()

    def send(self, record: SpoolRecord) -> asyncio.Future[None]:
        """Hand over a record; the future is done when Kafka or the disk has it, or fails with UnavailableError."""
        order = _Order(record, asyncio.get_running_loop().create_future())
        self._unsettled.add(order.done)
        order.done.add_done_callback(self._unsettled.discard)
        if self._held is not None:
            self._held.append(order)
        elif self._spooling:
            self._keep([order])
        else:
            self._try(order)
        return order.done

    def accepts(self) -> bool:
        """Say whether a record would be kept now, were Kafka away."""
        return self._spool.accepts()

    async def stop(self) -> None:
        """Return when everything sent is settled; give the spool a moment to become empty, and leave it if it can't."""
        while self._unsettled:
            await asyncio.wait(tuple(self._unsettled))
        if self._draining:
            await asyncio.wait([self._draining], timeout=_STOP_WAIT_S)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _try(self, order: _Order) -> None:
        loop = asyncio.get_running_loop()
        self._next += 1
        number = self._next
        self._under_way[number] = order
        try:
            sent = self._to_kafka(order.record)
        except UnavailableError:
            self._fall_back()
            return
        remaining = len(sent)

        def settled(future: asyncio.Future[Any]) -> None:
            nonlocal remaining
            remaining -= 1
            problem = future.exception()
            if problem is not None or not remaining:
                self._settle(number, problem)

        for future in sent:
            future.add_done_callback(settled)
        loop.call_later(self._patience_s, self._lose_patience, number, sent, loop.time() + MOST_PATIENCE_S)

    def _settle(self, number: int, problem: BaseException | None) -> None:
        if isinstance(problem, UnavailableError) and number in self._under_way:
            self._fall_back()
            return
        order = self._under_way.pop(number, None)
        if order is not None and not order.done.done():
            if problem is None:
                self._acknowledged_s = asyncio.get_running_loop().time()
                order.done.set_result(None)
            else:
                order.done.set_exception(problem)

    def _lose_patience(self, number: int, sent: Sequence[asyncio.Future[Any]], give_up_s: float) -> None:
        """Take Kafka for gone if it acknowledges nothing at all; late is no reason, as long as it works."""
        if number not in self._under_way or all(future.done() for future in sent):
            return
        loop = asyncio.get_running_loop()
        silent_s = loop.time() - self._acknowledged_s
        if silent_s < self._patience_s and loop.time() < give_up_s:
            loop.call_later(self._patience_s - silent_s, self._lose_patience, number, sent, give_up_s)
        else:
            self._fall_back()

    def _fall_back(self) -> None:
        """Put everything under way on the disk, in its order, and all that comes after it."""
        orders = list(self._under_way.values())
        self._under_way.clear()
        self._begin_spooling()
        self._keep(orders)

    def _begin_spooling(self) -> None:
        if not self._spooling:
            self._spooling = True
            KAFKA_AWAY.set(1)
            _log.warning("spool_begins", waiting_bytes=self._spool.backlog_bytes)
            self._draining = self._run(self._drain())

    def _keep(self, orders: Sequence[_Order]) -> None:
        loop = asyncio.get_running_loop()
        for order in orders:
            kept = self._spool.append(order.record)
            kept.add_done_callback(partial(self._tell, loop, order.done))

    @staticmethod
    def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[None], kept: "Future[None]") -> None:
        loop.call_soon_threadsafe(_kept, done, kept.exception())

    async def _drain(self) -> None:
        """Bring the spool to Kafka until it is empty. What comes at the very end is held back for that moment.

        Holding begins only when Kafka has shown that it takes messages again, so nobody waits in vain.
        """
        proved = False
        while self._spool.backlog_bytes:
            if proved and self._held is None and self._spool.backlog_bytes < _HOLD_BYTES:
                self._held = []
            proved = await self._drain_batch()
            if not proved:
                held, self._held = self._held or [], None
                self._keep(held)
                await asyncio.sleep(RETRY_S)
        held, self._held = self._held or [], None
        self._spooling = False
        KAFKA_AWAY.set(0)
        _log.info("spool_empty")
        for order in held:
            if self._spooling:
                self._keep([order])
            else:
                self._try(order)

    async def _drain_batch(self) -> bool:
        taken = await asyncio.to_thread(self._spool.take, _BATCH_RECORDS)
        if taken.segment is None:
            await asyncio.sleep(0.002)  # the rest is on its way to the disk
            return True
        try:
            sent = [future for record in taken.records for future in self._to_kafka(record)]
            async with asyncio.timeout(None if self._held is None else self._patience_s):
                results = await asyncio.gather(*sent, return_exceptions=True)
        except (UnavailableError, TimeoutError):
            return False
        problems = [result for result in results if isinstance(result, BaseException)]
        if any(isinstance(problem, UnavailableError) for problem in problems):
            return False
        for problem in problems:  # Kafka will never take these; the rest must not wait behind them
            _log.error("spool_record_refused", file=taken.segment.path.name, problem=str(problem))
        await asyncio.to_thread(self._spool.forget, taken)
        UNSPOOLED.inc(len(taken.records))
        return True

    async def _look_after(self) -> None:
        last_s = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(0.5)
            SPOOL_BYTES.set(self._spool.backlog_bytes)
            SPOOL_FULL.set(not self._spool.accepts())
            if self._spooling and (self._draining is None or self._draining.done()):
                self._draining = self._run(self._drain())  # it failed for a reason that was logged
            if asyncio.get_running_loop().time() - last_s >= ADOPT_EVERY_S:
                last_s = asyncio.get_running_loop().time()
                if await asyncio.to_thread(self._spool.adopt):
                    self._begin_spooling()

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            _log.error("spool_task_failed", exc_info=problem)


def _kept(done: asyncio.Future[None], problem: BaseException | None) -> None:
    if isinstance(problem, SpoolFullError):
        SPOOL_REFUSED.inc()
    elif problem is None:
        SPOOLED.inc()
    if done.done():
        return
    if problem is None:
        done.set_result(None)
    else:
        done.set_exception(problem)
        done.exception()  # looked at: all who waited may have hung up
