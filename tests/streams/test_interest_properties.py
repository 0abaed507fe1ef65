"""A summary depends on the set of reads alone, and equals, byte for byte, what an oracle works out the slow way."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import Activity, ActivityItem
from schemas.directory import BuyingRole, Contact, Content, Directory, Function, Lifecycle, Stage
from schemas.events import PageProgress
from schemas.interest import Interest, Temperature
from schemas.playbook import CommitteeRules, InterestRules, Playbook, TemperatureRules, TriggerRules
from schemas.reads import Read
from streams.account_state import AccountState, take_in
from streams.accounts import advance
from streams.interest import summarise
from tests.streams.interest_oracle import Oracle
from tests.streams.journeys import SITE, START_MS, directory, envelope

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
PLAYBOOKS = (
    Playbook(company="Example"),
    Playbook(
        company="Example",
        temperature=TemperatureRules(half_life_days=3, warm_at=2, hot_at=9, stay_share=0.5, points_per_read_minute=3),
        interest=InterestRules(
            max_credit=1.5, depth_share=0.3, return_bonus=0.5, return_after_h=9, silence_days=11, trend_factor=1.2,
            stage_share=0.4, lifecycle_minutes=0.1,
        ),
        committee=CommitteeRules(functions=(Function.purchaser, Function.user), counts_for={}),
        triggers=TriggerRules(high_intent_stages=(Stage.solution, Stage.renewal), high_intent_active_s=20),
    ),
)  # fmt: skip


def company(lifecycle: Lifecycle) -> Directory:
    """An account whose people have functions and roles, or none, and contents of several stages."""
    made = directory()
    made.put(made.accounts["acme"].model_copy(update={"lifecycle": lifecycle}))
    people = {
        "dana": (Function.executive, BuyingRole.decider), "eli": (Function.technician, None), "gus": (None, None),
        "hal": (Function.purchasing_head, BuyingRole.buyer), "ida": (Function.user, BuyingRole.user),
    }  # fmt: skip
    for name, (function, role) in people.items():
        made.put(Contact(contact_id=name, account_id="acme", name=name, function=function, role=role))
    made.put(Content(url=f"{SITE}/renew", title="Renew", topics=("sensors",), stage=Stage.renewal, reading_time_s=30))
    return made


@st.composite
def read(draw: st.DrawFn, number: int) -> Read:
    """A read at one of few moments, so that moments coincide, by somebody known, unknown or of another account."""
    started_ms = START_MS + draw(st.integers(0, 12)) * 9 * HOUR_MS + draw(st.integers(0, 8)) * 11 * DAY_MS
    path = draw(st.sampled_from(("/problem", "/solution", "/pricing", "/unlisted", "/renew")))
    return Read(
        page_view_id=f"pv-{number}",
        visitor_id=draw(st.sampled_from(("v1", "v2", "v3"))),
        site="docs",
        contact_id=draw(st.sampled_from(("", "dana", "eli", "gus", "stranger"))),
        url=SITE + path,
        title=draw(st.sampled_from(("", "A page", "Another"))),
        started_ms=started_ms,
        last_ms=started_ms + draw(st.integers(0, 3)) * 60_000,
        active_ms=draw(st.one_of(st.just(0), st.integers(1, 400_000))),
        depth_pct=draw(st.integers(0, 100)),
    )


@st.composite
def accounts(draw: st.DrawFn) -> list[Read]:
    """Return the reads of an account, in no particular order."""
    return [draw(read(number)) for number in range(draw(st.integers(0, 14)))]


def facts(one: Read) -> dict[str, Any]:
    """Return a read as the oracle wants it."""
    return one.model_dump(include=set(Read.model_fields) - {"bands", "sections", "clicks", "beats"})


def said(interest: Interest) -> Any:
    """Return what a summary's bytes say."""
    return json.loads(interest.to_bytes())


@settings(max_examples=400)
@given(accounts(), st.sampled_from(PLAYBOOKS), st.sampled_from(Lifecycle), st.integers(0, 60 * DAY_MS), st.randoms())
def test_a_summary_is_what_the_oracle_works_out_whatever_the_order(
    reads: list[Read], playbook: Playbook, lifecycle: Lifecycle, later_ms: int, shuffler: random.Random
) -> None:
    people = company(lifecycle)
    newest_ms = max((one.last_ms for one in reads), default=START_MS)
    oracle = Oracle("acme", list(map(facts, reads)), people, playbook)
    for as_of_ms in (0, newest_ms + later_ms):
        interest = summarise("acme", reads, people, playbook, as_of_ms)
        shuffled = shuffler.sample(reads, len(reads))
        assert summarise("acme", shuffled, people, playbook, as_of_ms).to_bytes() == interest.to_bytes()
        assert said(interest) == oracle.summary(as_of_ms)


@settings(max_examples=150)
@given(accounts(), st.sampled_from(PLAYBOOKS))
def test_a_temperature_holds_until_the_moment_it_is_said_to_fall_and_no_longer(
    reads: list[Read], playbook: Playbook
) -> None:
    people, rules = company(Lifecycle.opportunity), playbook.temperature
    interest = summarise("acme", reads, people, playbook)
    falls = 0
    while interest.cools_ms is not None:
        kept = summarise("acme", reads, people, playbook, max(interest.as_of_ms, interest.cools_ms - 60_001))
        assert kept.temperature is interest.temperature
        cooled = summarise("acme", reads, people, playbook, interest.cools_ms)
        limit = rules.hot_at if interest.temperature is Temperature.hot else rules.warm_at
        assert cooled.score == pytest.approx(limit * rules.stay_share, abs=0.02)
        assert cooled.temperature is not interest.temperature
        interest, falls = cooled, falls + 1
    assert interest.temperature == "cold"
    assert falls <= 2


def item(one: Read) -> ActivityItem:
    """Return the event that makes a read that lasts no time."""
    event = PageProgress(
        event_id=f"e-{one.page_view_id}", occurred_ms=one.last_ms, page_view_id=one.page_view_id, url=one.url,
        title=one.title, active_ms=one.active_ms, depth_pct=one.depth_pct,
    )  # fmt: skip
    return ActivityItem(contact_id=one.contact_id, envelope=envelope(one.visitor_id, one.last_ms, event))


@settings(max_examples=150)
@given(accounts(), st.randoms(), st.integers(1, 5))
def test_an_account_comes_to_the_same_summary_however_its_activity_is_split_repeated_and_delayed(
    reads: list[Read], shuffler: random.Random, size: int
) -> None:
    people, playbook = company(Lifecycle.opportunity), PLAYBOOKS[0]
    items = [item(one) for one in reads]
    arriving = shuffler.sample(items, len(items)) + shuffler.sample(items, len(items) // 2)
    state, interest = AccountState(account_id="acme"), None
    for start in range(0, len(arriving), size):
        before = state
        after = take_in(before, Activity(account_id="acme", items=tuple(arriving[start : start + size])), 90)
        step = advance(after, people, playbook, START_MS + shuffler.randrange(200 * DAY_MS), before)
        state, interest = step.state, step.interest or interest
    horizon_ms = max((one.last_ms for one in reads), default=0) - 90 * DAY_MS
    told = [facts(one) | {"started_ms": one.last_ms} for one in reads if one.last_ms >= horizon_ms]
    assert bool(interest) == bool(reads)
    if interest:
        oracle = Oracle("acme", told, people, playbook)
        assert said(interest) == oracle.summary(interest.as_of_ms)
