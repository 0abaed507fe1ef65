"""How well was each content read? The weight of every read, in whole milliseconds, so that sums know no order.

A read is credited with its active time, up to `max_credit` times the content's expected reading time: beyond that a
page was left open, or is hard to read. `depth_share` of the credit stands for depth, for who never scrolled has seen
the beginning only. Who comes back to a content after a pause gets `return_bonus` more. The weight is the credit,
halved with every half-life since the read was last active.
"""

from collections.abc import Iterable
from math import pow  # noqa: A004 - of floats, to a float
from operator import attrgetter
from typing import NamedTuple

from schemas.directory import Content, Directory
from schemas.playbook import InterestRules
from schemas.reads import Read

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MINUTE_MS = 60_000
USUAL_READING_TIME_S: int = Content.model_fields["reading_time_s"].default
UNKNOWN = "?"
_ORDER = attrgetter("last_ms", "page_view_id")


class Weighed(NamedTuple):
    """A read with what it is worth: `credit_ms` as it was read, `weight_ms` after decay.

    `reader` is the contact's id, or `?` and the visitor's id. `came_back` says that the reader had paused before,
    `read_again` that they had read this very content before the pause.
    """

    read: Read
    content: Content | None
    reader: str
    came_back: bool
    read_again: bool
    credit_ms: int
    weight_ms: int


def newest_ms(reads: Iterable[Read]) -> int:
    """Return when the newest read was last active, in Unix milliseconds; 0 if there is none."""
    return max((read.last_ms for read in reads), default=0)


def decay(age_ms: int, half_life_days: float) -> float:
    """Return what remains of 1 at an age."""
    return pow(0.5, age_ms / DAY_MS / half_life_days)


def weigh(
    reads: Iterable[Read], directory: Directory, rules: InterestRules, half_life_days: float, as_of_ms: int
) -> list[Weighed]:
    """Return the reads that were actively read, in the order in which they were last active, each with its weight."""
    # Run for each account and batch, over all its reads: what a loop can keep at hand is kept.
    contents, pause_ms = directory.contents, rules.return_after_h * HOUR_MS
    again, depth_share, max_credit = 1 + rules.return_bonus, rules.depth_share, 1000 * rules.max_credit
    last_of: dict[str, int] = {}
    last_of_content: dict[tuple[str, str], int] = {}
    weighed = []
    for read in sorted((read for read in reads if read.active_ms), key=_ORDER):
        last_ms, url, credit = read.last_ms, read.url, read.active_ms
        reader = read.contact_id or UNKNOWN + read.visitor_id
        begun_ms = read.started_ms - pause_ms
        came_back = begun_ms >= last_of.get(reader, last_ms)
        read_again = begun_ms >= last_of_content.get((reader, url), last_ms)
        last_of[reader] = last_of_content[reader, url] = last_ms
        content = contents.get(url)
        most = max_credit * (content.reading_time_s if content else USUAL_READING_TIME_S)
        worth = min(most, credit) * (1 - depth_share * (1 - read.depth_pct / 100))
        credit_ms = round(worth * again if read_again else worth)
        weight_ms = round(credit_ms * pow(0.5, (as_of_ms - last_ms) / DAY_MS / half_life_days))
        weighed.append(Weighed(read, content, reader, came_back, read_again, credit_ms, weight_ms))
    return weighed


def minutes(weight_ms: int) -> float:
    """Return a sum of weights in minutes, to three decimals."""
    return round(weight_ms / MINUTE_MS, 3)
