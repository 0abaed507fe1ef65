"""Stitching: once a visitor is known, what it did before is read back and published under its account.

The message that identifies a visitor names the event that told. Once `events` is stored up to there, everything the
visitor did before is, too. Until then the message waits, and its position is not committed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from schemas import topics
from schemas.activity import Activity, ActivityItem, Identified
from schemas.envelope import Envelope
from schemas.events import EMAIL_EVENTS, Withdraw, page_view_of
from schemas.topics import DAY_MS
from sinks.clickhouse.writer import Publish
from sinks.consumer import Partition, Positions, Record

_log = structlog.get_logger()

MAX_MESSAGE_BYTES = 200_000

History = Callable[[str, int, int | None], Iterator[Envelope]]
"""Gives a visitor's events from one Unix millisecond up to, but without, another; in the order they occurred."""


@dataclass(frozen=True)
class Waiting:
    """A message that identifies a visitor, with the place it was read from."""

    partition: Partition
    offset: int
    identified: Identified


def is_due(waiting: Waiting, positions: Positions) -> bool:
    """Tell whether `events` is stored up to the event that told."""
    said = waiting.identified
    return positions.get((topics.EVENTS.name, said.partition), 0) > said.offset


def held(waiting: Iterable[Waiting]) -> dict[Partition, int]:
    """Return the positions that must not be committed past: the first that waits in each partition."""
    first: dict[Partition, int] = {}
    for one in waiting:
        first[one.partition] = min(one.offset, first.get(one.partition, one.offset))
    return first


def extent_ms(identified: Identified, now_ms: int, history_days: int) -> tuple[int, int | None]:
    """Return from when on, and until when, the visitor's history is read.

    With an ownership it is all of it: the account tells its own by the ownership, today's and any that comes later.
    """
    oldest_ms = now_ms - history_days * DAY_MS
    if identified.ownership:
        return oldest_ms, None
    return max(identified.from_ms, oldest_ms), identified.until_ms


def activities(identified: Identified, envelopes: Iterable[Envelope]) -> Iterator[Activity]:
    """Return a visitor's events as messages of bounded size, in their order.

    Mails name their recipient themselves, and are published when they come: those of others are left out here.
    """
    items: list[ActivityItem] = []
    size = 0
    for envelope in envelopes:
        item = _item(identified, envelope)
        if item is None:
            continue
        item_size = len(item.model_dump_json(exclude_none=True))
        if items and size + item_size > MAX_MESSAGE_BYTES:
            yield _stitched(identified, items)
            items, size = [], 0
        items.append(item)
        size += item_size
    if items:
        yield _stitched(identified, items)


def _item(identified: Identified, envelope: Envelope) -> ActivityItem | None:
    event, at_ms = envelope.event, envelope.occurred_ms
    if envelope.automated or isinstance(event, Withdraw):
        return None  # a machine reads nothing
    span = identified.ownership.span_at(at_ms) if identified.ownership else identified
    contact_id = span.contact_id if span else ""
    if isinstance(event, EMAIL_EVENTS):
        if not contact_id or event.contact_id != contact_id:
            return None
        return ActivityItem(contact_id=contact_id, envelope=envelope)
    if span is None and page_view_of(event) is None:
        return None
    known = span is not None and span.evidence_ms <= at_ms
    return ActivityItem(contact_id=contact_id, known=known, envelope=envelope)


def _stitched(identified: Identified, items: Sequence[ActivityItem]) -> Activity:
    owners = (identified.ownership,) if identified.ownership else ()
    return Activity(account_id=identified.account_id, items=tuple(items), stitched=True, owners=owners)


class Stitcher:
    """Holds the messages that wait, and stitches those that are due, in the order they came."""

    def __init__(self, history: History, publish: Publish, history_days: int) -> None:
        self._history = history
        self._publish = publish
        self._history_days = history_days
        self._waiting: dict[tuple[Partition, int], Waiting] = {}

    def add(self, records: Iterable[Record]) -> None:
        """Take readable records; those of other topics than `identified` are passed over."""
        for record in records:
            if record.topic == topics.IDENTIFIED.name and record.value is not None:
                partition = (record.topic, record.partition)
                identified = Identified.from_bytes(record.value)
                if identified.stitch and not identified.withdrawn:
                    self._waiting[partition, record.offset] = Waiting(partition, record.offset, identified)

    def advance(self, positions: Positions, now_ms: int) -> dict[Partition, int]:
        """Stitch what is due, and return the positions that must not be committed past.

        `positions` holds the next offset of each partition that this process has, up to which all is stored.
        """
        # What waits from a partition that another process has now is waited for there.
        self._waiting = {place: one for place, one in self._waiting.items() if one.partition in positions}
        for place, one in list(self._waiting.items()):
            if is_due(one, positions):
                self._stitch(one.identified, now_ms)
                del self._waiting[place]
        return held(self._waiting.values())

    def _stitch(self, identified: Identified, now_ms: int) -> None:
        since, until = extent_ms(identified, now_ms, self._history_days)
        envelopes = self._history(identified.visitor_id, since, until)
        messages = events = 0
        for activity in activities(identified, envelopes):
            self._publish(topics.ACTIVITY.name, activity.account_id.encode(), activity.to_bytes())
            messages += 1
            events += len(activity.items)
        _log.info("history_stitched", visitor_id=identified.visitor_id, messages=messages, events=events)
