"""One brief of two on one account: updates that wait are told together, and nothing of them is lost."""

from collections.abc import Iterable
from typing import Any

from schemas.brief import Advice, Brief, ReadSummary, Trigger, TriggerKind
from streams.briefing import MAX_TOLD

MAX_READS = 12
MAX_LINES = 6
WEIGHT = {kind: weight for weight, kind in enumerate(TriggerKind)}


def may_merge(one: Brief, other: Brief) -> bool:
    """Tell whether two briefs can be one: they are news of the same account, not about another brief."""
    return one.account_id == other.account_id and not any(brief.corrects or brief.escalates for brief in (one, other))


def merged(one: Brief, other: Brief) -> Brief:
    """Return the newer brief with what the older one told: reads, forms, and its trigger if that weighs more."""
    older, newer = sorted((one, other), key=lambda brief: (brief.decided_ms, brief.brief_id))
    told = {
        key: max(brief.told.get(key, 0) for brief in (older, newer)) for key in sorted({**older.told, **newer.told})
    }
    reads = _listed([*older.reads, *newer.reads])
    return newer.model_copy(
        update={
            "trigger": _weightier(older.trigger, newer.trigger),
            "reads": reads,
            "more_reads": max(older.more_reads, newer.more_reads, len(told) - len(reads)),
            "told": _bounded(told, [read.page_view_id for read in reads], newer.told),
            "told_forms": tuple(sorted({*older.told_forms, *newer.told_forms})),
            "topics": tuple(dict.fromkeys((*newer.topics, *older.topics))),
            "advice": _advice(newer.advice, older.advice),
            "hand_over": newer.hand_over or older.hand_over,
            "merges": tuple(sorted({*older.merges, *newer.merges, older.brief_id})),
        }
    )


def _weightier(older: Trigger, newer: Trigger) -> Trigger:
    """Return the trigger that weighs more, the newer of equals; forms that were sent are all named."""
    heavier = older if WEIGHT[older.kind] > WEIGHT[newer.kind] else newer
    return heavier.model_copy(update={"forms": tuple(dict.fromkeys((*older.forms, *newer.forms)))})


def _listed(reads: Iterable[ReadSummary]) -> tuple[ReadSummary, ...]:
    """Return the longest reads, each as it was told last, in the order they were begun."""
    newest = {read.page_view_id: read for read in reads}
    longest = sorted(newest.values(), key=lambda read: (-read.active_s, read.started_ms, read.page_view_id))
    return tuple(sorted(longest[:MAX_READS], key=lambda read: (read.started_ms, read.page_view_id)))


def _bounded(told: dict[str, int], listed: Iterable[str], newer: Iterable[str]) -> dict[str, int]:
    """Return what is told of those listed, of the newer brief's reads and of the rest, as many as a brief may name."""
    order = dict.fromkeys([*(name for name in listed if name in told), *newer, *told])
    return {name: told[name] for name in sorted(list(order)[:MAX_TOLD])}


def _advice(newer: Advice, older: Advice) -> Advice:
    """Return what the newer brief advises, then what the older one adds."""

    def both(name: str) -> Any:
        one, other = getattr(newer, name), getattr(older, name)
        if isinstance(one, tuple):
            return tuple([*one, *(each for each in other if each not in one)][:MAX_LINES])
        return {**other, **one} if isinstance(one, dict) else one or other

    return newer.model_copy(update={name: both(name) for name in Advice.model_fields})
