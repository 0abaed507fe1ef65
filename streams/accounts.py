"""What interests this account, and is it time to tell? The state machine of the second stage."""

from collections.abc import Iterable, Mapping

from pydantic import Field

from schemas.activity import Activity, Ownership, Told
from schemas.brief import Brief
from schemas.directory import Directory
from schemas.events import Identify
from schemas.interest import Interest
from schemas.message import Id, Message, Model, UnixMs
from schemas.playbook import Playbook
from schemas.reads import Read
from streams.attribution import attributed, highest
from streams.briefing import Occasion, compose
from streams.interest import DAY_MS, summarise
from streams.reading import join_all, read_of
from streams.triggers import decide, next_due_ms, untold


class AccountState(Message):
    """An account's reads, and how much of each has been told: both are joins, so their order does not matter.

    `others` are reads of visitors who are this account's at other times, `owners` says when.
    """

    account_id: Id
    reads: dict[str, Read] = Field(default_factory=dict)
    others: dict[str, Read] = Field(default_factory=dict)
    owners: dict[str, Ownership] = Field(default_factory=dict)
    told: dict[str, int] = Field(default_factory=dict)
    arrived_ms: UnixMs = 0
    emptied_ms: UnixMs = 0


class AccountStep(Model):
    """What follows from a message or a wake-up."""

    state: AccountState
    interest: Interest | None = None
    briefs: tuple[Brief, ...] = ()
    due_ms: int | None = None
    changed: bool = False


def take_in(state: AccountState, activity: Activity, history_days: int) -> AccountState:
    """Return the state with an activity's events joined into reads, shared out, and what was told remembered.

    Reads that ended more than `history_days` before the newest one are dropped: a rule over the set of all reads of the
    account's visitors, so it does not depend on their order. So are those begun before the account was last deleted.
    """
    emptied_ms = max(state.emptied_ms, activity.emptied_ms)
    new = [read for item in activity.items if (read := read_of(item))]
    owners, renewed = highest(state.owners, activity.owners)
    aside = join_all(state.others, [read for read in new if read.page_view_id in state.others])
    reads = join_all(state.reads, [read for read in new if read.page_view_id not in state.others])
    reads, aside = attributed(reads, aside, owners, renewed, new)
    horizon_ms = max((read.last_ms for read in (*reads.values(), *aside.values())), default=0) - history_days * DAY_MS
    kept = {key: read for key, read in reads.items() if read.last_ms >= horizon_ms and read.started_ms >= emptied_ms}
    others = {key: read for key, read in aside.items() if read.last_ms >= horizon_ms and read.started_ms >= emptied_ms}
    told = {key: ms for key, ms in _told(state.told, activity.told).items() if key in kept or key not in reads}
    recognised = [item.envelope.occurred_ms for item in activity.items if isinstance(item.envelope.event, Identify)]
    arrived_ms = max(recognised, default=0)
    return AccountState(
        account_id=state.account_id,
        reads=kept,
        others=others,
        # Only with news of somebody there is more to keep, and a reason to look what need not be kept.
        owners=_still_of_use(owners, (*kept.values(), *others.values()), history_days) if renewed else owners,
        told=told,
        arrived_ms=max(state.arrived_ms, arrived_ms),
        emptied_ms=emptied_ms,
    )


def _still_of_use(owners: dict[str, Ownership], reads: Iterable[Read], history_days: int) -> dict[str, Ownership]:
    """Leave out visitors of whom nothing was read and nothing learnt within the history."""
    known = list(reads)
    newest_ms = max(
        max((read.last_ms for read in known), default=0), max((one.changed_ms for one in owners.values()), default=0)
    )
    if all(one.changed_ms >= newest_ms - history_days * DAY_MS for one in owners.values()):
        return owners
    readers = {read.visitor_id for read in known}
    horizon_ms = newest_ms - history_days * DAY_MS
    return {key: one for key, one in owners.items() if key in readers or one.changed_ms >= horizon_ms}


def advance(
    state: AccountState, directory: Directory, playbook: Playbook, now_ms: int, before: AccountState | None = None
) -> AccountStep:
    """Decide what an account's state calls for at a moment: a summary if it changed since `before`, a brief if due."""
    rules = playbook.triggers
    account = directory.accounts.get(state.account_id)
    rep = directory.reps.get(account.rep_id) if account else None
    changed = state != before
    interest = summarise(state.account_id, state.reads.values(), directory, playbook, now_ms) if changed else None
    trigger = (
        decide(state.reads.values(), state.told, directory, rules, now_ms, state.arrived_ms)
        if account and rep
        else None
    )
    if trigger is None or account is None or rep is None:
        due_ms = next_due_ms(state.reads.values(), state.told, rules, state.arrived_ms) if account and rep else None
        return AccountStep(state=state, interest=interest, due_ms=due_ms, changed=changed)
    interest = interest or summarise(state.account_id, state.reads.values(), directory, playbook, now_ms)
    occasion = Occasion(trigger, untold(state.reads.values(), state.told), state.told, interest)
    brief = compose(occasion, account, rep, directory, playbook)
    mark = Told(brief_id=brief.brief_id, rep_id=rep.rep_id, decided_ms=brief.decided_ms, reads=brief.told)
    after = state.model_copy(update={"told": _told(state.told, (mark,))})
    return AccountStep(state=after, interest=interest, briefs=(brief,), due_ms=None, changed=True)


def _told(known: Mapping[str, int], marks: tuple[Told, ...]) -> dict[str, int]:
    told = dict(known)
    for mark in marks:
        for page_view_id, active_ms in mark.reads.items():
            told[page_view_id] = max(active_ms, told.get(page_view_id, 0))
    return told
