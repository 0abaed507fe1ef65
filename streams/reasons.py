"""Why an account is as warm as it is: each reason with its points, and the reads it rests on."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from schemas.interest import Reason
from schemas.playbook import Playbook
from streams.email_interest import CountedClick
from streams.warmth import is_high_intent
from streams.weighing import MINUTE_MS, UNKNOWN, Weighed, decay

MAX_IDS = 50


def reasons_of(
    weighed: Sequence[Weighed], playbook: Playbook, as_of_ms: int, clicks: Sequence[CountedClick] = ()
) -> tuple[Reason, ...]:
    """Return what makes the score of reads and mails' clicks, in order, as of a moment; the heaviest first."""
    rules = playbook.temperature

    def left(points: float, since_ms: int) -> float:
        return points * decay(as_of_ms - since_ms, rules.half_life_days)

    reasons = []
    if weighed:
        points = rules.points_per_read_minute * sum(one.weight_ms for one in weighed) / MINUTE_MS
        reasons.append(_reason("reading", points, weighed))
    reasons += _high_intent(weighed, playbook, left)
    reasons += _readers(weighed, playbook, left)
    reasons += _email_clicks(clicks, playbook, left)
    return tuple(sorted(reasons, key=lambda one: (-one.points, one.kind, one.detail, one.page_view_ids)))


def _high_intent(weighed: Sequence[Weighed], playbook: Playbook, left: Callable[[float, int], float]) -> list[Reason]:
    by_url: dict[str, list[Weighed]] = defaultdict(list)
    for one in weighed:
        if is_high_intent(one, playbook.triggers):
            by_url[one.read.url].append(one)
    points = playbook.temperature.points_high_intent_read
    return [
        _reason("high_intent", left(points, hits[-1].read.last_ms), hits, content.title)
        for hits in by_url.values()
        if (content := hits[-1].content)
    ]


def _readers(weighed: Sequence[Weighed], playbook: Playbook, left: Callable[[float, int], float]) -> list[Reason]:
    rules = playbook.temperature
    by_reader: dict[str, list[Weighed]] = defaultdict(list)
    returned = set()
    for one in weighed:
        by_reader[one.reader].append(one)
        if one.came_back:
            returned.add(one.reader)
    reasons = []
    for reader in returned:
        theirs = by_reader[reader]
        points = left(rules.points_returning_reader, theirs[-1].read.last_ms)
        reasons.append(_reason("returned", points, theirs, "" if reader.startswith(UNKNOWN) else reader))
    if len(by_reader) > 1:
        newest = sorted((theirs[-1] for theirs in by_reader.values()), key=_order)
        points = left(rules.points_second_reader, newest[-2].read.last_ms)
        reasons.append(_reason("several_readers", points, newest, str(len(by_reader))))
    return reasons


def _email_clicks(
    clicks: Sequence[CountedClick], playbook: Playbook, left: Callable[[float, int], float]
) -> list[Reason]:
    by_campaign: dict[str, list[CountedClick]] = defaultdict(list)
    for click in clicks:
        by_campaign[click.campaign_id].append(click)
    most = playbook.temperature.points_email_click
    return [
        Reason(
            kind="email_click",
            points=round(sum(left(most * click.share, click.at_ms) for click in group), 3),
            detail=campaign_id,
            page_view_ids=tuple(dict.fromkeys(each for click in group for each in click.page_view_ids))[-MAX_IDS:],
        )
        for campaign_id, group in by_campaign.items()
    ]


def _order(one: Weighed) -> tuple[int, str]:
    return one.read.last_ms, one.read.page_view_id


def _reason(kind: str, points: float, rests_on: Sequence[Weighed], detail: str = "") -> Reason:
    ids = tuple(one.read.page_view_id for one in rests_on[-MAX_IDS:])
    return Reason(kind=kind, points=round(points, 3), detail=detail, page_view_ids=ids)
