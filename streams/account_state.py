"""What is known of an account: joins of all that was told of it, in whatever order and how often. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from schemas.activity import Activity, Ownership, Told
from schemas.emails import Mailing
from schemas.events import Identify
from schemas.message import Id, Message, UnixMs
from schemas.reads import Read
from streams.activity_news import News, news_of
from streams.attribution import attributed, highest
from streams.campaigns import CampaignClick, with_clicks
from streams.corrections import Correctable, Doubt, with_left, with_told
from streams.email_interest import joined, still_of_use
from streams.reading import join_all
from streams.weighing import DAY_MS


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


def take_in(state: AccountState, activity: Activity | News, history_days: int) -> AccountState:
    """Return the state with an activity's events joined into reads, shared out, and what was told remembered.

    Reads that ended more than `history_days` before the newest one are dropped: a rule over the set of all reads of the
    account's visitors, so it does not depend on their order. So are those begun before the account was last deleted.
    """
    return within_history(joined_in(state, activity), history_days)


def joined_in(state: AccountState, activity: Activity | News) -> AccountState:
    """Return the state with an activity taken in, and nothing dropped yet: that takes a look at all there is."""
    news = news_of(activity) if isinstance(activity, Activity) else activity
    new, emptied_ms = news.reads, max(state.emptied_ms, news.emptied_ms)
    owners, renewed = highest(state.owners, news.owners)
    aside = join_all(state.others, [read for read in new if read.page_view_id in state.others])
    reads = join_all(state.reads, [read for read in new if read.page_view_id not in state.others])
    reads, aside = attributed(reads, aside, owners, renewed, new, state.owners)
    moved = state.reads if renewed else [read.page_view_id for read in new if read.page_view_id in state.reads]
    left = [key for key in moved if key not in reads]
    recognised = [item.envelope.occurred_ms for item in news.items if isinstance(item.envelope.event, Identify)]
    return state.but(
        reads=reads,
        others=aside,
        mailings=joined(state.mailings, news.items),
        owners=owners,
        told=told_with(state.told, news.told) if news.told else state.told,
        last=newest_with(state.last, news.told),
        forms=forms_with(state.forms, news.told),
        clicks=with_clicks(state.clicks, news.items),
        recent=with_left(with_told(state.recent, news.told), left, reads, emptied_ms),
        arrived_ms=max(state.arrived_ms, *recognised) if recognised else state.arrived_ms,
        emptied_ms=emptied_ms,
    )


def within_history(state: AccountState, history_days: int) -> AccountState:
    """Return the state without what is too old, or was before the account was last deleted."""
    reads, aside, emptied_ms = state.reads, state.others, state.emptied_ms
    horizon_ms = max((read.last_ms for read in (*reads.values(), *aside.values())), default=0) - history_days * DAY_MS
    kept = {key: read for key, read in reads.items() if read.last_ms >= horizon_ms and read.started_ms >= emptied_ms}
    others = {key: read for key, read in aside.items() if read.last_ms >= horizon_ms and read.started_ms >= emptied_ms}
    newest_ms = max((read.last_ms for read in kept.values()), default=0)
    told = state.told
    if len(kept) < len(reads):
        told = {key: ms for key, ms in told.items() if key in kept or key not in reads}
    return state.but(
        reads=kept,
        others=others,
        mailings=still_of_use(state.mailings, newest_ms, history_days * DAY_MS, emptied_ms),
        owners=_still_of_use(state.owners, (*kept.values(), *others.values()), history_days),
        told=told,
        forms={form_id: at_ms for form_id, at_ms in state.forms.items() if at_ms >= horizon_ms},
    )


def too_late(state: AccountState, news: Iterable[News], history_days: int, now_ms: int) -> list[str]:
    """Return the page views of news, joined in already, that the account's history has passed by."""
    history_ms = history_days * DAY_MS
    old = {read.page_view_id for one in news for read in one.reads if read.last_ms < now_ms - history_ms}
    if not old:
        return []  # nearly always: nothing is older than an account's history that is not older than the clock's
    known = {**state.others, **state.reads}
    horizon_ms = max((read.last_ms for read in known.values()), default=0) - history_ms
    return [name for name in sorted(old) if name in known and known[name].last_ms < horizon_ms]


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


def newest_with(last: Told | None, marks: Sequence[Told]) -> Told | None:
    """Return the newest brief of those that were told, without its reads."""
    news = [mark.model_copy(update={"reads": {}, "said": {}, "trigger": None}) for mark in marks if not mark.corrects]
    known = [*((last,) if last else ()), *news]
    return max(known, key=lambda mark: (mark.decided_ms, mark.brief_id), default=None)


def forms_with(known: Mapping[str, int], marks: Sequence[Told]) -> dict[str, int]:
    """Return the forms that were told, and when."""
    if not known and not any(mark.forms for mark in marks):
        return {}
    forms = dict(known)
    for mark in marks:
        for form_id in mark.forms:
            forms[form_id] = max(mark.decided_ms, forms.get(form_id, 0))
    return {form_id: forms[form_id] for form_id in sorted(forms)}


def told_with(known: Mapping[str, int], marks: Sequence[Told]) -> dict[str, int]:
    """Return how much of which read was told."""
    told = dict(known)
    for mark in marks:
        for page_view_id, active_ms in mark.reads.items():
            told[page_view_id] = max(active_ms, told.get(page_view_id, 0))
    return told
