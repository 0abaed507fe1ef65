"""What interests an account: a function of its set of reads, the directory, the playbook and a moment."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from schemas.directory import Directory
from schemas.interest import ContentInterest, Interest, ReaderInterest, StageWeight, TopicWeight
from schemas.playbook import Playbook
from schemas.reads import Read
from streams.buying_stage import buying_stage_of, weight_by_stage
from streams.committee import committee_of
from streams.email_interest import NO_MAILS, Mails
from streams.reasons import reasons_of
from streams.rhythm import silence_of, trend_of, weeks_of
from streams.warmth import warmth_of
from streams.weighing import UNKNOWN, Weighed, minutes, newest_ms, weigh

MAX_LISTED = 50
MAX_REASONS = 20  # with `MAX_LISTED` it bounds a summary far below what a broker takes, whatever visitors send


def summarise(
    account_id: str,
    reads: Iterable[Read],
    directory: Directory,
    playbook: Playbook,
    as_of_ms: int = 0,
    mails: Mails = NO_MAILS,
) -> Interest:
    """Return the summary of an account as of what is newest of it, or as of a later moment, in Unix milliseconds.

    The clock does not come into it: the same reads give the same bytes, in whatever order and whenever.
    """
    known = list(reads)
    as_of_ms = max(as_of_ms, newest_ms(known), mails.newest_ms)
    rules = playbook.interest
    weighed = weigh(known, directory, rules, playbook.temperature.half_life_days, as_of_ms)
    account = directory.accounts.get(account_id)
    warmth = warmth_of(weighed, playbook, as_of_ms, mails.counted)
    reasons = reasons_of(weighed, playbook, as_of_ms, mails.counted)
    weeks = weeks_of(weighed, as_of_ms)
    stages = weight_by_stage(weighed)
    return Interest(
        account_id=account_id,
        as_of_ms=as_of_ms,
        temperature=warmth.temperature,
        score=round(sum(reason.points for reason in reasons), 3),
        reasons=reasons[:MAX_REASONS],
        topics=topic_weights(weighed),
        contents=_contents(weighed),
        readers=_readers(weighed, directory),
        active_ms_last_7_days=weeks[0],
        active_ms_prior_7_days=weeks[1] if len(weeks) > 1 else 0,
        unknown_visitors=len({one.reader for one in weighed if one.reader.startswith(UNKNOWN)}),
        committee=committee_of(account_id, weighed, directory, playbook.committee),
        trend=trend_of(weeks, rules) if weighed else None,
        silence=silence_of(weighed, rules),
        rise=warmth.rise,
        email=mails.interest,
        buying_stage=buying_stage_of(stages, account.lifecycle if account else None, rules),
        stages=tuple(StageWeight(stage=stage, weight=minutes(ms)) for stage, ms in stages.items()),
        cools_ms=warmth.cools_ms,
    )


def topic_weights(weighed: Iterable[Weighed]) -> tuple[TopicWeight, ...]:
    """Return the topics of the reads' contents by weight, heaviest first; a content's topics count in full each."""
    weights: dict[str, int] = defaultdict(int)
    for one in weighed:
        if one.content:
            for topic in one.content.topics:
                weights[topic] += one.weight_ms
    heaviest = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_LISTED]
    return tuple(TopicWeight(topic=topic, weight=minutes(weight_ms)) for topic, weight_ms in heaviest)


def _contents(weighed: Sequence[Weighed]) -> tuple[ContentInterest, ...]:
    by_url: dict[str, list[Weighed]] = defaultdict(list)
    for one in weighed:
        by_url[one.read.url].append(one)
    spent = {url: sum(one.read.active_ms for one in group) for url, group in by_url.items()}
    longest = sorted(spent, key=lambda url: (-spent[url], url))[:MAX_LISTED]
    return tuple(_content(url, by_url[url], spent[url]) for url in longest)


def _content(url: str, group: Sequence[Weighed], active_ms: int) -> ContentInterest:
    readers = {one.reader for one in group}
    known = sorted(reader for reader in readers if not reader.startswith(UNKNOWN))
    content = group[-1].content
    return ContentInterest(
        url=url,
        title=content.title if content else max(one.read.title for one in group),
        active_ms=active_ms,
        depth_pct=max(one.read.depth_pct for one in group),
        reads=len(group),
        readers=tuple(known[:MAX_LISTED]),
        last_ms=group[-1].read.last_ms,
        returns=sum(one.read_again for one in group),
        unknown_visitors=len(readers) - len(known),
    )


def _readers(weighed: Sequence[Weighed], directory: Directory) -> tuple[ReaderInterest, ...]:
    by_reader: dict[str, list[Weighed]] = defaultdict(list)
    for one in weighed:
        if not one.reader.startswith(UNKNOWN):
            by_reader[one.reader].append(one)
    readers = []
    for contact_id, group in by_reader.items():
        contact = directory.contacts.get(contact_id)
        readers.append(
            ReaderInterest(
                contact_id=contact_id,
                active_ms=sum(one.read.active_ms for one in group),
                reads=len(group),
                last_ms=group[-1].read.last_ms,
                confidence=max(one.read.confidence for one in group),
                role=contact.role if contact else None,
                function=contact.function if contact else None,
            )
        )
    return tuple(sorted(readers, key=lambda reader: (-reader.active_ms, reader.contact_id))[:MAX_LISTED])
