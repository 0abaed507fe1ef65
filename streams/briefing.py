"""Composing a brief: what they read, how far, where they lingered, what to stress, what to say."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from schemas.brief import Brief, HandOver, ReadSummary, Trigger
from schemas.directory import Account, Directory, Rep
from schemas.ids import derived_id
from schemas.interest import Interest
from schemas.playbook import Playbook
from schemas.reads import Read
from streams.advice import advise
from streams.interest import topic_weights
from streams.reading import longest_section, passed_by
from streams.weighing import newest_ms, weigh

MAX_READS = 12
MAX_LINES = 4
MAX_TOLD = 500


class Occasion(NamedTuple):
    """What a brief is made of: the trigger, the reads it tells of, and the account's interest at that time.

    To one to whom the account is handed over it tells of all reads, to others of those that are new. `campaigns` are
    what brought the reader, by page view.
    """

    trigger: Trigger
    reads: Sequence[Read]
    told: Mapping[str, int]
    interest: Interest
    hand_over: HandOver | None = None
    last_decided_ms: int = 0
    campaigns: Mapping[str, str] = MappingProxyType({})


def compose(occasion: Occasion, account: Account, rep: Rep, directory: Directory, playbook: Playbook) -> Brief:
    """Return the brief on an account for its rep.

    Its id is derived from the account, the trigger and what had been told of the read that met it, and of a hand-over
    from whose it becomes, so working through the same input again gives the same brief.
    """
    trigger, reads = occasion.trigger, occasion.reads
    weighed = weigh(reads, directory, playbook.interest, math.inf, newest_ms(reads))
    topics = tuple(weight.topic for weight in topic_weights(weighed))
    weights = {one.read.page_view_id: one.weight_ms for one in weighed}
    listed = _worth_listing(reads)
    causes = [account.account_id, trigger.kind, trigger.page_view_id, str(occasion.told.get(trigger.page_view_id, 0))]
    causes += [rep.rep_id, account.lifecycle] if occasion.hand_over else []
    return Brief(
        brief_id=derived_id("brief", *causes),
        account_id=account.account_id,
        rep_id=rep.rep_id,
        language=rep.language,
        # Later than the last one, even if it tells of older reads: the newest brief says whose the account is.
        decided_ms=max(trigger.met_ms, occasion.last_decided_ms + 1),
        trigger=trigger,
        reads=tuple(_summary(read, weights.get(read.page_view_id, 0), occasion, directory) for read in listed),
        more_reads=len(reads) - len(listed),
        told=told_of(reads, listed),
        topics=topics,
        advice=advise(weighed, occasion.interest, account, rep, directory, playbook),
        interest=occasion.interest,
        lifecycle=account.lifecycle,
        hand_over=occasion.hand_over,
    )


def told_of(reads: Iterable[Read], listed: Iterable[Read]) -> dict[str, int]:
    """Return how much of which read a brief tells: of those listed, and of the rest as many of the newest as fit.

    A message must not grow with the account. The account's own state has all of it.
    """
    newest = sorted(reads, key=lambda read: (-read.last_ms, read.page_view_id))[:MAX_TOLD]
    kept = {read.page_view_id: read.active_ms for read in (*listed, *newest)}
    return dict(islice(kept.items(), MAX_TOLD))


def _worth_listing(reads: Sequence[Read]) -> list[Read]:
    """Return the longest reads, in the order they were begun."""
    longest = sorted(reads, key=lambda read: (-read.active_ms, read.started_ms, read.page_view_id))[:MAX_READS]
    return sorted(longest, key=lambda read: (read.started_ms, read.page_view_id))


def _summary(read: Read, weight_ms: int, occasion: Occasion, directory: Directory) -> ReadSummary:
    content = directory.contents.get(read.url)
    title = (content.title if content else read.title) or read.url
    section, section_ms = longest_section(read, title)
    clicked = {mark.text: event_id for event_id, mark in reversed(read.clicks.items()) if mark.href and mark.text}
    told_ms = 0 if occasion.hand_over else occasion.told.get(read.page_view_id, 0)
    return ReadSummary(
        page_view_id=read.page_view_id,
        # Who is no longer in the directory is somebody of the account: their id may tell who they were.
        contact_id=read.contact_id if read.contact_id in directory.contacts else "",
        title=title,
        url=read.url,
        started_ms=read.started_ms,
        active_s=round(read.active_ms / 1000),
        depth_pct=read.depth_pct,
        section=section,
        section_s=round(section_ms / 1000),
        skipped=passed_by(read, title)[:MAX_LINES],
        bands=read.bands if any(read.bands) else (),
        clicked=tuple(reversed(clicked))[:MAX_LINES],
        clicked_ids=tuple(reversed(clicked.values()))[:MAX_LINES],
        told_s=told_ms // 1000,
        weight_ms=weight_ms,
        campaign_id=occasion.campaigns.get(read.page_view_id, ""),
        before_known=not read.known,
        confidence=read.confidence,
        method=read.method,
        via=read.via,
    )
