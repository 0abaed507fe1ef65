"""When is an account worth a brief, and what is the weightiest that can be said of the moment?

The moment comes when a reading session ends, or at once while a high-intent page is being read, a customer reads about
renewing or leaving, or a form is sent, or when the account is handed over. Several things may be true of it: it is told
once, and bears the name of the weightiest.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.activity import Told
from schemas.brief import Trigger, TriggerKind
from schemas.directory import Directory
from schemas.ids import derived_id
from schemas.interest import TEMPERATURES, Interest
from schemas.playbook import TriggerRules
from schemas.reads import Read
from streams.signs import is_renewal_or_leaving

WEIGHTIEST_FIRST = tuple(reversed(TriggerKind))
FRESH_MS = 600_000  # what was read longer ago waits for the end of the session
NO_FORMS: Mapping[str, int] = {}


class Recently(NamedTuple):
    """What is known of an account beside its summary: whom it is told by last, and what the newest reads stand for."""

    last: Told | None
    handed_over: bool
    campaign_id: str = ""
    functions: tuple[str, ...] = ()


def form_ids(read: Read) -> dict[str, str]:
    """Return the ids of the forms that were sent in a read, with their names."""
    return {derived_id("form", read.page_view_id, form): form for form in sorted(read.submitted_forms)}


def untold_forms(read: Read, forms: Mapping[str, int]) -> dict[str, str]:
    """Return the forms sent in a read that no brief has told of, by id."""
    return {form_id: name for form_id, name in form_ids(read).items() if form_id not in forms}


def untold(reads: Iterable[Read], told: Mapping[str, int], forms: Mapping[str, int] = NO_FORMS) -> list[Read]:
    """Return the reads that no brief has told in full, or whose forms none has, in the order they were begun."""
    fresh = [
        read
        for read in reads
        if read.active_ms // 1000 > told.get(read.page_view_id, 0) // 1000
        or (read.submitted_forms and untold_forms(read, forms))
    ]
    return sorted(fresh, key=lambda read: (read.started_ms, read.page_view_id))


def session_end_ms(reads: Iterable[Read], rules: TriggerRules) -> int | None:
    """Return the moment the reading session ends if nothing more comes; None if nothing was read.

    A page that was left holds the session for the grace period, one that is still open for the quiet period.
    """
    ends = [
        read.last_ms + round(1000 * (rules.session_grace_s if read.left_ms >= read.last_ms else rules.session_quiet_s))
        for read in reads
    ]
    return max(ends, default=None)


def next_due_ms(
    reads: Iterable[Read],
    told: Mapping[str, int],
    rules: TriggerRules,
    arrived_ms: int = 0,
    forms: Mapping[str, int] = NO_FORMS,
) -> int | None:
    """Return when to look again, or None if nothing that is known can become a brief by waiting.

    Who was recognised at `arrived_ms` has begun to read: what they read before is not told without that.
    """
    known = list(reads)
    if not is_enough(untold(known, told, forms), told, rules, forms):
        return None
    return quiet_ms(known, rules, arrived_ms)


def quiet_ms(reads: Iterable[Read], rules: TriggerRules, arrived_ms: int = 0) -> int | None:
    """Return when the account is quiet: the session has ended, and who arrived has had the time to read."""
    ends = session_end_ms(reads, rules)
    return None if ends is None else max(ends, arrived_ms + round(1000 * rules.session_grace_s))


def decide(
    reads: Iterable[Read],
    told: Mapping[str, int],
    directory: Directory,
    rules: TriggerRules,
    now_ms: int,
    arrived_ms: int = 0,
    *,
    forms: Mapping[str, int] = NO_FORMS,
    is_customer: bool = False,
) -> Trigger | None:
    """Return the trigger that is met now, or None; what is urgent comes before the end of a session."""
    known = list(reads)
    fresh = untold(known, told, forms)
    for kind in (TriggerKind.form_sent, TriggerKind.renewal_or_leaving, TriggerKind.high_intent):
        if kind not in rules.told or (kind is TriggerKind.renewal_or_leaving and not is_customer):
            continue
        for read in fresh:
            if read.last_ms > now_ms - FRESH_MS and _shows(kind, read, told, forms, directory, rules):
                return Trigger(kind=kind, met_ms=read.last_ms, page_view_id=read.page_view_id, url=read.url)
    due_ms = next_due_ms(known, told, rules, arrived_ms, forms)
    if due_ms is None or due_ms > now_ms:
        return None
    return Trigger(kind=TriggerKind.session_end, met_ms=due_ms, page_view_id=fresh[0].page_view_id, url=fresh[0].url)


def named(
    moment: Trigger,
    fresh: Sequence[Read],
    interest: Interest,
    recently: Recently,
    rules: TriggerRules,
    forms: Mapping[str, int] = NO_FORMS,
) -> Trigger | None:
    """Return the moment under the weightiest of the names that fit it and are told, None if there is none."""
    kinds = {moment.kind}
    told_of = {read.page_view_id: read for read in fresh}
    last = recently.last
    if interest.rise and interest.rise.page_view_id in told_of and interest.rise.after is interest.temperature:
        # A brief that was made since that read was begun, and said as much, has told it.
        since_ms = told_of[interest.rise.page_view_id].started_ms
        if not (last and last.decided_ms >= since_ms and _as_warm(last, interest)):
            kinds.add(TriggerKind.temperature_up)
    if interest.silence and interest.silence.page_view_id in told_of:
        kinds.add(TriggerKind.returned_after_silence)
    sent = tuple(name for read in fresh for name in untold_forms(read, forms).values())
    if sent:
        kinds.add(TriggerKind.form_sent)
    if recently.campaign_id:
        kinds.add(TriggerKind.campaign_click)
    if recently.functions:
        kinds.add(TriggerKind.several_functions)
    if recently.handed_over:
        kinds.add(TriggerKind.hand_over)
    kind = next((kind for kind in WEIGHTIEST_FIRST if kind in kinds and kind in rules.told), None)
    if kind is None:
        return None
    facts: dict[str, object] = {
        "forms": sent if kind is TriggerKind.form_sent else (),
        "campaign_id": recently.campaign_id if kind is TriggerKind.campaign_click else "",
        "functions": recently.functions if kind is TriggerKind.several_functions else (),
    }
    return moment.model_copy(update={"kind": kind, **facts})


def _as_warm(last: Told, interest: Interest) -> bool:
    said = last.temperature
    return said is not None and TEMPERATURES.index(said) >= TEMPERATURES.index(interest.temperature)


def has_high_intent(reads: Iterable[Read], told: Mapping[str, int], directory: Directory, rules: TriggerRules) -> bool:
    """Tell whether a high-intent page was read for long enough, and no brief has told so."""
    return any(_shows(TriggerKind.high_intent, read, told, NO_FORMS, directory, rules) for read in reads)


def is_enough(
    fresh: Sequence[Read], told: Mapping[str, int], rules: TriggerRules, forms: Mapping[str, int] = NO_FORMS
) -> bool:
    """Tell whether what is untold is worth a brief at the end of a session: so much reading, or a form."""
    if any(read.submitted_forms and untold_forms(read, forms) for read in fresh):
        return True
    news_ms = sum(read.active_ms - told.get(read.page_view_id, 0) for read in fresh)
    return bool(fresh) and news_ms >= rules.min_session_active_s * 1000


def _shows(
    kind: TriggerKind,
    read: Read,
    told: Mapping[str, int],
    forms: Mapping[str, int],
    directory: Directory,
    rules: TriggerRules,
) -> bool:
    """Tell whether a read shows what an urgent trigger asks for, and no brief has told so."""
    if kind is TriggerKind.form_sent:
        return bool(untold_forms(read, forms))
    if not read.active_ms >= rules.high_intent_active_s * 1000 > told.get(read.page_view_id, 0):
        return False
    content = directory.contents.get(read.url)
    if kind is TriggerKind.renewal_or_leaving:
        return is_renewal_or_leaving(read.url, content, rules)
    return content is not None and content.stage in rules.high_intent_stages
