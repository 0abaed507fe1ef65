"""Finds where a block of ClickHouse's Native format ends, without making values of it.

The protocol gives no length for a block, and chDB takes and gives the very bytes that clients send and expect. So
blocks pass through whole, and all that is read of them is what tells their end.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, Protocol

from clickhouse_driver.bufferedreader import BufferedSocketReader
from clickhouse_driver.reader import read_binary_str, read_binary_uint64
from clickhouse_driver.varint import read_varint, write_varint
from clickhouse_driver.writer import write_binary_str

from readbrief.embedded.native_types import parse_type

_BUFFER_BYTES = 256 * 1024
_STRINGS_AT_ONCE = 65536
_KEYS_FOLLOW_BIT = 1 << 9


class MalformedBlockError(Exception):
    """Bytes that can't be a block."""


@dataclass(frozen=True)
class Block:
    """A block as it was sent: its columns' names and types, its number of rows, and all of its bytes."""

    columns: tuple[tuple[str, str], ...]
    rows: int
    raw: bytes


class _Source(Protocol):
    def recv_into(self, buffer: bytearray, /) -> int: ...


class RecordingReader(BufferedSocketReader):  # type: ignore[misc]
    """A buffered reader that can hand out the bytes it has gone over."""

    def __init__(self, source: _Source) -> None:
        super().__init__(source, _BUFFER_BYTES)
        self._recorded: list[bytes] | None = None
        self._mark = 0

    def read_into_buffer(self) -> None:
        """Fill the buffer anew, after keeping what is being recorded. Raises EOFError at the end."""
        if self._recorded is not None:  # up to the buffer's end: it is filled anew only when it is used up
            self._recorded.append(bytes(memoryview(self.buffer)[self._mark : self.current_buffer_size]))
        self._mark = 0
        super().read_into_buffer()

    def start_recording(self) -> None:
        """Begin to keep what is read from here."""
        self._recorded = []
        self._mark = self.position

    def stop_recording(self) -> bytes:
        """Give back what has been read since recording began."""
        parts = self._recorded or []
        parts.append(bytes(memoryview(self.buffer)[self._mark : self.position]))
        self._recorded = None
        return b"".join(parts)

    def has_buffered(self) -> bool:
        """Tell whether bytes were received that nobody has read yet."""
        return bool(self.position < self.current_buffer_size)


def read_block(reader: RecordingReader) -> Block:
    """Read one block, which is preceded by nothing of the protocol.

    Raises MalformedBlockError for bytes that are no block, UnsupportedTypeError for a type whose length is not known.
    """
    reader.start_recording()
    column_count, rows = read_varint(reader), read_varint(reader)
    columns = tuple(_skip_column(reader, rows) for _ in range(column_count))
    return Block(columns, rows, reader.stop_recording())


def split_blocks(raw: bytes) -> Iterator[Block]:
    """Cut a file in Native format into its blocks. Raises UnsupportedTypeError if it holds such a type."""
    source = _BytesSource(raw)
    reader = RecordingReader(source)
    while source.remaining or reader.has_buffered():
        yield read_block(reader)


def header_block(columns: Iterable[tuple[str, str]]) -> bytes:
    """Make the block without rows that tells a client the columns of what follows."""
    buffer = BytesIO()
    columns = tuple(columns)
    write_varint(len(columns), buffer)
    write_varint(0, buffer)
    for name, type_name in columns:
        write_binary_str(name, buffer)
        write_binary_str(type_name, buffer)
    return buffer.getvalue()


def retyped(raw: bytes, types: list[str]) -> bytes:
    """Give a block's columns other types' names, for values that lie in it the same way."""
    reader = RecordingReader(_BytesSource(raw))
    buffer = BytesIO()
    column_count, rows = read_varint(reader), read_varint(reader)
    write_varint(column_count, buffer)
    write_varint(rows, buffer)
    for type_name in types:
        write_binary_str(read_binary_str(reader), buffer)
        sent_type = read_binary_str(reader)
        write_binary_str(type_name, buffer)
        reader.start_recording()
        _skip_values(reader, sent_type, rows)
        buffer.write(reader.stop_recording())
    return buffer.getvalue()


class _BytesSource:
    def __init__(self, raw: bytes) -> None:
        self._raw = BytesIO(raw)
        self._size = len(raw)

    @property
    def remaining(self) -> int:
        return self._size - self._raw.tell()

    def recv_into(self, buffer: bytearray, /) -> int:
        return self._raw.readinto(buffer)


def _skip_column(reader: RecordingReader, rows: int) -> tuple[str, str]:
    try:
        name, type_name = read_binary_str(reader), read_binary_str(reader)
    except (UnicodeDecodeError, MemoryError, OverflowError) as error:
        raise MalformedBlockError("a column has neither name nor type") from error
    _skip_values(reader, type_name, rows)
    return name, type_name


def _skip_values(reader: RecordingReader, type_name: str, rows: int) -> None:
    if rows:
        layout = layout_of(type_name)
        layout.skip_prefix(reader)
        layout.skip(reader, rows)


class Layout(Protocol):
    """How the values of one type lie in a column."""

    def skip_prefix(self, reader: Any) -> None:
        """Pass over what stands once before all of the column's values."""

    def skip(self, reader: Any, rows: int) -> None:
        """Pass over the values of so many rows."""


def _skip_bytes(reader: Any, count: int) -> None:
    while count:
        step = min(count, _BUFFER_BYTES)
        reader.read(step)
        count -= step


@dataclass(frozen=True)
class _Fixed:
    width: int

    def skip_prefix(self, reader: Any) -> None:
        pass

    def skip(self, reader: Any, rows: int) -> None:
        _skip_bytes(reader, rows * self.width)


@dataclass(frozen=True)
class _Text:
    def skip_prefix(self, reader: Any) -> None:
        pass

    def skip(self, reader: Any, rows: int) -> None:
        while rows:
            step = min(rows, _STRINGS_AT_ONCE)
            reader.read_strings(step)
            rows -= step


@dataclass(frozen=True)
class _Nullable:
    inner: Layout

    def skip_prefix(self, reader: Any) -> None:
        self.inner.skip_prefix(reader)

    def skip(self, reader: Any, rows: int) -> None:
        _skip_bytes(reader, rows)
        self.inner.skip(reader, rows)


@dataclass(frozen=True)
class _Sequence:
    """Array and Map: where each row's elements end, then all elements."""

    element: Layout

    def skip_prefix(self, reader: Any) -> None:
        self.element.skip_prefix(reader)

    def skip(self, reader: Any, rows: int) -> None:
        if rows:
            _skip_bytes(reader, 8 * (rows - 1))
            self.element.skip(reader, read_binary_uint64(reader))


@dataclass(frozen=True)
class _Fields:
    parts: tuple[Layout, ...]

    def skip_prefix(self, reader: Any) -> None:
        for part in self.parts:
            part.skip_prefix(reader)

    def skip(self, reader: Any, rows: int) -> None:
        for part in self.parts:
            part.skip(reader, rows)


@dataclass(frozen=True)
class _Dictionary:
    """LowCardinality: the distinct values, then for each row the number of its value."""

    inner: Layout

    def skip_prefix(self, reader: Any) -> None:
        _skip_bytes(reader, 8)

    def skip(self, reader: Any, rows: int) -> None:
        if not rows:
            return
        kind = read_binary_uint64(reader)
        if not kind & _KEYS_FOLLOW_BIT:
            raise MalformedBlockError("a LowCardinality column comes without its values")
        self.inner.skip(reader, read_binary_uint64(reader))
        key_width = 1 << (kind & 0x3)
        _skip_bytes(reader, key_width * read_binary_uint64(reader))


def _dictionary(inner: Layout) -> Layout:
    # NULL is a value of the dictionary, so that there is no map of nulls
    return _Dictionary(inner.inner if isinstance(inner, _Nullable) else inner)


_COMPOSITES: dict[str, Callable[..., Layout]] = {
    "Nullable": _Nullable,
    "LowCardinality": _dictionary,
    "Array": _Sequence,
    "Map": lambda *parts: _Sequence(_Fields(parts)),
    "Nested": lambda *parts: _Sequence(_Fields(parts)),
    "Tuple": lambda *parts: _Fields(parts),
}


@lru_cache(maxsize=1024)
def layout_of(type_name: str) -> Layout:
    """Tell how values of a ClickHouse type lie in a column. Raises UnsupportedTypeError if that is not known."""
    parsed = parse_type(type_name)
    if parsed.name == "String":
        return _Text()
    if parsed.width is not None:
        return _Fixed(parsed.width)
    return _COMPOSITES[parsed.name](*map(layout_of, parsed.arguments))
