"""What interests this account, and is it time to tell? The state machine of the second stage."""

from collections import ChainMap
from collections.abc import Collection, Mapping
from typing import NamedTuple

from schemas.activity import told_by
from schemas.brief import Brief, HandOver, HandOverReason, Trigger, TriggerKind
from schemas.decision import Decision, Rule, Verdict
from schemas.directory import Account, Directory, Lifecycle, OptOut, Rep
from schemas.emails import ListHealth
from schemas.ids import derived_id
from schemas.interest import Interest
from schemas.playbook import Playbook, TriggerRules
from schemas.reads import Read
from streams.account_state import AccountState, forms_with, newest_with, told_with
from streams.briefing import Occasion, compose
from streams.campaigns import campaign_of
from streams.corrections import GONE, Change, changes_of, doubt_of, with_told
from streams.email_interest import NOBODY, Mails, mails_of
from streams.interest import summarise
from streams.opt_outs import opt_out_key, with_opt_outs
from streams.opt_outs import untold as untold_opt_outs
from streams.ownership import CUSTOMERS, LEADS, Signs, hand_over_to, is_unripe, told_of
from streams.signs import functions_together
from streams.triggers import Recently, decide, has_high_intent, is_enough, named, quiet_ms, untold, untold_forms
from streams.weighing import DAY_MS

SETTLE_MS = 60_000  # a summary of old reads has cooled long ago: it is renewed once the account is quiet, not each time


class AccountStep(NamedTuple):
    """What follows from a message or a wake-up."""

    state: AccountState
    interest: Interest | None = None
    briefs: tuple[Brief, ...] = ()
    decisions: tuple[Decision, ...] = ()
    opt_outs: tuple[OptOut, ...] = ()
    due_ms: int | None = None
    changed: bool = False


def advance(
    state: AccountState, directory: Directory, playbook: Playbook, now_ms: int, before: AccountState | None = None
) -> AccountStep:
    """Decide what an account's state calls for at a moment: a summary if it is new or has cooled, a brief if due.

    A summary is new if reads or mails are not those of `before`. What machines read by a mail's links is no reading.
    Who opted out of mails under another account has opted out here; so others are told of those who did here.
    """
    state = _of_known_contacts(state, directory)
    opted_out = ChainMap(state.opted_out, directory.opt_outs)
    mails = mails_of(state.mailings, state.reads.values(), opted_out)
    by_people = _by_people(state, mails, opted_out)
    interest = summarise(state.account_id, by_people.reads.values(), directory, playbook, mails=mails)
    has_read = bool(state.reads) if before is None else bool(state.unsaid_ms) or state.reads != before.reads
    state = state.but(unsaid_ms=0) if state.unsaid_ms else state
    is_new = has_read or state.mailings != (before.mailings if before else {})
    decisions: tuple[Decision, ...] = ()
    said = interest if is_new else _cooled(by_people, interest, directory, playbook, now_ms, mails)
    decision = _decide(by_people, interest, directory, playbook, now_ms, has_read=has_read)
    after = state
    if decision.nurtured_ms:
        after = after.but(nurtured_ms=decision.nurtured_ms)
    noted = f"{decision.withheld}:{decision.subject}" if decision.withheld else after.noted
    if decision.withheld and noted != after.noted:
        decisions = (_withheld(state.account_id, decision.withheld, decision.subject, interest),)
        after = after.but(noted=noted)
    if decision.brief:
        # A brief names the newest of what it told, the state remembers all of it.
        mark = (told_by(decision.brief).model_copy(update={"reads": dict(decision.told)}),)
        after = after.but(
            told=told_with(after.told, mark),
            last=newest_with(after.last, mark),
            forms=forms_with(after.forms, mark),
            recent=with_told(after.recent, mark),
        )
    after, corrections, settled_ms = _corrected(after, interest, directory, playbook, now_ms, mails.machine_reads)
    dues = (decision.due_ms, settled_ms, _renewal_ms(said or interest, now_ms))
    return AccountStep(
        state=after,
        interest=said,
        briefs=(*((decision.brief,) if decision.brief else ()), *corrections),
        decisions=decisions,
        opt_outs=tuple(untold_opt_outs(with_opt_outs(state.opted_out, state.mailings.values()), directory.opt_outs)),
        due_ms=min((due_ms for due_ms in dues if due_ms is not None), default=None),
        changed=after != before,
    )


def _of_known_contacts(state: AccountState, directory: Directory) -> AccountState:
    """Return the state without the mailings of contacts who are gone from the directory, or forgotten.

    That they opted out is kept: who comes back has not changed their mind by that.
    """
    if all(one.contact_id in directory.contacts for one in state.mailings.values()):
        return state
    known = {key: one for key, one in state.mailings.items() if one.contact_id in directory.contacts}
    dropped = [one for key, one in state.mailings.items() if key not in known]
    return state.but(mailings=known, opted_out=dict(with_opt_outs(state.opted_out, dropped)))


def _by_people(state: AccountState, mails: Mails, opted_out: Mapping[str, int]) -> AccountState:
    """Return the state without what machines read, and without clicks of contacts who opted out of mails."""
    if mails.interest is None and not opted_out:
        return state
    health = mails.interest.health if mails.interest else ListHealth()
    out = {*health.complained, *health.unsubscribed}
    reads = {key: read for key, read in state.reads.items() if key not in mails.machine_reads}
    clicks = {key: click for key, click in state.clicks.items() if not _is_out(click.contact_id, out, opted_out)}
    return state.but(reads=reads, clicks=clicks)


def _is_out(contact_id: str, out: Collection[str], opted_out: Mapping[str, int]) -> bool:
    return contact_id in out or (bool(opted_out) and opt_out_key(contact_id) in opted_out)


class _Decision(NamedTuple):
    """A brief, or when to look again for one, or why there is none; and when reading is marketing's, if that is news.

    What is withheld has a subject: the newest page view that is untold, or the brief that told it all.
    """

    brief: Brief | None = None
    due_ms: int | None = None
    nurtured_ms: int = 0
    withheld: Rule | None = None
    subject: str = ""
    told: Mapping[str, int] = NOBODY


def _decide(
    state: AccountState, interest: Interest, directory: Directory, playbook: Playbook, now_ms: int, *, has_read: bool
) -> _Decision:
    account = directory.accounts.get(state.account_id)
    if account is None:
        return _Decision()
    reads, rules = state.reads.values(), playbook.triggers
    fresh = untold(reads, state.told, state.forms)
    signs = Signs(interest.temperature, has_high_intent(fresh, state.told, directory, rules))
    rep = told_of(account, signs, state.last, directory, playbook.hand_over)
    if rep is None:
        nurtured = fresh and account.lifecycle in {*LEADS, Lifecycle.lost}
        noted = state.nurtured_ms > (state.last.decided_ms if state.last else 0)
        nurtured_ms = interest.as_of_ms if nurtured and not noted else 0
        rule = Rule.unripe if is_unripe(account, signs, playbook.hand_over) else Rule.no_owner
        return _Decision(None, None, nurtured_ms, *((rule, fresh[-1].page_view_id) if fresh else ()))
    hand_over = hand_over_to(rep, account, state.last, state.nurtured_ms)
    moment = decide(
        reads, state.told, directory, rules, now_ms, state.arrived_ms,
        forms=state.forms, is_customer=account.lifecycle in CUSTOMERS,
    )  # fmt: skip
    moment = moment or _quiet_hand_over(state, hand_over, playbook, now_ms)
    recently = _recently(state, fresh, hand_over, directory, playbook) if moment else None
    trigger = moment and recently and named(moment, fresh, interest, recently, rules, state.forms)
    if moment and trigger is None:
        return _Decision(withheld=Rule.not_told, subject=moment.page_view_id)
    if trigger is None:
        return _no_brief(state, fresh, rules, now_ms, has_read=has_read)
    brief, told = _brief(state, trigger, interest, hand_over, account, rep, directory, playbook)
    return _Decision(brief, told=told)


def _no_brief(state: AccountState, fresh: list[Read], rules: TriggerRules, now_ms: int, *, has_read: bool) -> _Decision:
    """Return when to look again; if nothing can come of waiting, why."""
    if not fresh:
        told_it = state.last if has_read and state.reads else None
        return _Decision(withheld=Rule.nothing_new, subject=told_it.brief_id) if told_it else _Decision()
    due_ms = quiet_ms(state.reads.values(), rules, state.arrived_ms)
    if is_enough(fresh, state.told, rules, state.forms):
        return _Decision(due_ms=due_ms if due_ms is not None and due_ms > now_ms else None)
    if state.noted == f"{Rule.below_minimum}:{fresh[-1].page_view_id}":
        return _Decision()
    if due_ms is not None and due_ms > now_ms:
        return _Decision(due_ms=due_ms)
    return _Decision(withheld=Rule.below_minimum, subject=fresh[-1].page_view_id)


def _withheld(account_id: str, rule: Rule, subject: str, interest: Interest) -> Decision:
    return Decision(
        decision_id=derived_id("decision", account_id, Verdict.withheld, rule, subject),
        account_id=account_id,
        verdict=Verdict.withheld,
        rule=rule,
        at_ms=interest.as_of_ms,
        subject=subject,
    )


def _corrected(
    state: AccountState,
    interest: Interest,
    directory: Directory,
    playbook: Playbook,
    now_ms: int,
    of_machines: frozenset[str] = frozenset(),
) -> tuple[AccountState, tuple[Brief, ...], int | None]:
    """Return the state with what was told wrong put right, by which briefs, and when else to look for that."""
    account, rules = directory.accounts.get(state.account_id), playbook.corrections
    if not state.recent or account is None:
        return state, (), None
    changes = changes_of(state.recent, state.reads, directory, rules, now_ms, of_machines)
    doubt = doubt_of(changes, state.doubt, now_ms)
    settled_ms = doubt.since_ms + round(rules.settle_s * 1000) if doubt else None
    if settled_ms is None or settled_ms > now_ms:
        return (state if doubt == state.doubt else state.but(doubt=doubt)), (), settled_ms
    briefs = tuple(
        _correction(change, state, interest, account, rep, directory, playbook)
        for change in changes
        if (rep := directory.reps.get(change.brief.rep_id))
    )
    known = with_told(state.recent, [told_by(brief) for brief in briefs])
    kept = {brief.corrects for brief in briefs}
    recent = tuple(one for one in known if one.brief_id in kept or one.rep_id in directory.reps)
    return state.but(recent=recent, doubt=None), briefs, None


def _correction(
    change: Change,
    state: AccountState,
    interest: Interest,
    account: Account,
    rep: Rep,
    directory: Directory,
    playbook: Playbook,
) -> Brief:
    """Return what is true of a brief that was wrong, for the rep who got it."""
    wrong = change.brief
    still = {name for name, who in change.now.items() if who != GONE and name in state.reads}
    reads = [state.reads[name] for name in still]
    reads.sort(key=lambda read: (read.started_ms, read.page_view_id))
    said = compose(
        Occasion(wrong.trigger, reads, {}, interest, None, wrong.decided_ms), account, rep, directory, playbook
    )
    told = {name: wrong.told[name] for name in sorted(still)}
    corrected = {
        "brief_id": change.brief_id,
        "corrects": wrong.brief_id,
        "correction": change.correction(),
        "told": told,
    }
    return said.model_copy(update=corrected)


def _recently(
    state: AccountState, fresh: list[Read], hand_over: HandOver | None, directory: Directory, playbook: Playbook
) -> Recently:
    rules = playbook.triggers
    brought = [campaign for read in fresh if (campaign := campaign_of(read, state.clicks.values(), rules))]
    together = functions_together(state.reads.values(), fresh, state.told, directory, rules, playbook.committee)
    return Recently(state.last, hand_over is not None, brought[-1] if brought else "", together)


def _brief(
    state: AccountState,
    trigger: Trigger,
    interest: Interest,
    hand_over: HandOver | None,
    account: Account,
    rep: Rep,
    directory: Directory,
    playbook: Playbook,
) -> tuple[Brief, Mapping[str, int]]:
    """Return the brief, and how much of which read it tells, listed or not."""
    hand_over = hand_over if trigger.kind is TriggerKind.hand_over else None
    # Who takes an account over needs to know all that was read, not only what nobody has been told.
    told: Mapping[str, int] = {} if hand_over else state.told
    last_ms = state.last.decided_ms if state.last else 0
    reads = untold(state.reads.values(), told, {} if hand_over else state.forms)
    clicks = state.clicks.values()
    campaigns = {read.page_view_id: campaign_of(read, clicks, playbook.triggers) for read in reads}
    occasion = Occasion(trigger, reads, state.told, interest, hand_over, last_ms, campaigns)
    brief = compose(occasion, account, rep, directory, playbook)
    forms = tuple(sorted(form_id for read in reads for form_id in untold_forms(read, state.forms)))
    all_told = {read.page_view_id: read.active_ms for read in reads}
    if not forms:
        return brief, all_told
    # Of one read several forms may be told, one after the other, without more reading in between.
    brief_id = derived_id("brief", brief.brief_id, *forms)
    return brief.model_copy(update={"brief_id": brief_id, "told_forms": forms}), all_told


def _quiet_hand_over(
    state: AccountState, hand_over: HandOver | None, playbook: Playbook, now_ms: int
) -> Trigger | None:
    """Return the moment of a hand-over that the directory alone has caused, if the account has read of late."""
    active = [read for read in state.reads.values() if read.active_ms]
    if not active or hand_over is None or hand_over.reason not in {HandOverReason.lifecycle, HandOverReason.owner}:
        return None
    newest = max(active, key=lambda read: (read.last_ms, read.page_view_id))
    if newest.last_ms < now_ms - playbook.hand_over.fresh_days * DAY_MS:
        return None
    return Trigger(kind=TriggerKind.hand_over, met_ms=now_ms, page_view_id=newest.page_view_id, url=newest.url)


def _cooled(
    state: AccountState, interest: Interest, directory: Directory, playbook: Playbook, now_ms: int, mails: Mails
) -> Interest | None:
    """Return the summary as of the last moment up to now at which the account cooled; None if it has not."""
    cooled, reads = None, state.reads.values()
    cools_ms = interest.cools_ms
    while cools_ms is not None and cools_ms <= now_ms:
        cooled = summarise(state.account_id, reads, directory, playbook, cools_ms, mails)
        cools_ms = cooled.cools_ms
    return cooled


def _renewal_ms(interest: Interest, now_ms: int) -> int | None:
    """Return when to renew a summary: as it cools, or, if it has cooled long ago, once the account is quiet."""
    cools_ms = interest.cools_ms
    return cools_ms if cools_ms is None or cools_ms > now_ms else now_ms + SETTLE_MS
