"""Rate limits: so many per second on the average, ten seconds' worth at once, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from producers.collector.rates import BURST_S, RateLimiter


@given(st.integers(1, 50), st.lists(st.floats(0, 3), min_size=1, max_size=300))
def test_no_span_of_time_brings_more_than_the_burst_and_the_rate(per_second: int, pauses: list[float]) -> None:
    rates = RateLimiter(per_second)
    now = 1000.0
    allowed = []
    for pause in pauses:
        now += pause / per_second
        if not rates.wait_s("k", now):
            allowed.append(now)
    for begin, first in enumerate(allowed):
        for end, last in enumerate(allowed[begin:], begin):
            assert end - begin + 1 <= per_second * (BURST_S + last - first) + 1


@given(st.integers(1, 50))
def test_after_the_wait_that_was_told_the_next_is_allowed(per_second: int) -> None:
    rates = RateLimiter(per_second)
    allowed = 0
    while not (wait_s := rates.wait_s("k", 5.0)):
        allowed += 1
        assert allowed < 1000
    assert per_second * BURST_S - 1 <= allowed <= per_second * BURST_S + 1
    assert wait_s >= 1
    assert rates.wait_s("k", 5.0 + wait_s) == 0


def test_one_who_keeps_asking_in_vain_is_not_punished_for_it() -> None:
    rates = RateLimiter(1)
    for _ in range(100):
        rates.wait_s("k", 0.0)
    assert rates.wait_s("k", 1.5) == 0


def test_each_key_has_its_own_allowance() -> None:
    rates = RateLimiter(0.1)
    assert [rates.wait_s("a", 0.0) == 0, rates.wait_s("a", 0.0) == 0, rates.wait_s("b", 0.0) == 0] == [
        True,
        False,
        True,
    ]


def test_memory_is_bounded_and_the_key_unseen_for_longest_goes() -> None:
    rates = RateLimiter(1, max_keys=100)
    for number in range(1000):
        rates.wait_s(str(number), float(number))
    assert len(rates) == 100


def test_no_limit_costs_no_memory() -> None:
    rates = RateLimiter(0)
    assert not any(rates.wait_s(str(number), 0.0) for number in range(1000))
    assert len(rates) == 0
