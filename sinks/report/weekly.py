"""From the queries' rows to what the weekly page says. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sinks.report.queries import Query, Row
from sinks.report.week import Week

MAX_LISTED = 8
MIN_READS = 3  # of fewer reads, a share says nothing
EARLY_FROM = 0.3
TENTHS = 10


@dataclass(frozen=True)
class ContentLine:
    """One content: who read it, how many left early, what share reached each tenth, and where most stop."""

    url: str
    title: str
    reads: int
    readers: int
    median_active_s: int
    left_early: int
    reached: tuple[float, ...]
    stops_at: int | None

    @property
    def early_share(self) -> float:
        """Share of the reads that ended early."""
        return self.left_early / self.reads


@dataclass(frozen=True)
class MoverLine:
    """One content that was read before accounts became warmer."""

    url: str
    title: str
    accounts: int
    reads: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Heard:
    """An objection in a rep's words, and when it was heard, in Unix ms."""

    text: str
    rep_id: str
    at_ms: int


@dataclass(frozen=True)
class TopicLine:
    """One topic with what was objected, and the contents that should answer it; empty topic: of no known one."""

    topic: str
    heard: tuple[Heard, ...]
    contents: tuple[str, ...]


@dataclass(frozen=True)
class RepLine:
    """One rep's briefs of the week, and the time until something was done with one, in seconds; None: nothing was."""

    rep_id: str
    name: str
    sent: int
    opened: int
    useful: int
    not_useful: int
    acted: int
    first_action_s: int | None


@dataclass(frozen=True)
class OwnerlessLine:
    """An account nobody looks after."""

    account_id: str
    name: str
    lifecycle: str
    temperature: str


@dataclass(frozen=True)
class Weekly:
    """The page of one week."""

    week: str
    monday: str
    since_ms: int
    until_ms: int
    reads: int
    movers: tuple[MoverLine, ...]
    left: tuple[ContentLine, ...]
    stops: tuple[ContentLine, ...]
    objections: tuple[TopicLine, ...]
    uncovered: tuple[str, ...]
    reps: tuple[RepLine, ...]
    ownerless: tuple[OwnerlessLine, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @property
    def sent(self) -> int:
        """Briefs sent to all reps."""
        return sum(rep.sent for rep in self.reps)

    @property
    def opened(self) -> int:
        """Of those, opened."""
        return sum(rep.opened for rep in self.reps)

    @property
    def useful(self) -> int:
        """Of those, called useful."""
        return sum(rep.useful for rep in self.reps)


def weekly(week: Week, found: Mapping[Query, Sequence[Row]], asked_topics: Sequence[str]) -> Weekly:
    """Return the page of a week. `asked_topics` are those that the playbook has an answer to."""
    contents = [_content(row) for row in found[Query.contents]]
    covered = {str(row["topic"]): tuple(row["contents"]) for row in found[Query.topics]}
    objections = _by_topic(found[Query.objections], covered)
    asked = [*(line.topic for line in objections if line.topic), *asked_topics]
    many = [line for line in contents if line.reads >= MIN_READS]
    left = sorted(
        (line for line in many if line.early_share >= EARLY_FROM), key=lambda one: (-one.early_share, one.url)
    )
    return Weekly(
        week=week.name,
        monday=week.monday.isoformat(),
        since_ms=week.since_ms,
        until_ms=week.until_ms,
        reads=sum(line.reads for line in contents),
        movers=tuple(_mover(row) for row in found[Query.movers][:MAX_LISTED]),
        left=tuple(left[:MAX_LISTED]),
        stops=tuple(many[:MAX_LISTED]),
        objections=objections,
        uncovered=tuple(dict.fromkeys(topic for topic in asked if topic not in covered)),
        reps=tuple(_rep(row) for row in found[Query.reps]),
        ownerless=tuple(
            OwnerlessLine(row["account_id"], row["name"], row["lifecycle"], row["temperature"] or "cold")
            for row in found[Query.owners]
        ),
    )


def _content(row: Row) -> ContentLine:
    reached = tuple(count / row["reads"] for count in row["reached"])
    return ContentLine(
        url=row["url"],
        title=row["title"],
        reads=row["reads"],
        readers=row["readers"],
        median_active_s=round(row["median_active_ms"] / 1000),
        left_early=row["left_early"],
        reached=reached,
        stops_at=_stop(reached),
    )


def _stop(reached: Sequence[float]) -> int | None:
    """Return the tenth (1 on top) in which most readers stop; None if nobody stops before the last one."""
    falls = [before - after for before, after in zip((1.0, *reached), reached, strict=False)]
    largest = max(falls, default=0.0)
    return falls.index(largest) + 1 if largest > 0 else None


def _mover(row: Row) -> MoverLine:
    return MoverLine(row["url"], row["title"], row["accounts"], row["reads"], tuple(row["names"]))


def _by_topic(rows: Sequence[Row], covered: Mapping[str, tuple[str, ...]]) -> tuple[TopicLine, ...]:
    heard: dict[str, list[Heard]] = defaultdict(list)
    for row in rows:
        one = Heard(row["text"], row["rep_id"], _ms(row["at"]))
        for topic in row["topics"]:
            heard[topic].append(one)
    ordered = sorted(heard.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(TopicLine(topic, tuple(said), covered.get(topic, ())[:3]) for topic, said in ordered)


def _rep(row: Row) -> RepLine:
    first_s = round(row["median_first_action_ms"] / 1000) if row["acted"] else None
    return RepLine(
        row["rep_id"],
        row["name"] or row["rep_id"],
        row["sent"],
        row["opened"],
        row["useful"],
        row["not_useful"],
        row["acted"],
        first_s,
    )


def _ms(at: datetime) -> int:
    return round(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)
