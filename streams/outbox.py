"""When to tell the rep: working hours, cooldown, daily cap, digest. The state machine of the third stage."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.brief import Brief, TriggerKind
from schemas.delivery import Delivery
from schemas.directory import Rep, WorkingHours
from schemas.ids import derived_id
from schemas.message import Id, Message, Model
from schemas.playbook import OutboxRules
from schemas.rep_mail import Released, RepMail

MEMORY_MS = 30 * 86_400_000
SEARCH_DAYS = 8  # a week, and the day that a change of clocks may push it


class OutboxState(Message):
    """What waits for one rep, and what has left."""

    rep_id: Id
    pending: tuple[Brief, ...] = ()
    released: tuple[Released, ...] = ()


class OutboxStep(Model):
    """What follows from mail or a wake-up."""

    state: OutboxState
    deliveries: tuple[Delivery, ...] = ()
    due_ms: int | None = None


def receive(state: OutboxState, mail: RepMail, now_ms: int) -> OutboxState:
    """Return the state with new briefs waiting; one that waits or has left already is not taken twice."""
    released = {gone.brief_id: gone for gone in (*mail.released, *state.released)}
    pending = {brief.brief_id: brief for brief in (*mail.briefs, *state.pending) if brief.brief_id not in released}
    return OutboxState(
        rep_id=state.rep_id,
        pending=tuple(sorted(pending.values(), key=lambda brief: (brief.decided_ms, brief.brief_id))),
        released=tuple(
            sorted(
                (gone for gone in released.values() if gone.at_ms > now_ms - MEMORY_MS),
                key=lambda gone: (gone.at_ms, gone.brief_id),
            )
        ),
    )


def release(state: OutboxState, rep: Rep, rules: OutboxRules, now_ms: int) -> OutboxStep:
    """Let go what may reach the rep now, on every channel of theirs; say when to look again for the rest.

    Several briefs that may go at the same moment go as one digest.
    """
    if not state.pending:
        return OutboxStep(state=state)
    if (due_ms := _next_opening_ms(state, rep, now_ms)) > now_ms:
        return OutboxStep(state=state, due_ms=due_ms)
    free_at = {brief.brief_id: _free_at_ms(brief, state, rules) for brief in state.pending}
    ready = [brief for brief in state.pending if free_at[brief.brief_id] <= now_ms][: rules.max_briefs_in_digest]
    if not ready:
        return OutboxStep(state=state, due_ms=min(free_at.values()))
    gone = [Released(brief_id=brief.brief_id, account_id=brief.account_id, at_ms=now_ms) for brief in ready]
    rest = tuple(brief for brief in state.pending if brief not in ready)
    after = OutboxState(rep_id=state.rep_id, pending=rest, released=(*state.released, *gone))
    return OutboxStep(state=after, deliveries=_deliveries(ready, rep, now_ms), due_ms=now_ms + 1000 if rest else None)


def _deliveries(briefs: list[Brief], rep: Rep, now_ms: int) -> tuple[Delivery, ...]:
    ids = sorted(brief.brief_id for brief in briefs)
    return tuple(
        Delivery(
            delivery_id=derived_id("delivery", kind, *ids),
            rep_id=rep.rep_id,
            channel=kind,
            briefs=tuple(briefs),
            released_ms=now_ms,
        )
        for kind in dict.fromkeys(channel.kind for channel in rep.channels)
    )


def _free_at_ms(brief: Brief, state: OutboxState, rules: OutboxRules) -> int:
    """Return when the account's cooldown is over; a high-intent brief and a hand-over do not wait."""
    if brief.trigger.kind in {TriggerKind.high_intent, TriggerKind.hand_over}:
        return 0
    last = max((gone.at_ms for gone in state.released if gone.account_id == brief.account_id), default=None)
    return 0 if last is None else last + round(rules.cooldown_s * 1000)


def _next_opening_ms(state: OutboxState, rep: Rep, now_ms: int) -> int:
    """Return the first moment, not before now, inside working hours of a day whose cap is not used up."""
    zone = ZoneInfo(rep.time_zone)
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    for ahead in range(-1, SEARCH_DAYS + 1):
        day = today + timedelta(days=ahead)
        if day.weekday() not in rep.working_hours.days:
            continue
        opens_ms, closes_ms = _hours_of(day, rep.working_hours, zone)
        used = len({gone.at_ms for gone in state.released if opens_ms <= gone.at_ms < closes_ms})
        if now_ms < closes_ms and used < rep.daily_cap:
            return max(now_ms, opens_ms)
    return now_ms + 86_400_000


def _hours_of(day: date, hours: WorkingHours, zone: ZoneInfo) -> tuple[int, int]:
    """Return opening and closing of a day's hours in Unix ms; hours that end before they start run past midnight."""
    opens = datetime.combine(day, hours.start, zone)
    end_day = day if hours.end > hours.start else day + timedelta(days=1)
    closes = datetime.combine(end_day, hours.end, zone)
    return round(opens.timestamp() * 1000), round(closes.timestamp() * 1000)
