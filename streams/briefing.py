"""Composing a brief: what they read, how far, where they lingered, what to stress, what to say."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.brief import Advice, Brief, HandOver, Objection, ReadSummary, Trigger
from schemas.directory import Account, Directory, Rep
from schemas.ids import derived_id
from schemas.interest import Interest
from schemas.playbook import Playbook, TopicPlay
from schemas.reads import Read
from streams.interest import topic_weights
from streams.reading import longest_section
from streams.weighing import newest_ms, weigh

MAX_READS = 12
MAX_TOPICS = 2
MAX_LINES = 4


class Occasion(NamedTuple):
    """What a brief is made of: the trigger, the reads it tells of, and the account's interest at that time.

    To one to whom the account is handed over it tells of all reads, to others of those that are new.
    """

    trigger: Trigger
    reads: Sequence[Read]
    told: Mapping[str, int]
    interest: Interest
    hand_over: HandOver | None = None
    last_decided_ms: int = 0


def compose(occasion: Occasion, account: Account, rep: Rep, directory: Directory, playbook: Playbook) -> Brief:
    """Return the brief on an account for its rep.

    Its id is derived from the account, the trigger and what had been told of the read that met it, and of a hand-over
    from whose it becomes, so working through the same input again gives the same brief.
    """
    trigger, reads = occasion.trigger, occasion.reads
    weighed = weigh(reads, directory, playbook.interest, math.inf, newest_ms(reads))
    topics = tuple(weight.topic for weight in topic_weights(weighed))
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
        reads=tuple(_summary(read, directory) for read in listed),
        more_reads=len(reads) - len(listed),
        told={read.page_view_id: read.active_ms for read in reads},
        topics=topics,
        advice=_advice(reads, topics, account, rep.language, occasion.interest, directory, playbook),
        interest=occasion.interest,
        lifecycle=account.lifecycle,
        hand_over=occasion.hand_over,
    )


def _worth_listing(reads: Sequence[Read]) -> list[Read]:
    """Return the longest reads, in the order they were begun."""
    longest = sorted(reads, key=lambda read: (-read.active_ms, read.started_ms, read.page_view_id))[:MAX_READS]
    return sorted(longest, key=lambda read: (read.started_ms, read.page_view_id))


def _summary(read: Read, directory: Directory) -> ReadSummary:
    content = directory.contents.get(read.url)
    title = (content.title if content else read.title) or read.url
    section, section_ms = longest_section(read, title)
    clicked = dict.fromkeys(mark.text for mark in read.clicks.values() if mark.href and mark.text)
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
        clicked=tuple(clicked)[:MAX_LINES],
        before_known=not read.known,
        confidence=read.confidence,
        method=read.method,
        via=read.via,
    )


def _advice(
    reads: Sequence[Read],
    topics: Sequence[str],
    account: Account,
    language: str,
    interest: Interest,
    directory: Directory,
    playbook: Playbook,
) -> Advice:
    def say(texts: Sequence[str | dict[str, str]]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(playbook.say(text, language) for text in texts))[:MAX_LINES]

    plays = [playbook.topics[topic] for topic in topics if topic in playbook.topics][:MAX_TOPICS]
    functions = dict.fromkeys(
        contact.function
        for read in sorted(reads, key=lambda read: (-read.active_ms, read.page_view_id))
        if (contact := directory.contacts.get(read.contact_id)) and contact.function
    )
    next_step = playbook.next_steps.get(interest.temperature)
    names = [playbook.topics[topic].name if topic in playbook.topics else topic for topic in topics]
    return Advice(
        topics=say(names),
        stress=say([text for play in plays for text in play.stress]),
        ask=say([text for play in plays for text in play.ask]),
        objections=_objections(plays, language, playbook),
        concerns=say([text for function in functions for text in playbook.concerns.get(function, ())]),
        references=say(playbook.references.get(account.industry, ()) if account.industry else ()),
        expert=next((play.expert for play in plays if play.expert), ""),
        next_step=playbook.say(next_step, language) if next_step else "",
    )


def _objections(plays: Sequence[TopicPlay], language: str, playbook: Playbook) -> tuple[Objection, ...]:
    return tuple(
        Objection(says=playbook.say(objection.says, language), answer=playbook.say(objection.answer, language))
        for play in plays
        for objection in play.objections
    )[:MAX_LINES]
