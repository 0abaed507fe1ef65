"""The interest summary of one account."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.certainty import CERTAIN
from schemas.message import Id, Message, Model, Percent, UnixMs


class Temperature(StrEnum):
    """How close the account is to deciding."""

    cold = "cold"
    warm = "warm"
    hot = "hot"


class TopicWeight(Model):
    """A topic and how much the account cares, in minutes of well-read content after decay."""

    topic: str
    weight: float


class ContentInterest(Model):
    """What the account made of one content."""

    url: str
    title: str
    active_ms: int
    depth_pct: Percent
    reads: int
    readers: tuple[Id, ...]
    last_ms: UnixMs


class ReaderInterest(Model):
    """A known reader of the account."""

    contact_id: Id
    active_ms: int
    reads: int
    last_ms: UnixMs
    confidence: Annotated[Percent, Field(description="How sure it is that it was them; the best of their reads")] = (
        CERTAIN
    )


class Reason(Model):
    """Why the account has its temperature, with the reads it rests on."""

    kind: str
    points: float
    detail: str = ""
    page_view_ids: tuple[Id, ...] = ()


class Interest(Message):
    """What interests one account: a function of its reads, the directory, the playbook and the time."""

    account_id: Id
    as_of_ms: UnixMs
    temperature: Temperature
    score: float
    reasons: tuple[Reason, ...]
    topics: tuple[TopicWeight, ...]
    contents: tuple[ContentInterest, ...]
    readers: tuple[ReaderInterest, ...]
    active_ms_last_7_days: Annotated[int, Field(description="The trend's numerator")]
    active_ms_prior_7_days: Annotated[int, Field(description="The trend's denominator")]
