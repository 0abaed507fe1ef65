"""How well was each content read? The weight of every read, in whole milliseconds, so that sums know no order.

A read is credited with its active time, up to `max_credit` times the content's expected reading time: beyond that a
page was left open, or is hard to read. `depth_share` of the credit stands for depth, for who never scrolled has seen
the beginning only. Who comes back to a content after a pause gets `return_bonus` more. The weight is the credit,
halved with every half-life since the read was last active.
"""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.directory import Content, Directory
from schemas.playbook import InterestRules
from schemas.reads import Read

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MINUTE_MS = 60_000
USUAL_READING_TIME_S: int = Content.model_fields["reading_time_s"].default
UNKNOWN = "?"


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
    return float(0.5 ** (age_ms / DAY_MS / half_life_days))


def weigh(
    reads: Iterable[Read], directory: Directory, rules: InterestRules, half_life_days: float, as_of_ms: int
) -> list[Weighed]:
    """Return the reads that were actively read, in the order in which they were last active, each with its weight."""
    active = [read for read in reads if read.active_ms]
    active.sort(key=lambda read: (read.last_ms, read.page_view_id))
    pause_ms = rules.return_after_h * HOUR_MS
    contents = directory.contents
    last_of: dict[str, int] = {}
    last_of_content: dict[tuple[str, str], int] = {}
    weighed = []
    for read in active:
        last_ms, url = read.last_ms, read.url
        reader = read.contact_id or UNKNOWN + read.visitor_id
        begun_ms = read.started_ms - pause_ms
        came_back = begun_ms >= last_of.get(reader, last_ms)
        read_again = begun_ms >= last_of_content.get((reader, url), last_ms)
        last_of[reader] = last_of_content[reader, url] = last_ms
        content = contents.get(url)
        credit_ms = _credit_ms(read, content, rules, read_again=read_again)
        weight_ms = round(credit_ms * decay(as_of_ms - last_ms, half_life_days))
        weighed.append(Weighed(read, content, reader, came_back, read_again, credit_ms, weight_ms))
    return weighed


def minutes(weight_ms: int) -> float:
    """Return a sum of weights in minutes, to three decimals."""
    return round(weight_ms / MINUTE_MS, 3)


def _credit_ms(read: Read, content: Content | None, rules: InterestRules, *, read_again: bool) -> int:
    expected_ms = 1000 * (content.reading_time_s if content else USUAL_READING_TIME_S)
    depth = 1 - rules.depth_share * (1 - read.depth_pct / 100)
    bonus = 1 + rules.return_bonus if read_again else 1
    return round(min(read.active_ms, rules.max_credit * expected_ms) * depth * bonus)
