"""When is an account worth a brief, and what is the weightiest that can be said of the moment?

The moment comes when a reading session ends, or while a high-intent page is being read, or when the account is handed
over. Several things may be true of it: it is told once, and bears the name of the weightiest.
"""

from collections.abc import Iterable, Mapping

from schemas.activity import Told
from schemas.brief import Trigger, TriggerKind
from schemas.directory import Directory
from schemas.interest import TEMPERATURES, Interest
from schemas.playbook import TriggerRules
from schemas.reads import Read

WEIGHTIEST_FIRST = tuple(reversed(TriggerKind))
HIGH_INTENT_FRESH_MS = 600_000  # what was read longer ago waits for the end of the session


def untold(reads: Iterable[Read], told: Mapping[str, int]) -> list[Read]:
    """Return the reads that no brief has told in full, in the order they were begun."""
    fresh = [read for read in reads if read.active_ms // 1000 > told.get(read.page_view_id, 0) // 1000]
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


def next_due_ms(reads: Iterable[Read], told: Mapping[str, int], rules: TriggerRules, arrived_ms: int = 0) -> int | None:
    """Return when to look again, or None if nothing that is known can become a brief by waiting.

    Who was recognised at `arrived_ms` has begun to read: what they read before is not told without that.
    """
    known = list(reads)
    if not _enough(untold(known, told), told, rules):
        return None
    ends = session_end_ms(known, rules)
    return None if ends is None else max(ends, arrived_ms + round(1000 * rules.session_grace_s))


def decide(
    reads: Iterable[Read],
    told: Mapping[str, int],
    directory: Directory,
    rules: TriggerRules,
    now_ms: int,
    arrived_ms: int = 0,
) -> Trigger | None:
    """Return the trigger that is met now, or None; a high-intent read comes before the end of a session."""
    known = list(reads)
    fresh = untold(known, told)
    for read in fresh:
        if TriggerKind.high_intent in rules.told and _is_high_intent(read, told, directory, rules, now_ms):
            return Trigger(
                kind=TriggerKind.high_intent, met_ms=read.last_ms, page_view_id=read.page_view_id, url=read.url
            )
    due_ms = next_due_ms(known, told, rules, arrived_ms)
    if due_ms is None or due_ms > now_ms:
        return None
    return Trigger(kind=TriggerKind.session_end, met_ms=due_ms, page_view_id=fresh[0].page_view_id, url=fresh[0].url)


def named(
    moment: Trigger,
    fresh: list[Read],
    interest: Interest,
    last: Told | None,
    rules: TriggerRules,
    *,
    handed_over: bool,
) -> Trigger | None:
    """Return the moment under the weightiest of the names that fit it and are told, None if there is none."""
    kinds = {moment.kind}
    told_of = {read.page_view_id: read for read in fresh}
    if interest.rise and interest.rise.page_view_id in told_of and interest.rise.after is interest.temperature:
        # A brief that was made since that read was begun, and said as much, has told it.
        since_ms = told_of[interest.rise.page_view_id].started_ms
        if not (last and last.decided_ms >= since_ms and _as_warm(last, interest)):
            kinds.add(TriggerKind.temperature_up)
    if interest.silence and interest.silence.page_view_id in told_of:
        kinds.add(TriggerKind.returned_after_silence)
    if handed_over:
        kinds.add(TriggerKind.hand_over)
    kind = next((kind for kind in WEIGHTIEST_FIRST if kind in kinds and kind in rules.told), None)
    return moment.model_copy(update={"kind": kind}) if kind else None


def _as_warm(last: Told, interest: Interest) -> bool:
    said = last.temperature
    return said is not None and TEMPERATURES.index(said) >= TEMPERATURES.index(interest.temperature)


def has_high_intent(reads: Iterable[Read], told: Mapping[str, int], directory: Directory, rules: TriggerRules) -> bool:
    """Tell whether a high-intent page was read for long enough, and no brief has told so."""
    return any(_means_it(read, told, directory, rules) for read in reads)


def _enough(fresh: list[Read], told: Mapping[str, int], rules: TriggerRules) -> bool:
    news_ms = sum(read.active_ms - told.get(read.page_view_id, 0) for read in fresh)
    return bool(fresh) and news_ms >= rules.min_session_active_s * 1000


def _is_high_intent(
    read: Read, told: Mapping[str, int], directory: Directory, rules: TriggerRules, now_ms: int
) -> bool:
    return read.last_ms > now_ms - HIGH_INTENT_FRESH_MS and _means_it(read, told, directory, rules)


def _means_it(read: Read, told: Mapping[str, int], directory: Directory, rules: TriggerRules) -> bool:
    content = directory.contents.get(read.url)
    threshold_ms = rules.high_intent_active_s * 1000
    return (
        content is not None
        and content.stage in rules.high_intent_stages
        and read.active_ms >= threshold_ms > told.get(read.page_view_id, 0)
    )
