"""A message that could not be used, kept whole with the reason."""

import base64
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from schemas.ids import derived_id
from schemas.message import Message, UnixMs


class DeadLetterStage(StrEnum):
    """Where the message was refused."""

    collector = "collector"
    visitors = "visitors"
    accounts = "accounts"
    reps = "reps"
    clickhouse = "clickhouse"
    delivery = "delivery"
    directory = "directory"


class DeadLetter(Message):
    """The original bytes, where they came from, and why they were refused."""

    dead_letter_id: str
    stage: DeadLetterStage
    origin: Annotated[str, Field(description="Topic, partition and offset; or the HTTP path")]
    reason: Annotated[str, Field(max_length=2000)]
    at_ms: UnixMs
    payload: Annotated[str, Field(description="The original bytes, base64")]

    @classmethod
    def of(cls, stage: DeadLetterStage, origin: str, reason: str, payload: bytes, at_ms: int) -> Self:
        """Make a dead letter whose id is derived from where it was, and what it holds."""
        encoded = base64.b64encode(payload).decode()
        return cls(
            dead_letter_id=derived_id("dead", stage, origin, encoded),
            stage=stage,
            origin=origin,
            reason=reason[:2000],
            at_ms=at_ms,
            payload=encoded,
        )

    def payload_bytes(self) -> bytes:
        """Return the original bytes."""
        return base64.b64decode(self.payload)
