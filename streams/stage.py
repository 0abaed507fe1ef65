"""What a stage is: from messages, and keys that are due, to what is to be sent and written.

A stage reads its keys' states from a table, but leaves sending and writing to the caller, who does them in this
order: send, then write, then commit. So a crash in between repeats work, and loses none.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from schemas.message import Message
from schemas.topics import Topic
from streams.records import Change, Table


class Written(NamedTuple):
    """A message that is bytes already."""

    data: bytes

    def to_bytes(self) -> bytes:
        """Return the message."""
        return self.data


class Send(NamedTuple):
    """One message to send; without a partition, the key's hash chooses it."""

    topic: Topic
    key: str
    message: Message | Written
    partition: int | None = None


@dataclass
class Work:
    """What is to be sent, then written; when keys are to be looked at again, and what was made of their records.

    Keys that are `put_off` are looked at before they are due, once no messages come.
    """

    sends: list[Send] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    due: dict[str, int | None] = field(default_factory=dict)
    decoded: dict[str, Any] = field(default_factory=dict)
    put_off: set[str] = field(default_factory=set)


class Incoming(NamedTuple):
    """One message of a topic, as it came."""

    topic: str
    partition: int
    offset: int
    value: bytes
    at_ms: int = 0
    """When it was put there, in Unix milliseconds; 0 if not known."""

    @property
    def origin(self) -> str:
        """Where it stood, for a dead letter."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Stage(Protocol):
    """One keyed stage of the pipeline."""

    def handle(self, messages: Sequence[Incoming], table: Table, now_ms: int, due: Collection[str] = ()) -> Work:
        """Return what messages of one partition call for, and keys of it that are due; each key is written once.

        Raises:
            pydantic.ValidationError, msgspec.MsgspecError: a message, or the state under its key, can't be read.
        """
