"""What reps were told against what they would have been told under other rules. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.brief import Brief
from schemas.delivery import Delivery
from schemas.directory import Directory

SAME_TIME_MS = 60_000


class Telling(NamedTuple):
    """One brief that reached one rep, and when."""

    brief: Brief
    rep_id: str
    at_ms: int


class Kind(StrEnum):
    """How a telling differs."""

    added = "added"
    gone = "gone"
    moved = "moved"
    unchanged = "unchanged"


class Difference(NamedTuple):
    """One telling as it was and as it would have been; one of the two may be missing."""

    kind: Kind
    was: Telling | None
    would: Telling | None

    @property
    def stands(self) -> Telling:
        """The one to name it by: as it would have been, if it would."""
        found = self.would or self.was
        if found is None:
            raise ValueError("a difference of nothing")
        return found


def tellings(deliveries: Iterable[Delivery]) -> list[Telling]:
    """Return each brief once, by the first delivery that has it, in order of time."""
    first: dict[str, Telling] = {}
    for delivery in sorted(deliveries, key=lambda one: (one.released_ms, one.delivery_id)):
        for brief in delivery.briefs:
            first.setdefault(brief.brief_id, Telling(brief, delivery.rep_id, delivery.released_ms))
    return sorted(first.values(), key=lambda one: (one.at_ms, one.brief.brief_id))


def compared(was: Sequence[Telling], would: Sequence[Telling]) -> list[Difference]:
    """Match what was told with what would have been, and return every difference, in order of time.

    The same brief is the same news; so is another one to the same rep that tells of a read that the first one told of.
    """
    left = {one.brief.brief_id: one for one in was}
    found, open_ = [], []
    for one in would:
        before = left.get(one.brief.brief_id)
        if before is not None and before.rep_id == one.rep_id:
            del left[one.brief.brief_id]
            found.append(_matched(before, one))
        else:
            open_.append(one)
    for one in open_:
        before = next((each for each in left.values() if _same_news(each, one)), None)
        if before is not None:
            del left[before.brief.brief_id]
        found.append(Difference(Kind.moved, before, one) if before else Difference(Kind.added, None, one))
    found += [Difference(Kind.gone, one, None) for one in left.values()]
    return sorted(found, key=lambda each: (each.stands.at_ms, each.stands.brief.brief_id))


def per_rep_and_day(told: Iterable[Telling], directory: Directory) -> Mapping[tuple[str, str], int]:
    """Count the briefs of each rep and each day, as the rep's clock has it."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for one in told:
        rep = directory.reps.get(one.rep_id)
        zone = ZoneInfo(rep.time_zone if rep else "UTC")
        counts[one.rep_id, datetime.fromtimestamp(one.at_ms / 1000, zone).date().isoformat()] += 1
    return counts


def _matched(was: Telling, would: Telling) -> Difference:
    same = abs(was.at_ms - would.at_ms) <= SAME_TIME_MS
    return Difference(Kind.unchanged if same else Kind.moved, was, would)


def _same_news(was: Telling, would: Telling) -> bool:
    same_pair = (was.rep_id, was.brief.account_id) == (would.rep_id, would.brief.account_id)
    return same_pair and not was.brief.told.keys().isdisjoint(would.brief.told)
