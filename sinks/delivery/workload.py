"""What one member of the delivery group has in hand: works through it side by side, holds back what isn't done."""

import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import ValidationError

from schemas import topics
from schemas.dead_letter import DeadLetter, DeadLetterStage
from schemas.delivery import Delivery, Outcome
from schemas.errors import InputError, ReadbriefError
from schemas.message import first_error
from sinks.consumer import Positions, Record
from sinks.delivery.deliver import Courier, Later
from sinks.delivery.ledger import Entry

_log = structlog.get_logger()

Publish = Callable[[str, bytes | None, bytes | None], None]
"""Puts key and value on a topic, and returns once they are durable."""

_Place = tuple[str, int, int]


@dataclass(frozen=True)
class _Task:
    """A delivery, with the record it came in."""

    record: Record
    delivery: Delivery

    @property
    def place(self) -> _Place:
        return self.record.topic, self.record.partition, self.record.offset


class _UnusableError(Exception):
    """A delivery that this code can't say or send, by a fault of its own."""


class Workload:
    """Takes records, delivers them, publishes outcomes; what isn't done within `budget_s` waits for the next call."""

    def __init__(self, courier: Courier, publish: Publish, pool: ThreadPoolExecutor, budget_s: float) -> None:
        self._courier = courier
        self._publish = publish
        self._pool = pool
        self._budget_s = budget_s
        self._waiting: dict[_Place, _Task] = {}
        self._not_before_s: dict[_Place, float] = {}
        self._refused_in_a_row = 0

    def handle(self, records: Sequence[Record], positions: Positions) -> Positions:
        """Deliver; return the offsets that must not be committed past.

        Raises:
            UnavailableError: the ledger can't be reached; what was sent is noted or will count as uncertain.
            InputError: too many records in a row can't be used.
        """
        # Another member has the partitions that are gone, or they will be read again from the committed position.
        self._waiting = {place: task for place, task in self._waiting.items() if place[:2] in positions}
        for record in records:
            self._take(record)
        self._not_before_s = {place: at_s for place, at_s in self._not_before_s.items() if place in self._waiting}
        if due := self._due(time.monotonic()):
            self._work(due)
        return self._held()

    def _take(self, record: Record) -> None:
        try:
            delivery = Delivery.from_bytes(record.value or b"")
        except ValidationError as error:
            self._set_aside(record, first_error(error))
        else:
            self._waiting[record.topic, record.partition, record.offset] = _Task(record, delivery)

    def _due(self, now_s: float) -> list[_Task]:
        """Return what may be tried now; a correction also waits as long as anything before it for its rep does."""
        due: list[_Task] = []
        behind: set[str] = set()
        for place, task in self._waiting.items():
            is_correction = any(brief.corrects for brief in task.delivery.briefs)
            if self._not_before_s.get(place, 0) > now_s:
                behind.add(task.delivery.rep_id)
            elif not (is_correction and task.delivery.rep_id in behind):
                due.append(task)
        return due

    def _work(self, due: list[_Task]) -> None:
        deadline = time.monotonic() + self._budget_s
        known = self._courier.ledger.standings({task.delivery.delivery_id for task in due})
        # What goes to one rep goes in order; so the same delivery, read twice, is not sent side by side either.
        by_rep: dict[str, list[_Task]] = {}
        for task in due:
            by_rep.setdefault(task.delivery.rep_id, []).append(task)
        lines = [self._pool.submit(self._deliver_all, tasks, known, deadline) for tasks in by_rep.values()]
        for task, result in _results(lines):
            if isinstance(result, _UnusableError):
                self._set_aside(task.record, str(result))
            else:
                self._publish(topics.OUTCOMES.name, result.rep_id.encode(), result.to_bytes())
                self._refused_in_a_row = 0
            del self._waiting[task.place]

    def _deliver_all(
        self, tasks: list[_Task], known: dict[str, Entry], deadline: float
    ) -> list[tuple[_Task, Outcome | _UnusableError]]:
        """Deliver one rep's tasks as far as the deadline allows; each comes back with what became of it."""
        results: list[tuple[_Task, Outcome | _UnusableError]] = []
        outcomes: dict[str, Outcome] = {}
        for task in tasks:
            if time.monotonic() > deadline or self._courier.stop.is_set():
                break
            delivery = task.delivery
            result = outcomes.get(delivery.delivery_id) or self._deliver(delivery, known.get(delivery.delivery_id))
            if isinstance(result, Outcome):
                outcomes[delivery.delivery_id] = result
            if isinstance(result, Later):
                self._not_before_s[task.place] = time.monotonic() + result.wait_s
            elif result is not None:
                results.append((task, result))
        return results

    def _deliver(self, delivery: Delivery, known: Entry | None) -> Outcome | Later | _UnusableError | None:
        try:
            return self._courier.deliver(delivery, known)
        except ReadbriefError:
            raise
        except Exception as error:  # noqa: BLE001 - one message must not stop all others; the dead letter keeps it
            # Where it happened, not what the error says: that may hold an address or a secret.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            _log.error("delivery_unusable", delivery_id=delivery.delivery_id, error=type(error).__name__, where=where)
            return _UnusableError(f"can't be delivered: {type(error).__name__} in {where}")

    def _set_aside(self, record: Record, reason: str) -> None:
        self._refused_in_a_row += 1
        if self._refused_in_a_row > self._courier.settings.dead_letter_limit:
            raise InputError(
                f"{self._refused_in_a_row} deliveries in a row can't be used, the last one {record.origin} ({reason}): "
                "stopped, as this version may be the fault; READBRIEF_DEAD_LETTER_LIMIT says how many become dead "
                "letters before that"
            )
        now_ms = self._courier.now_ms()
        letter = DeadLetter.of(DeadLetterStage.delivery, record.origin, reason, record.value or b"", now_ms)
        self._publish(topics.DEAD_LETTERS.name, None, letter.to_bytes())
        _log.warning("record_unreadable", origin=record.origin, reason=reason)

    def _held(self) -> Positions:
        held: dict[tuple[str, int], int] = {}
        for topic, partition, offset in self._waiting:
            held[topic, partition] = min(offset, held.get((topic, partition), offset))
        return held


def _results(
    lines: Iterable["Future[list[tuple[_Task, Outcome | _UnusableError]]]"],
) -> list[tuple[_Task, Outcome | _UnusableError]]:
    """Wait for all, then return what they give; the first fault goes through only when none is running any more."""
    finished = list(lines)
    for line in finished:
        line.exception()
    return [result for line in finished for result in line.result()]
