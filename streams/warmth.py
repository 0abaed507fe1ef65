r"""How warm is the account? Its reads, played through in the order in which they happened.

Points are added with each read and halve with every half-life in between. The temperature goes up where the points
reach a limit, and comes down only where they fall below a share of it. Since that depends on the reads and their
times alone, it does not matter in which order they arrive.

    hot_at   ------------/-\-----------      up here
    stay  .. - - - - - -/- -\- - - - - -      down only here
    warm_at  ---------/------\----------
"""

from collections.abc import Iterable, Sequence
from math import log2
from typing import NamedTuple

from schemas.interest import TEMPERATURES, Rise, Temperature
from schemas.message import MAX_UNIX_MS
from schemas.playbook import Playbook, TemperatureRules, TriggerRules
from streams.email_interest import CountedClick
from streams.weighing import DAY_MS, MINUTE_MS, Weighed, decay

CLOSE = 1e-9  # points that differ by less are equal


class Warmth(NamedTuple):
    """The temperature as of a moment, how it last rose, and when it falls if nothing more is read (None if cold)."""

    temperature: Temperature
    rise: Rise | None
    cools_ms: int | None


def warmth_of(weighed: list[Weighed], playbook: Playbook, as_of_ms: int, clicks: Sequence[CountedClick] = ()) -> Warmth:
    """Return how warm reads and mails' clicks, each in order, have made an account by a moment not before them."""
    thermometer = _Thermometer(playbook.temperature)
    points = _Points(playbook)
    rise: Rise | None = None
    for one in _in_order(weighed, clicks) if clicks else weighed:
        shown: tuple[str, ...]
        if isinstance(one, Weighed):
            at_ms, added, shown = one.read.last_ms, points.added_by(one), (one.read.page_view_id,)
        else:
            at_ms, added, shown = one.at_ms, playbook.temperature.points_email_click * one.share, one.page_view_ids[:1]
        thermometer.wait_until(at_ms)
        before = thermometer.level
        if thermometer.add(added) and shown:
            rise = Rise(
                before=TEMPERATURES[before],
                after=TEMPERATURES[thermometer.level],
                at_ms=at_ms,
                page_view_id=shown[0],
            )
    thermometer.wait_until(as_of_ms)
    return Warmth(TEMPERATURES[thermometer.level], rise, thermometer.falls_ms())


def _in_order(weighed: Iterable[Weighed], clicks: Iterable[CountedClick]) -> list[Weighed | CountedClick]:
    """Return reads and clicks as they happened; a click goes before a read of the same moment."""
    timed: list[tuple[int, int, int, Weighed | CountedClick]] = [
        *((one.read.last_ms, 1, number, one) for number, one in enumerate(weighed)),
        *((one.at_ms, 0, number, one) for number, one in enumerate(clicks)),
    ]
    return [one for *_, one in sorted(timed, key=lambda each: each[:3])]


def is_high_intent(one: Weighed, rules: TriggerRules) -> bool:
    """Tell whether a content of a high-intent stage was read for long enough to mean it."""
    content = one.content
    return (
        content is not None
        and content.stage in rules.high_intent_stages
        and one.read.active_ms >= rules.high_intent_active_s * 1000
    )


class _Thermometer:
    """Points that decay, and the level that they have reached: 0 cold, 1 warm, 2 hot."""

    def __init__(self, rules: TemperatureRules) -> None:
        self.level = 0
        self._limits = (0.0, rules.warm_at, rules.hot_at)
        self._stays = tuple(limit * rules.stay_share for limit in self._limits)
        self._half_life_days = rules.half_life_days
        self._points = 0.0
        self._at_ms = 0

    def wait_until(self, at_ms: int) -> None:
        if self._points:
            self._points *= decay(at_ms - self._at_ms, self._half_life_days)
        self._at_ms = at_ms
        while self.level and self._points < self._stays[self.level] - CLOSE:
            self.level -= 1

    def add(self, points: float) -> bool:
        """Add points, and tell whether the level rose."""
        self._points += points
        before = self.level
        while self.level + 1 < len(self._limits) and self._points > self._limits[self.level + 1] - CLOSE:
            self.level += 1
        return self.level > before

    def falls_ms(self) -> int | None:
        """Return the whole minute after which the level falls, None if it is the lowest, or never falls."""
        if not self.level:
            return None
        days = self._half_life_days * max(0.0, log2(self._points / self._stays[self.level]))
        if not days < MAX_UNIX_MS / DAY_MS:
            return None
        minute = (self._at_ms + int(days * DAY_MS)) // MINUTE_MS + 1
        return minute * MINUTE_MS if minute * MINUTE_MS <= MAX_UNIX_MS else None


class _Points:
    """What each read in turn adds; what is counted once is only refreshed by coming again."""

    def __init__(self, playbook: Playbook) -> None:
        self._triggers = playbook.triggers
        self._rules = playbook.temperature
        self._returned: set[str] = set()
        self._high_intent: dict[str, int] = {}
        self._last_of: dict[str, int] = {}
        self._latest = ""
        self._second_ms: int | None = None

    def added_by(self, one: Weighed) -> float:
        at_ms, rules, reader = one.read.last_ms, self._rules, one.reader
        points = rules.points_per_read_minute * one.credit_ms / MINUTE_MS
        if is_high_intent(one, self._triggers):
            url = one.read.url
            points += self._refreshed(rules.points_high_intent_read, self._high_intent.get(url), at_ms)
            self._high_intent[url] = at_ms
        if reader in self._returned:
            points += self._refreshed(rules.points_returning_reader, self._last_of[reader], at_ms)
        elif one.came_back:
            points += rules.points_returning_reader
            self._returned.add(reader)
        if self._latest and self._latest != reader:
            # The points of several readers are as old as the last read of the second latest of them.
            second_ms = self._last_of[self._latest]
            points += self._several(second_ms, at_ms) - self._several(self._second_ms, at_ms)
            self._second_ms = second_ms
        self._latest = reader
        self._last_of[reader] = at_ms
        return points

    def _refreshed(self, points: float, since_ms: int | None, at_ms: int) -> float:
        return points if since_ms is None else points * (1 - decay(at_ms - since_ms, self._rules.half_life_days))

    def _several(self, since_ms: int | None, at_ms: int) -> float:
        if since_ms is None:
            return 0.0
        return self._rules.points_second_reader * decay(at_ms - since_ms, self._rules.half_life_days)
