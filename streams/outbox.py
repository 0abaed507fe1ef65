"""When to tell the rep: working hours, cooldown, daily cap, digest. The state machine of the third stage."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from schemas.brief import Brief, TriggerKind
from schemas.delivery import Delivery
from schemas.directory import Account, Directory, Rep, WorkingHours
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
    manager_id: Annotated[Id | None, Field(description="The rep's manager when the directory last had the rep")] = None


class OutboxStep(Model):
    """What follows from mail or a wake-up."""

    state: OutboxState
    deliveries: tuple[Delivery, ...] = ()
    due_ms: int | None = None


class OutboxSettled(Model):
    """What is left to a rep, and what goes to others."""

    state: OutboxState
    handed: tuple[RepMail, ...] = ()


def receive(state: OutboxState, mail: RepMail, now_ms: int) -> OutboxState:
    """Return the state with new briefs waiting; one that waits or has left already is not taken twice."""
    released = {gone.brief_id: gone for gone in (*mail.released, *state.released)}
    pending = {brief.brief_id: brief for brief in (*mail.briefs, *state.pending) if brief.brief_id not in released}
    return OutboxState(
        rep_id=state.rep_id,
        manager_id=state.manager_id,
        pending=tuple(sorted(pending.values(), key=lambda brief: (brief.decided_ms, brief.brief_id))),
        released=tuple(
            sorted(
                (gone for gone in released.values() if gone.at_ms > now_ms - MEMORY_MS),
                key=lambda gone: (gone.at_ms, gone.brief_id),
            )
        ),
    )


def settle(state: OutboxState, directory: Directory, new: Collection[str]) -> OutboxSettled:
    """Return the state without what can't reach this rep any more, and what goes to others instead.

    A brief on an account that is gone is dropped. If the rep is gone, a brief goes to who looks after the account now,
    or else to the rep's manager; if neither is there it stays. What is `new`, by brief_id, is left alone: this worker's
    directory may be a moment behind that of the one who sent it.
    """
    rep = directory.reps.get(state.rep_id)
    kept, handed = [], []
    for brief in state.pending:
        account = directory.accounts.get(brief.account_id)
        if brief.brief_id in new:
            kept.append(brief)
        elif account is None:
            continue
        elif rep is None and (heir := _heir(state, account, directory)):
            handed.append(RepMail(rep_id=heir, briefs=(brief.model_copy(update={"rep_id": heir}),)))
        else:
            kept.append(brief)
    manager_id = rep.manager_id if rep else state.manager_id
    after = state.model_copy(update={"pending": tuple(kept), "manager_id": manager_id})
    return OutboxSettled(state=after, handed=tuple(handed))


def _heir(state: OutboxState, account: Account, directory: Directory) -> str | None:
    candidates = (account.owners.get(account.lifecycle), account.rep_id, state.manager_id)
    return next((each for each in candidates if each in directory.reps), None)


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
    after = state.model_copy(update={"pending": rest, "released": (*state.released, *gone)})
    return OutboxStep(state=after, deliveries=_deliveries(ready, rep, now_ms), due_ms=now_ms + 1000 if rest else None)


def _deliveries(briefs: list[Brief], rep: Rep, now_ms: int) -> tuple[Delivery, ...]:
    """Return one delivery for the rep's first channel, the rest standing by, and one for each that is `also` told."""
    ids = sorted(brief.brief_id for brief in briefs)
    kinds = [rep.channels[0].kind, *(channel.kind for channel in rep.channels[1:] if channel.also)]
    return tuple(
        Delivery(
            delivery_id=derived_id("delivery", kind, *ids, *([] if kind not in kinds[:number] else [str(number)])),
            rep_id=rep.rep_id,
            channel=kind,
            briefs=tuple(briefs),
            released_ms=now_ms,
            copy_number=number,
        )
        for number, kind in enumerate(kinds)
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
