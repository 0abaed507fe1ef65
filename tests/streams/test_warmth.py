"""Temperature with hysteresis: up at a limit, down only below a share of it.

points   5 ──────/ warm ──╮
         4 · · · · · · · · ╲ cold again
"""

from schemas.interest import Interest, Temperature
from schemas.playbook import Playbook, TemperatureRules, TriggerRules
from schemas.reads import Read
from streams.interest import summarise
from tests.streams.journeys import START_MS, directory
from tests.streams.test_weighing import DAY_MS, read

PLAYBOOK = Playbook(
    company="Example",
    temperature=TemperatureRules(half_life_days=10, points_per_read_minute=4, points_returning_reader=0),
    triggers=TriggerRules(high_intent_stages=()),
)
QUARTER_S = 15_000  # of reading: one point
ONE_HALF_LIFE_MS = 10 * DAY_MS


def long_read(name: str, points: float, at_ms: int = START_MS) -> Read:
    return read(name, "/problem", at_ms, active_ms=round(points * QUARTER_S))


def summary(*reads: Read, as_of_ms: int = 0) -> Interest:
    return summarise("acme", reads, directory(), PLAYBOOK, as_of_ms)


def test_it_is_warm_at_the_limit_and_not_below() -> None:
    assert summary(long_read("a", 5)).temperature is Temperature.warm
    assert summary(long_read("a", 4.9)).temperature is Temperature.cold


def test_the_same_points_are_warm_on_the_way_down_and_cold_on_the_way_up() -> None:
    falling = summary(long_read("a", 5), as_of_ms=START_MS + DAY_MS)
    rising = summary(long_read("a", falling.score))
    assert abs(falling.score - rising.score) < 0.01
    assert (falling.temperature, rising.temperature) == (Temperature.warm, Temperature.cold)


def test_what_was_warm_cools_below_the_share_and_a_little_reading_keeps_it_warm() -> None:
    far_ms = START_MS + ONE_HALF_LIFE_MS // 2  # 5 points are 3.5 by then
    assert summary(long_read("a", 5), as_of_ms=far_ms).temperature is Temperature.cold
    near_ms = START_MS + ONE_HALF_LIFE_MS // 4  # 4.2
    kept = summary(long_read("a", 5), long_read("b", 1, near_ms), as_of_ms=far_ms)
    assert kept.temperature is Temperature.warm
    alone = summary(long_read("a", 5), long_read("b", 1, far_ms))
    assert alone.temperature is Temperature.cold, "it had cooled before that read, and 4.5 points don't warm"


def test_what_is_hot_cools_to_warm_first_and_says_when() -> None:
    reads = [long_read(name, 8, START_MS + number) for number, name in enumerate("abcd")]
    hot = summary(*reads)
    assert hot.temperature is Temperature.hot
    assert hot.rise
    assert (hot.rise.before, hot.rise.after, hot.rise.page_view_id) == (Temperature.warm, Temperature.hot, "d")
    assert hot.cools_ms
    warm = summary(*reads, as_of_ms=hot.cools_ms)
    assert (warm.temperature, warm.rise) == (Temperature.warm, hot.rise)
    assert 23.9 < warm.score <= 24


def test_a_read_that_arrives_late_counts_as_if_it_had_come_in_time() -> None:
    early, late = long_read("a", 3), long_read("b", 3, START_MS + DAY_MS)
    assert summary(late, early) == summary(early, late)
    assert summary(early, late).temperature is Temperature.warm


def test_a_cold_account_never_cools() -> None:
    assert summary(long_read("a", 1)).cools_ms is None


def test_points_that_hardly_ever_halve_cool_beyond_the_calendar() -> None:
    rules = PLAYBOOK.temperature.model_copy(update={"half_life_days": 1e9})
    forever = PLAYBOOK.model_copy(update={"temperature": rules})
    interest = summarise("acme", [long_read("a", 6)], directory(), forever)
    assert (interest.temperature, interest.cools_ms) == (Temperature.warm, None)


def test_a_high_intent_page_that_is_read_again_and_again_counts_once_and_as_fresh_as_its_last_read() -> None:
    playbook = Playbook(company="Example")
    reads = [read(f"p{day}", "/pricing", START_MS + day * DAY_MS, active_ms=12_000) for day in (0, 5, 10)]
    interest = summarise("acme", reads, directory(), playbook)
    points = {reason.kind: reason.points for reason in interest.reasons}
    assert points["high_intent"] == 15
    assert interest.cools_ms
    cooled = summarise("acme", reads, directory(), playbook, interest.cools_ms)
    assert abs(cooled.score - playbook.temperature.warm_at * playbook.temperature.stay_share) < 0.01
