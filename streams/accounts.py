"""What interests this account, and is it time to tell? The state machine of the second stage."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from schemas.activity import Activity, Ownership, Told, told_by
from schemas.brief import Brief, HandOver, HandOverReason, Trigger, TriggerKind
from schemas.decision import Decision, Rule, Verdict
from schemas.directory import Account, Directory, Lifecycle, Rep
from schemas.emails import ListHealth, Mailing
from schemas.events import Identify
from schemas.ids import derived_id
from schemas.interest import Interest
from schemas.message import Id, Message, Model, UnixMs
from schemas.playbook import Playbook, TriggerRules
from schemas.reads import Read
from streams.activity_news import News, news_of
from streams.attribution import attributed, highest
from streams.briefing import Occasion, compose
from streams.campaigns import CampaignClick, campaign_of, with_clicks
from streams.corrections import GONE, Change, Correctable, Doubt, changes_of, doubt_of, with_left, with_told
from streams.email_interest import NOBODY, Mails, joined, mails_of, opt_out_key, still_of_use, with_opt_outs
from streams.interest import summarise
from streams.ownership import CUSTOMERS, LEADS, Signs, hand_over_to, is_unripe, told_of
from streams.reading import join_all
from streams.signs import functions_together
from streams.triggers import Recently, decide, has_high_intent, is_enough, named, quiet_ms, untold, untold_forms
from streams.weighing import DAY_MS

LATE_MS = 5_000  # what comes this late is of a backlog
LONGEST_PUT_OFF_MS = 20_000
SETTLE_MS = 60_000  # a summary of old reads has cooled long ago: it is renewed once the account is quiet, not each time


class AccountState(Message):
    """An account's reads, and how much of each has been told: both are joins, so their order does not matter.

    `others` are reads of visitors who are this account's at other times, `owners` says when. `last` is the newest
    brief, without its reads; `nurtured_ms` when reading that nobody was told was marketing's. `forms` are those told,
    with when; `clicks` those of campaigns. `recent` are briefs that may have to be put right, `doubt` since when
    one must; `noted` is the last decision not to tell. `opted_out` is who of those whose mailings were dropped wants
    no mails, by `opt_out_key`. `unsaid_ms` is since when there has been news that no summary tells; 0 if there is none.
    """

    account_id: Id
    reads: dict[str, Read] = Field(default_factory=dict)
    others: dict[str, Read] = Field(default_factory=dict)
    mailings: dict[str, Mailing] = Field(default_factory=dict)
    opted_out: dict[str, int] = Field(default_factory=dict)
    owners: dict[str, Ownership] = Field(default_factory=dict)
    told: dict[str, int] = Field(default_factory=dict)
    arrived_ms: UnixMs = 0
    emptied_ms: UnixMs = 0
    last: Told | None = None
    nurtured_ms: UnixMs = 0
    forms: dict[str, int] = Field(default_factory=dict)
    clicks: dict[str, CampaignClick] = Field(default_factory=dict)
    recent: tuple[Correctable, ...] = ()
    doubt: Doubt | None = None
    noted: str = ""
    unsaid_ms: UnixMs = 0


class AccountStep(Model):
    """What follows from a message or a wake-up."""

    state: AccountState
    interest: Interest | None = None
    briefs: tuple[Brief, ...] = ()
    decisions: tuple[Decision, ...] = ()
    due_ms: int | None = None
    changed: bool = False


def take_in(state: AccountState, activity: Activity | News, history_days: int) -> AccountState:
    """Return the state with an activity's events joined into reads, shared out, and what was told remembered.

    Reads that ended more than `history_days` before the newest one are dropped: a rule over the set of all reads of the
    account's visitors, so it does not depend on their order. So are those begun before the account was last deleted.
    """
    news = news_of(activity) if isinstance(activity, Activity) else activity
    new, emptied_ms = news.reads, max(state.emptied_ms, news.emptied_ms)
    owners, renewed = highest(state.owners, news.owners)
    aside = join_all(state.others, [read for read in new if read.page_view_id in state.others])
    reads = join_all(state.reads, [read for read in new if read.page_view_id not in state.others])
    reads, aside = attributed(reads, aside, owners, renewed, new, state.owners)
    left = [key for key in state.reads if key not in reads]
    horizon_ms = max((read.last_ms for read in (*reads.values(), *aside.values())), default=0) - history_days * DAY_MS
    kept = {key: read for key, read in reads.items() if read.last_ms >= horizon_ms and read.started_ms >= emptied_ms}
    others = {key: read for key, read in aside.items() if read.last_ms >= horizon_ms and read.started_ms >= emptied_ms}
    newest_ms = max((read.last_ms for read in kept.values()), default=0)
    mailings = still_of_use(joined(state.mailings, news.items), newest_ms, history_days * DAY_MS, emptied_ms)
    told = {key: ms for key, ms in _told(state.told, news.told).items() if key in kept or key not in reads}
    recognised = [item.envelope.occurred_ms for item in news.items if isinstance(item.envelope.event, Identify)]
    # Only with news of somebody there is more to keep, and a reason to look what need not be kept.
    of_use = _still_of_use(owners, (*kept.values(), *others.values()), history_days) if renewed else owners
    return state.but(
        reads=kept,
        others=others,
        mailings=mailings,
        owners=of_use,
        told=told,
        last=_newest(state.last, news.told),
        forms=_forms(state.forms, news.told, horizon_ms),
        clicks=with_clicks(state.clicks, news.items),
        recent=with_left(with_told(state.recent, news.told), left, kept, emptied_ms),
        arrived_ms=max(state.arrived_ms, *recognised) if recognised else state.arrived_ms,
        emptied_ms=emptied_ms,
    )


def put_off(state: AccountState, news: Sequence[News], now_ms: int) -> AccountStep | None:
    """Return the state of an account to be looked at later, because its news comes late; None if it is the time now.

    News is late in a backlog only. That is worked off sooner if accounts are not summed up at every step of it, and to
    be twice as late then, or `LONGEST_PUT_OFF_MS` later, is no loss. Who is forgotten is forgotten at once.
    """
    if any(one.forgotten for one in news):
        return None
    late_ms = now_ms - min((one.came_ms for one in news if one.came_ms), default=now_ms)
    since_ms = state.unsaid_ms or now_ms
    due_ms = since_ms + min(late_ms, LONGEST_PUT_OFF_MS)
    if late_ms < LATE_MS or due_ms <= now_ms:
        return None
    return AccountStep(state=state.but(unsaid_ms=since_ms), due_ms=due_ms)


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
    """Decide what an account's state calls for at a moment: a summary if it is new or has cooled, a brief if due.

    A summary is new if reads or mails are not those of `before`. What machines read by a mail's links is no reading.
    """
    state = _of_known_contacts(state, directory)
    mails = mails_of(state.mailings, state.reads.values(), state.opted_out)
    by_people = _by_people(state, mails)
    interest = summarise(state.account_id, by_people.reads.values(), directory, playbook, mails=mails)
    has_read = bool(state.reads) if before is None else bool(state.unsaid_ms) or state.reads != before.reads
    state = state.but(unsaid_ms=0) if state.unsaid_ms else state
    is_new = has_read or state.mailings != (before.mailings if before else {})
    decisions: tuple[Decision, ...] = ()
    said = interest if is_new else _cooled(by_people, interest, directory, playbook, now_ms, mails)
    decision = _decide(by_people, interest, directory, playbook, now_ms, has_read=has_read)
    after = state
    if decision.nurtured_ms:
        after = after.model_copy(update={"nurtured_ms": decision.nurtured_ms})
    noted = f"{decision.withheld}:{decision.subject}" if decision.withheld else after.noted
    if decision.withheld and noted != after.noted:
        decisions = (_withheld(state.account_id, decision.withheld, decision.subject, interest),)
        after = after.model_copy(update={"noted": noted})
    if decision.brief:
        # A brief names the newest of what it told, the state remembers all of it.
        mark = (told_by(decision.brief).model_copy(update={"reads": dict(decision.told)}),)
        news = {"told": _told(after.told, mark), "last": _newest(after.last, mark), "forms": _forms(after.forms, mark)}
        after = after.model_copy(update={**news, "recent": with_told(after.recent, mark)})
    after, corrections, settled_ms = _corrected(after, interest, directory, playbook, now_ms, mails.machine_reads)
    dues = (decision.due_ms, settled_ms, _renewal_ms(said or interest, now_ms))
    return AccountStep(
        state=after,
        interest=said,
        briefs=(*((decision.brief,) if decision.brief else ()), *corrections),
        decisions=decisions,
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
    return state.model_copy(update={"mailings": known, "opted_out": dict(with_opt_outs(state.opted_out, dropped))})


def _by_people(state: AccountState, mails: Mails) -> AccountState:
    """Return the state without what machines read, and without clicks of contacts who opted out of mails."""
    if mails.interest is None and not state.opted_out:
        return state
    health = mails.interest.health if mails.interest else ListHealth()
    out = {*health.complained, *health.unsubscribed}
    reads = {key: read for key, read in state.reads.items() if key not in mails.machine_reads}
    clicks = {key: click for key, click in state.clicks.items() if not _is_out(click.contact_id, out, state)}
    return state.model_copy(update={"reads": reads, "clicks": clicks})


def _is_out(contact_id: str, out: Collection[str], state: AccountState) -> bool:
    return contact_id in out or (bool(state.opted_out) and opt_out_key(contact_id) in state.opted_out)


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
        return (state if doubt == state.doubt else state.model_copy(update={"doubt": doubt})), (), settled_ms
    briefs = tuple(
        _correction(change, state, interest, account, rep, directory, playbook)
        for change in changes
        if (rep := directory.reps.get(change.brief.rep_id))
    )
    known = with_told(state.recent, [told_by(brief) for brief in briefs])
    kept = {brief.corrects for brief in briefs}
    recent = tuple(one for one in known if one.brief_id in kept or one.rep_id in directory.reps)
    return state.model_copy(update={"recent": recent, "doubt": None}), briefs, None


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


def _newest(last: Told | None, marks: Sequence[Told]) -> Told | None:
    news = [mark.model_copy(update={"reads": {}, "said": {}, "trigger": None}) for mark in marks if not mark.corrects]
    known = [*((last,) if last else ()), *news]
    return max(known, key=lambda mark: (mark.decided_ms, mark.brief_id), default=None)


def _forms(known: Mapping[str, int], marks: Sequence[Told], horizon_ms: int = 0) -> dict[str, int]:
    """Return the forms that were told and when, but for those of which no read is left."""
    if not known and not any(mark.forms for mark in marks):
        return {}
    forms = dict(known)
    for mark in marks:
        for form_id in mark.forms:
            forms[form_id] = max(mark.decided_ms, forms.get(form_id, 0))
    return {form_id: forms[form_id] for form_id in sorted(forms) if forms[form_id] >= horizon_ms}


def _told(known: Mapping[str, int], marks: Sequence[Told]) -> dict[str, int]:
    told = dict(known)
    for mark in marks:
        for page_view_id, active_ms in mark.reads.items():
            told[page_view_id] = max(active_ms, told.get(page_view_id, 0))
    return told
