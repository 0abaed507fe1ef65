"""When the rep is told."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from schemas.brief import Advice, Brief, Trigger, TriggerKind
from schemas.delivery import ChannelKind
from schemas.directory import Channel, Rep, WorkingHours
from schemas.interest import Interest, Temperature
from schemas.playbook import OutboxRules
from schemas.rep_mail import RepMail
from streams.outbox import OutboxState, OutboxStep, receive, release

RULES = OutboxRules(cooldown_s=600)
EMPTY = OutboxState(rep_id="rita")


def rep(*, zone: str = "UTC", start: time = time(8), end: time = time(18), cap: int = 10) -> Rep:
    return Rep(
        rep_id="rita",
        name="Rita",
        time_zone=zone,
        working_hours=WorkingHours(start=start, end=end),
        daily_cap=cap,
        channels=(
            Channel(kind=ChannelKind.email, target="rita@example.com"),
            Channel(kind=ChannelKind.chat, target="sales", also=True),
        ),
    )


def ms(day: int, hour: int, minute: int = 0, zone: str = "UTC") -> int:
    """A moment in November 2026; the 2nd is a Monday."""
    return round(datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def brief(name: str, account: str = "acme", kind: TriggerKind = TriggerKind.session_end) -> Brief:
    interest = Interest(
        account_id=account, as_of_ms=0, temperature=Temperature.warm, score=0, reasons=(), topics=(), contents=(),
        readers=(), active_ms_last_7_days=0, active_ms_prior_7_days=0,
    )  # fmt: skip
    trigger = Trigger(kind=kind, met_ms=0, page_view_id="p", url="https://www.example.com/")
    return Brief(
        brief_id=name, account_id=account, rep_id="rita", language="en", decided_ms=0, trigger=trigger, reads=(),
        told={}, advice=Advice(), interest=interest,
    )  # fmt: skip


def post(state: OutboxState, now_ms: int, *briefs: Brief, to: Rep | None = None) -> OutboxStep:
    received = receive(state, RepMail(rep_id="rita", briefs=briefs), now_ms)
    return release(received.state, to or rep(), RULES, now_ms)


def test_a_channel_that_is_not_also_told_stands_by_for_the_first() -> None:
    chats = tuple(Channel(kind=ChannelKind.chat, target=name, also=name == "wall") for name in ("own", "team", "wall"))
    step = post(EMPTY, ms(2, 10), brief("b1"), to=rep().model_copy(update={"channels": chats}))
    assert [(each.channel, each.copy_number) for each in step.deliveries] == [
        (ChannelKind.chat, 0),
        (ChannelKind.chat, 1),
    ]
    assert len({delivery.delivery_id for delivery in step.deliveries}) == 2


def test_within_working_hours_a_brief_leaves_at_once_on_every_channel() -> None:
    step = post(EMPTY, ms(2, 10), brief("b1"))
    assert [delivery.channel for delivery in step.deliveries] == [ChannelKind.email, ChannelKind.chat]
    assert len({delivery.delivery_id for delivery in step.deliveries}) == 2
    assert step.due_ms is None


def test_the_same_brief_leaves_once() -> None:
    step = post(EMPTY, ms(2, 10), brief("b1"))
    again = post(step.state, ms(2, 11), brief("b1"))
    assert not again.deliveries
    assert again.state == step.state


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York", "Europe/Berlin"])
def test_outside_working_hours_it_waits_for_the_opening_by_the_reps_own_clock(zone: str) -> None:
    night = post(EMPTY, ms(2, 19, zone=zone), brief("b1"), to=rep(zone=zone))
    assert not night.deliveries
    assert night.due_ms == ms(3, 8, zone=zone)


def test_over_the_weekend_it_waits_until_monday() -> None:
    assert post(EMPTY, ms(6, 18), brief("b1")).due_ms == ms(9, 8)


def test_what_gathered_overnight_leaves_as_one_digest() -> None:
    state = EMPTY
    for name, account in (("b1", "acme"), ("b2", "bolt"), ("b3", "coil")):
        state = post(state, ms(2, 20), brief(name, account)).state
    morning = release(state, rep(), RULES, ms(3, 8))
    assert [len(delivery.briefs) for delivery in morning.deliveries] == [3, 3]
    assert not morning.state.pending


@pytest.mark.parametrize("kind", [TriggerKind.high_intent, TriggerKind.hand_over])
def test_a_second_brief_on_an_account_waits_for_the_cooldown_but_what_is_urgent_does_not(kind: TriggerKind) -> None:
    first = post(EMPTY, ms(2, 10), brief("b1"))
    second = post(first.state, ms(2, 10, 5), brief("b2"))
    assert not second.deliveries
    assert second.due_ms == ms(2, 10, 10)
    urgent = post(second.state, ms(2, 10, 6), brief("b3", kind=kind))
    assert [one.brief_id for one in urgent.deliveries[0].briefs] == ["b3"]
    assert release(second.state, rep(), RULES, ms(2, 10, 10)).deliveries


def test_beyond_the_daily_cap_it_waits_for_the_next_working_day() -> None:
    first = post(EMPTY, ms(2, 10), brief("b1", "acme"), to=rep(cap=1))
    second = post(first.state, ms(2, 11), brief("b2", "bolt"), to=rep(cap=1))
    assert not second.deliveries
    assert second.due_ms == ms(3, 8)


def test_hours_round_the_clock_are_always_open() -> None:
    always = rep(start=time(0), end=time(0)).model_copy(
        update={"working_hours": WorkingHours(start=time(0), end=time(0), days=tuple(range(7)))}
    )
    for day in range(2, 9):
        for hour in (0, 3, 23):
            assert post(EMPTY, ms(day, hour), brief("b1"), to=always).deliveries


def test_hours_past_midnight_belong_to_the_day_they_start_on() -> None:
    night_shift = rep(start=time(22), end=time(6))
    assert post(EMPTY, ms(3, 5), brief("b1"), to=night_shift).deliveries  # Monday's shift, on Tuesday morning
    assert post(EMPTY, ms(2, 5), brief("b1"), to=night_shift).due_ms == ms(2, 22)  # Sunday had none


def test_the_change_of_clocks_moves_the_opening_with_it() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    friday_night = round(datetime(2026, 10, 23, 20, tzinfo=berlin).timestamp() * 1000)
    due = post(EMPTY, friday_night, brief("b1"), to=rep(zone="Europe/Berlin")).due_ms
    assert due == round(datetime(2026, 10, 26, 7, tzinfo=UTC).timestamp() * 1000)  # 08:00 in winter is 07:00 UTC
