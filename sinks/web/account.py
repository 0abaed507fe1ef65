"""One account: who read what and when, what they care about, who is missing, and what reps were told of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from schemas.brief import Brief
from schemas.decision import Decision
from schemas.delivery import Outcome
from schemas.interest import Interest
from sinks.delivery.outside_text import one_line
from sinks.web import account_questions as questions
from sinks.web.asked import Asked
from sinks.web.explained import Entry, Teller
from sinks.web.plots import weight_plot
from sinks.web.routing import PageRoute
from sinks.web.store import Row

MAX_TOPICS = 5
MAX_MOMENTS = 80


@dataclass(frozen=True)
class Moment:
    """Something that one person did: read a page, opened or clicked a mail."""

    at: datetime
    contact_id: str
    kind: str
    title: str
    url: str
    active_ms: int = 0
    depth_pct: int = 0


@dataclass(frozen=True)
class TopicCurve:
    """A topic's weight on the days on which the account was summed up, how far across each day is, and the scale."""

    topic: str
    weights: tuple[float, ...]
    across_pct: tuple[float, ...]
    most: float


def account_page(asked: Asked) -> Response:
    """Show one account; that its viewer may see it is known by now."""
    account = asked.account
    if account is None:
        raise AssertionError("the door lets nobody through without an account")
    moments = in_days(asked, told_moments(asked.ask(questions.READS), asked.ask(questions.MAILS)))
    newest = asked.ask(questions.NEWEST)
    standing = Interest.model_validate_json(newest[0]["message"]) if newest else None
    standings = asked.ask(questions.STANDINGS)
    sections = asked.ask(questions.SECTIONS)
    days = asked.seen["first"], asked.seen["last"]
    return asked.page(
        "account.html.j2",
        tab="accounts",
        account=account,
        standing=standing,
        days=moments,
        contacts=asked.web.directory.contacts_of(account.account_id),
        curves=[(curve, _plot(asked, curve)) for curve in topic_curves(standings, *days)],
        sections=sections,
        longest=max((row["active_ms"] for row in sections), default=0),
        told=_told(asked),
    )


def told_moments(reads: Iterable[Row], mails: Iterable[Row]) -> list[Moment]:
    """Return what people did, newest first."""
    found = [
        Moment(
            datetime.fromtimestamp(row["started_ms"] / 1000, UTC), row["contact_id"], "read",
            row["title"] or row["url"], row["url"], row["active_ms"], row["depth_pct"],
        )
        for row in reads
    ]  # fmt: skip
    found += [
        Moment(row["occurred"].replace(tzinfo=UTC), row["contact_id"], row["type"], "", row["url"]) for row in mails
    ]
    return sorted(found, key=lambda moment: moment.at, reverse=True)


def in_days(asked: Asked, moments: Sequence[Moment]) -> list[tuple[date, list[Moment]]]:
    """Return the newest moments by the days of the viewer's clock."""
    days: dict[date, list[Moment]] = {}
    for moment in moments[:MAX_MOMENTS]:
        days.setdefault(moment.at.astimezone(asked.words.zone).date(), []).append(moment)
    return list(days.items())


def topic_curves(rows: Sequence[Row], first: date, last: date) -> list[TopicCurve]:
    """Return the heaviest topics over the days; all on one scale, so that they can be compared."""
    weights = {topic: [row["topics"].get(topic, 0.0) for row in rows] for row in rows for topic in row["topics"]}
    heaviest = sorted(weights, key=lambda topic: (-weights[topic][-1], -max(weights[topic]), topic))[:MAX_TOPICS]
    most = max((max(weights[topic]) for topic in heaviest), default=0.0) or 1.0
    length = max((last - first).days, 1)
    across_pct = tuple(100 * (row["day"] - first).days / length for row in rows)
    return [TopicCurve(topic, tuple(weights[topic]), across_pct, most) for topic in heaviest]


def _plot(asked: Asked, curve: TopicCurve) -> Markup:
    first, last = (asked.words.number(round(weight, 1)) for weight in (curve.weights[0], curve.weights[-1]))
    topic = one_line(asked.topic_name(curve.topic))
    label = asked.words.say("account.topic_label", topic=topic, first=first, last=last)
    return weight_plot(curve.across_pct, curve.weights, curve.most, label)


def _told(asked: Asked) -> list[Entry]:
    def moment(at_ms: int) -> str:
        return asked.words.moment(datetime.fromtimestamp(at_ms / 1000, UTC))

    def texts(question: Any) -> list[str]:
        return [row["message"] for row in asked.ask(question)]

    teller = Teller(asked.words, asked.rep_name, moment)
    entries = teller.timeline(
        map(Brief.model_validate_json, texts(questions.BRIEFS)),
        map(Decision.model_validate_json, texts(questions.DECISIONS)),
        map(Outcome.model_validate_json, texts(questions.OUTCOMES)),
    )
    return list(reversed(entries))


QUESTIONS = questions.QUESTIONS
ROUTES = (PageRoute("/accounts/{account_id}", account_page),)
