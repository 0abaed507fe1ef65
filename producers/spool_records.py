"""The spool's file format: records one after another, each recognised by its length and checksum. Pure.

What was half written when the power went is told from what was written whole, and no damage hides what follows it: the
mark that begins a record can't stand in JSON, so the next whole record is found.
"""

import struct
import zlib
from typing import NamedTuple

MAX_RECORD_BYTES = 1_000_000

_MARK = b"\xffRB1"
_HEAD = struct.Struct("<II")  # length of the content, its checksum
_ADDRESS = struct.Struct("<BiI")  # topic, partition, of how many partitions
_PREFIX = len(_MARK) + _HEAD.size


class SpoolRecord(NamedTuple):
    """One message on its way to Kafka.

    `topic` is its number in the spool's list of topics; `partition` was chosen of `partitions`, -1 of none.
    """

    topic: int
    partition: int
    partitions: int
    value: bytes


class Scan(NamedTuple):
    """What a piece of a spool file holds: whole records, where the last one ends, and how many bytes are no record."""

    records: tuple[SpoolRecord, ...]
    consumed: int
    damaged: int


def encode(record: SpoolRecord) -> bytes:
    """Return a record as it stands in the file."""
    content = _ADDRESS.pack(record.topic, record.partition, record.partitions) + record.value
    return _MARK + _HEAD.pack(len(content), zlib.crc32(content)) + content


def scan(data: bytes, max_records: int | None = None) -> Scan:
    """Read the whole records of a piece; what ends in its middle is left for later.

    `consumed` is where the last whole record ends. `damaged` counts the bytes before it that belong to none.
    """
    records: list[SpoolRecord] = []
    consumed = damaged = 0
    start = data.find(_MARK)
    while start >= 0 and (max_records is None or len(records) < max_records):
        found = _record_at(data, start)
        if found is None:
            start = data.find(_MARK, start + 1)
            continue
        record, end = found
        records.append(record)
        damaged += start - consumed
        consumed = end
        start = data.find(_MARK, end)
    return Scan(tuple(records), consumed, damaged)


def _record_at(data: bytes, start: int) -> tuple[SpoolRecord, int] | None:
    begin = start + _PREFIX
    if begin > len(data):
        return None
    length, checksum = _HEAD.unpack_from(data, start + len(_MARK))
    end = begin + length
    if length < _ADDRESS.size or end > len(data):
        return None
    content = data[begin:end]
    if zlib.crc32(content) != checksum:
        return None
    topic, partition, partitions = _ADDRESS.unpack_from(content)
    return SpoolRecord(topic, partition, partitions, content[_ADDRESS.size :]), end
