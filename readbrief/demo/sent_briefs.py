"""Tells of each delivery that was sent, as machines and the demo's screen want it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from schemas.delivery import Delivery, Outcome, OutcomeKind
from schemas.directory import Directory
from schemas.topics import DELIVERIES, OUTCOMES
from sinks.consumer import Pace, Positions, Record, run_consumer
from sinks.delivery.summary import summary
from sinks.directory_feed import DirectoryFeed

GROUP = "readbrief-demo"
DIRECTORY_TIMEOUT_S = 20

Tell = Callable[[dict[str, Any]], None]


@contextmanager
def watch_sent_briefs(bootstrap: str, tell: Tell) -> Iterator[None]:
    """Call `tell`, from a thread of its own, with the summary of each delivery that was sent, until the block ends."""
    stop = threading.Event()
    with DirectoryFeed(bootstrap) as feed:
        feed.wait_current(DIRECTORY_TIMEOUT_S)
        pairs = _Pairs(feed.directory, tell)
        thread = threading.Thread(
            target=run_consumer,
            args=(bootstrap, GROUP, [DELIVERIES.name, OUTCOMES.name], pairs.handle, stop),
            kwargs={"pace": Pace(linger_s=0.05, session_timeout_s=10)},
            daemon=True,
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(5)


class _Pairs:
    """Brings each delivery together with its outcome, whichever is read first."""

    def __init__(self, directory: Directory, tell: Tell) -> None:
        self._directory = directory
        self._tell = tell
        self._deliveries: dict[str, Delivery] = {}
        self._sent: set[str] = set()

    def handle(self, records: Sequence[Record], _positions: Positions) -> None:
        for record in records:
            if record.topic == OUTCOMES.name:
                outcome = Outcome.from_bytes(record.value or b"")
                if outcome.kind is OutcomeKind.sent:
                    self._sent.add(outcome.delivery_id)
                    self._match(outcome.delivery_id)
            else:
                delivery = Delivery.from_bytes(record.value or b"")
                self._deliveries[delivery.delivery_id] = delivery
                self._match(delivery.delivery_id)

    def _match(self, delivery_id: str) -> None:
        if delivery_id in self._sent and (delivery := self._deliveries.pop(delivery_id, None)):
            self._sent.discard(delivery_id)
            advice = delivery.newest.advice
            self._tell({**summary(delivery, self._directory), "say": [*advice.stress[:1], *advice.ask[:1]]})
