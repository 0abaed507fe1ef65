"""What a read is worth: its time against the expected one, its depth, and coming back.

|--read--|....7 h 59 min....|--read--|   one visit
|--read--|........8 h.......|--read--|   came back
"""

import pytest

from schemas.playbook import InterestRules, Playbook
from schemas.reads import Read
from streams.interest import summarise
from streams.weighing import Weighed, weigh
from tests.streams.journeys import SITE, START_MS, directory

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


def read(name: str, path: str, at_ms: int, **more: object) -> Read:
    facts: dict[str, object] = {
        "page_view_id": name, "visitor_id": "v", "site": "docs", "contact_id": "dana", "url": SITE + path,
        "started_ms": at_ms, "last_ms": at_ms, "active_ms": 30_000, "depth_pct": 100,
    }  # fmt: skip
    return Read.model_validate(facts | more)


def weighed(*reads: Read, half_life_days: float = 14, as_of_ms: int = 0) -> dict[str, Weighed]:
    as_of_ms = as_of_ms or max(one.last_ms for one in reads)
    found = weigh(reads, directory(), InterestRules(), half_life_days, as_of_ms)
    return {one.read.page_view_id: one for one in found}


@pytest.mark.parametrize(
    ("active_ms", "depth_pct", "credit_ms"),
    [
        (30_000, 100, 30_000),
        (30_000, 0, 15_000),
        (30_000, 50, 22_500),
        (120_000, 100, 120_000),
        (900_000, 100, 120_000),
    ],
)
def test_time_counts_up_to_twice_the_expected_minute_and_half_of_it_for_depth(
    active_ms: int, depth_pct: int, credit_ms: int
) -> None:
    one = weighed(read("a", "/problem", START_MS, active_ms=active_ms, depth_pct=depth_pct))["a"]
    assert one.credit_ms == credit_ms


def test_a_content_that_the_directory_does_not_know_has_the_usual_reading_time() -> None:
    assert weighed(read("a", "/unlisted", START_MS, active_ms=900_000))["a"].credit_ms == 360_000


def test_a_weight_halves_with_every_half_life_since_the_page_was_last_active() -> None:
    long = read("a", "/problem", START_MS - HOUR_MS, last_ms=START_MS)
    assert weighed(long, as_of_ms=START_MS + 28 * DAY_MS)["a"].weight_ms == 7_500


@pytest.mark.parametrize(("pause_ms", "back"), [(8 * HOUR_MS - 1, False), (8 * HOUR_MS, True)])
def test_a_pause_of_some_hours_makes_coming_back(pause_ms: int, *, back: bool) -> None:
    first = read("a", "/problem", START_MS)
    same, other = (read(name, path, START_MS + pause_ms) for name, path in (("b", "/problem"), ("c", "/solution")))
    for second, again in ((same, back), (other, False)):
        found = weighed(first, second)[second.page_view_id]
        assert (found.came_back, found.read_again) == (back, again)
        assert found.credit_ms == (37_500 if again else 30_000)


def test_a_content_may_be_come_back_to_by_one_who_never_left() -> None:
    steps = [read(f"s{hour}", "/solution", START_MS + hour * HOUR_MS) for hour in range(1, 9)]
    found = weighed(read("a", "/problem", START_MS), *steps, read("b", "/problem", START_MS + 9 * HOUR_MS))["b"]
    assert (found.came_back, found.read_again) == (False, True)


def test_somebody_else_does_not_come_back_and_unknown_visitors_are_told_apart() -> None:
    reads = [
        read("a", "/problem", START_MS, contact_id="", visitor_id="v1"),
        read("b", "/problem", START_MS + DAY_MS, contact_id="", visitor_id="v2"),
        read("c", "/problem", START_MS + DAY_MS, contact_id="eli", visitor_id="v1"),
    ]
    assert not any(one.came_back for one in weighed(*reads).values())
    interest = summarise("acme", reads, directory(), Playbook(company="Example"))
    assert (interest.unknown_visitors, [reader.contact_id for reader in interest.readers]) == (2, ["eli"])
    assert (interest.contents[0].unknown_visitors, interest.contents[0].readers) == (2, ("eli",))
    several = next(reason for reason in interest.reasons if reason.kind == "several_readers")
    assert several.detail == "3"


def test_a_read_without_activity_is_worth_nothing_and_is_nobodys() -> None:
    interest = summarise("acme", [read("a", "/pricing", START_MS, active_ms=0)], directory(), Playbook(company="x"))
    assert (interest.score, interest.readers, interest.contents, interest.trend) == (0, (), (), None)


@pytest.mark.parametrize(("quiet_ms", "silent"), [(30 * DAY_MS - 1, False), (30 * DAY_MS, True)])
def test_silence_begins_at_its_days(quiet_ms: int, *, silent: bool) -> None:
    reads = [read("a", "/problem", START_MS), read("b", "/problem", START_MS + quiet_ms)]
    interest = summarise("acme", reads, directory(), Playbook(company="Example"))
    assert bool(interest.silence) is silent


def test_the_newest_fifty_reads_stand_for_a_reason_that_rests_on_more() -> None:
    reads = [read(f"r{number:02}", "/problem", START_MS + number) for number in range(60)]
    (reason,) = summarise("acme", reads, directory(), Playbook(company="Example")).reasons
    assert reason.page_view_ids == tuple(f"r{number:02}" for number in range(10, 60))
