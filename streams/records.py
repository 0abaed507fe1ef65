"""A stage's state: per key a few records, each a message of the changelog, so that only what changed is written."""

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

HEAD = b""
"""The name of a key's first record; most keys have no other."""


class Records(dict[bytes, bytes]):
    """One key's records by name. `decoded` may keep what a stage made of them; it is gone once they change."""

    decoded: Any = None


class Change(NamedTuple):
    """A record to write under a key, or to delete if there is no value."""

    key: str
    name: bytes
    value: bytes | None


class Table(Protocol):
    """What a stage may ask of its state."""

    def get(self, key: str) -> Records | None:
        """Return a key's records, or None if it has none."""

    def among(self, keys: Iterable[str]) -> set[str]:
        """Return those of some keys that have records."""


class MemoryTable:
    """Records in memory. At most `max_decoded` keys keep what was made of their records, those used last."""

    def __init__(self, max_decoded: int = 20_000) -> None:
        """Start empty."""
        self.keys: dict[str, Records] = {}
        self._decoded: dict[str, None] = {}  # an ordered set, longest unused first
        self._max_decoded = max_decoded

    def get(self, key: str) -> Records | None:
        """Return a key's records, or None if it has none."""
        return self.keys.get(key)

    def among(self, keys: Iterable[str]) -> set[str]:
        """Return those of some keys that have records."""
        return self.keys.keys() & keys

    def apply(self, changes: Iterable[Change]) -> None:
        """Write and delete records."""
        for key, name, value in changes:
            records = self.keys.get(key)
            if value is None:
                if records is None or records.pop(name, None) is None:
                    continue
                if not records:
                    del self.keys[key]
            else:
                if records is None:
                    records = self.keys[key] = Records()
                records[name] = value
            records.decoded = None

    def keep_decoded(self, key: str, made: object) -> None:
        """Remember what a stage has made of a key's records as they are now."""
        if (records := self.keys.get(key)) is None:
            return
        records.decoded = made
        self._decoded.pop(key, None)
        self._decoded[key] = None
        if len(self._decoded) > self._max_decoded:
            unused = next(iter(self._decoded))
            del self._decoded[unused]
            if (old := self.keys.get(unused)) is not None:
                old.decoded = None
