"""What interests an account: a function of its reads, the directory, the playbook's rules and the time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from schemas.directory import Content, Directory
from schemas.interest import ContentInterest, Interest, ReaderInterest, Reason, Temperature, TopicWeight
from schemas.playbook import Playbook, TemperatureRules
from schemas.reads import Read

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
MAX_LISTED = 50
MAX_CREDIT = 2.0  # reading twice as long as expected tells no more


def summarise(
    account_id: str, reads: Iterable[Read], directory: Directory, playbook: Playbook, now_ms: int
) -> Interest:
    """Return the summary of an account as of a moment, in Unix milliseconds."""
    ordered = sorted((read for read in reads if read.active_ms), key=lambda read: (read.started_ms, read.page_view_id))
    rules = playbook.temperature
    decay = _decay(rules.half_life_days, now_ms)
    minutes = {read.page_view_id: well_read_minutes(read, directory) * decay(read.last_ms) for read in ordered}
    reasons = _reasons(ordered, minutes, directory, playbook, decay)
    score = sum(reason.points for reason in reasons)
    return Interest(
        account_id=account_id,
        as_of_ms=now_ms,
        temperature=_temperature(score, rules),
        score=round(score, 3),
        reasons=reasons,
        topics=topic_weights(ordered, minutes, directory),
        contents=_contents(ordered),
        readers=_readers(ordered),
        active_ms_last_7_days=sum(r.active_ms for r in ordered if r.last_ms > now_ms - WEEK_MS),
        active_ms_prior_7_days=sum(
            r.active_ms for r in ordered if now_ms - 2 * WEEK_MS < r.last_ms <= now_ms - WEEK_MS
        ),
    )


def well_read_minutes(read: Read, directory: Directory) -> float:
    """Return the minutes actively read, credited up to twice the content's expected reading time."""
    content = directory.contents.get(read.url)
    expected_ms = (content.reading_time_s if content else Content.model_fields["reading_time_s"].default) * 1000
    return min(read.active_ms, MAX_CREDIT * expected_ms) / 60_000


def topic_weights(reads: Sequence[Read], minutes: dict[str, float], directory: Directory) -> tuple[TopicWeight, ...]:
    """Return the topics of the reads' contents by weight, heaviest first; a content's topics count in full each."""
    weights: dict[str, float] = defaultdict(float)
    for read in reads:
        if content := directory.contents.get(read.url):
            for topic in content.topics:
                weights[topic] += minutes[read.page_view_id]
    heaviest = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_LISTED]
    return tuple(TopicWeight(topic=topic, weight=round(weight, 3)) for topic, weight in heaviest)


def _decay(half_life_days: float, now_ms: int) -> Callable[[int], float]:
    return lambda at_ms: 0.5 ** (max(0, now_ms - at_ms) / DAY_MS / half_life_days)


def _temperature(score: float, rules: TemperatureRules) -> Temperature:
    if score >= rules.hot_at:
        return Temperature.hot
    return Temperature.warm if score >= rules.warm_at else Temperature.cold


def _reasons(
    reads: Sequence[Read],
    minutes: dict[str, float],
    directory: Directory,
    playbook: Playbook,
    decay: Callable[[int], float],
) -> tuple[Reason, ...]:
    """Return what makes the score, heaviest first; each reason names the reads it rests on."""
    rules = playbook.temperature
    reasons = []
    if reads:
        points = rules.points_per_read_minute * sum(minutes.values())
        ids = tuple(read.page_view_id for read in reads[-MAX_LISTED:])
        reasons.append(Reason(kind="reading", points=round(points, 3), page_view_ids=ids))
    by_url: dict[str, list[Read]] = defaultdict(list)
    for read in reads:
        content = directory.contents.get(read.url)
        if content and content.stage in playbook.triggers.high_intent_stages:
            by_url[read.url].append(read)
    for url, hits in sorted(by_url.items()):
        points = rules.points_high_intent_read * max(decay(read.last_ms) for read in hits)
        ids = tuple(read.page_view_id for read in hits[-MAX_LISTED:])
        title = directory.contents[url].title
        reasons.append(Reason(kind="high_intent", points=round(points, 3), detail=title, page_view_ids=ids))
    by_reader: dict[str, list[Read]] = defaultdict(list)
    for read in reads:
        if read.contact_id:
            by_reader[read.contact_id].append(read)
    for contact_id, theirs in sorted(by_reader.items()):
        if len({read.started_ms // DAY_MS for read in theirs}) > 1:
            ids = tuple(read.page_view_id for read in theirs[-MAX_LISTED:])
            points = rules.points_returning_reader * decay(theirs[-1].last_ms)
            reasons.append(Reason(kind="returned", points=round(points, 3), detail=contact_id, page_view_ids=ids))
    if len(by_reader) > 1:
        last = sorted((theirs[-1] for theirs in by_reader.values()), key=lambda r: (r.last_ms, r.page_view_id))
        points = rules.points_second_reader * decay(last[-2].last_ms)
        ids = tuple(read.page_view_id for read in last[-MAX_LISTED:])
        detail = str(len(by_reader))
        reasons.append(Reason(kind="several_readers", points=round(points, 3), detail=detail, page_view_ids=ids))
    return tuple(sorted(reasons, key=lambda reason: (-reason.points, reason.kind, reason.detail)))


def _contents(reads: Sequence[Read]) -> tuple[ContentInterest, ...]:
    by_url: dict[str, list[Read]] = defaultdict(list)
    for read in reads:
        by_url[read.url].append(read)
    contents = [
        ContentInterest(
            url=url,
            title=max(read.title for read in group),
            active_ms=sum(read.active_ms for read in group),
            depth_pct=max(read.depth_pct for read in group),
            reads=len(group),
            readers=tuple(sorted({read.contact_id for read in group if read.contact_id}))[:MAX_LISTED],
            last_ms=max(read.last_ms for read in group),
        )
        for url, group in by_url.items()
    ]
    return tuple(sorted(contents, key=lambda content: (-content.active_ms, content.url))[:MAX_LISTED])


def _readers(reads: Sequence[Read]) -> tuple[ReaderInterest, ...]:
    by_contact: dict[str, list[Read]] = defaultdict(list)
    for read in reads:
        if read.contact_id:
            by_contact[read.contact_id].append(read)
    readers = [
        ReaderInterest(
            contact_id=contact_id,
            active_ms=sum(read.active_ms for read in group),
            reads=len(group),
            last_ms=max(read.last_ms for read in group),
            confidence=max(read.confidence for read in group),
        )
        for contact_id, group in by_contact.items()
    ]
    return tuple(sorted(readers, key=lambda reader: (-reader.active_ms, reader.contact_id))[:MAX_LISTED])
