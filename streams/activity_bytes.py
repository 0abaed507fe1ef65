"""Writes an `Activity` of envelopes that are JSON already: they go on as they came, neither built nor written anew."""

from collections.abc import Iterable
from typing import Literal, Self

import msgspec

from schemas.activity import Ownership


class Item(msgspec.Struct, gc=False):
    """An `ActivityItem`, to be written."""

    contact_id: str
    known: bool
    envelope: msgspec.Raw


class Whose(msgspec.Struct, gc=False):
    """An `Ownership`, to be written."""

    json: msgspec.Raw

    @classmethod
    def of(cls, ownership: Ownership) -> Self:
        """Write it."""
        return cls(msgspec.Raw(ownership.to_plain_bytes()))


class _Activity(msgspec.Struct):
    account_id: str
    owners: list[msgspec.Raw]
    items: list[Item]
    came_ms: int
    v: Literal[1] = 1


_encoder = msgspec.json.Encoder()


def activity_bytes(account_id: str, parts: Iterable[Whose | Item], came_ms: int = 0) -> bytes:
    """Return the bytes of an `Activity` that tells whose the visitors are and what they did, and when that came in."""
    owners, items = [], []
    for one in parts:
        if isinstance(one, Whose):
            owners.append(one.json)
        else:
            items.append(one)
    return _encoder.encode(_Activity(account_id, owners, items, came_ms))
