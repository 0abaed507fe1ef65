"""The interest summary of one account."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.certainty import CERTAIN
from schemas.directory import BuyingRole, Function, Stage
from schemas.emails import EmailInterest
from schemas.message import Id, Message, Model, Percent, UnixMs


class Temperature(StrEnum):
    """How close the account is to deciding."""

    cold = "cold"
    warm = "warm"
    hot = "hot"


TEMPERATURES = tuple(Temperature)
"""From cold to hot."""


class TopicWeight(Model):
    """A topic and how much the account cares, in minutes of well-read content after decay."""

    topic: str
    weight: float


class StageWeight(Model):
    """A stage of buying and how much was read for it, in minutes of well-read content after decay."""

    stage: Stage
    weight: float


class ContentInterest(Model):
    """What the account made of one content."""

    url: str
    title: str
    active_ms: int
    depth_pct: Annotated[Percent, Field(description="The deepest read")]
    reads: int
    readers: Annotated[tuple[Id, ...], Field(description="Known ones")]
    last_ms: UnixMs
    returns: Annotated[int, Field(description="Reads by somebody who came back to it")] = 0
    unknown_visitors: int = 0


class ReaderInterest(Model):
    """A known reader of the account."""

    contact_id: Id
    active_ms: int
    reads: int
    last_ms: UnixMs
    confidence: Annotated[Percent, Field(description="How sure it is that it was them; the best of their reads")] = (
        CERTAIN
    )
    role: BuyingRole | None = None
    function: Function | None = None


class FunctionCoverage(Model):
    """What one function of the company has read."""

    function: Function
    contacts: Annotated[int, Field(description="Known people of this function")]
    readers: Annotated[int, Field(description="Those of them who have read")] = 0
    unread_contacts: Annotated[tuple[Id, ...], Field(description="Known people of it who have not read")] = ()
    active_ms: int = 0
    topics: Annotated[tuple[str, ...], Field(description="Heaviest first")] = ()
    stages: Annotated[tuple[Stage, ...], Field(description="In the order of buying")] = ()


class Committee(Model):
    """Who takes part in buying, and who of them has read."""

    functions: tuple[FunctionCoverage, ...]
    missing: Annotated[tuple[Function, ...], Field(description="Of the committee, and nobody has read")] = ()
    unread_contacts: Annotated[tuple[Id, ...], Field(description="Known people of any function or none")] = ()


class TrendWord(StrEnum):
    """This week's reading, against the account's own past weeks."""

    new = "new"
    rising = "rising"
    steady = "steady"
    falling = "falling"


class Trend(Model):
    """This week's reading and the mean of the account's past weeks, in active milliseconds."""

    word: TrendWord
    week_ms: int
    usual_week_ms: int
    past_weeks: int


class Silence(Model):
    """The account read nothing for a long time, then came back: the last time this happened."""

    days: int
    ended_ms: UnixMs
    page_view_id: Annotated[Id, Field(description="The read that ended it")]


class Rise(Model):
    """The last time the temperature went up, and the read that did it."""

    before: Temperature
    after: Temperature
    at_ms: UnixMs
    page_view_id: Id


class Reason(Model):
    """Why the account has its temperature, with the reads it rests on."""

    kind: str
    points: float
    detail: str = ""
    page_view_ids: Annotated[tuple[Id, ...], Field(description="The newest ones, oldest first")] = ()


class Interest(Message):
    """What interests one account: a function of its set of reads, the directory, the playbook and `as_of_ms`.

    `as_of_ms` is when the newest read was last active, or the later moment at which the account cooled.
    """

    account_id: Id
    as_of_ms: UnixMs
    temperature: Temperature
    score: float
    reasons: tuple[Reason, ...]
    topics: tuple[TopicWeight, ...]
    contents: tuple[ContentInterest, ...]
    readers: tuple[ReaderInterest, ...]
    active_ms_last_7_days: Annotated[int, Field(description="Read in the 7 days before `as_of_ms`")]
    active_ms_prior_7_days: Annotated[int, Field(description="Read in the 7 days before those")]
    unknown_visitors: Annotated[int, Field(description="Visitors of the account whose names are not known")] = 0
    committee: Committee | None = None
    trend: Trend | None = None
    silence: Silence | None = None
    rise: Rise | None = None
    email: Annotated[EmailInterest | None, Field(description="None if no mail was reported")] = None
    buying_stage: Stage | None = None
    stages: tuple[StageWeight, ...] = ()
    cools_ms: Annotated[
        UnixMs | None, Field(description="When the temperature falls if nothing more is read; none if cold")
    ] = None
