"""ClickHouse's native protocol, seen from the server: what clients send, and the packets that answer them."""

import socket
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from clickhouse_driver.block import BlockInfo
from clickhouse_driver.protocol import Compression, ServerPacketTypes
from clickhouse_driver.reader import read_binary_bytes_fixed_len, read_binary_uint8
from clickhouse_driver.varint import read_varint, write_varint
from clickhouse_driver.writer import write_binary_int32, write_binary_str, write_binary_uint8

from readbrief.embedded.native_blocks import Block, RecordingReader, read_block

# The newest revision whose blocks are those of FORMAT Native: settings come as strings, columns have no flags.
REVISION = 54429
_SERVER_NAME = "ClickHouse"
_NAME_LIMIT = 64 * 1024
_QUERY_LIMIT = 256 * 1024 * 1024
_NO_QUERY = 0
_IMPORTANT = 1


class ProtocolError(Exception):
    """The client sent what the protocol does not allow here; the connection can't go on."""


@dataclass(frozen=True)
class Hello:
    """How a client introduces itself."""

    client_name: str
    revision: int
    database: str


@dataclass(frozen=True)
class Setting:
    """A setting for one query. One that is important must be known, others are ignored if they are not."""

    name: str
    value: str
    important: bool


@dataclass(frozen=True)
class Query:
    """A query with what the client wants set for it."""

    text: str
    settings: tuple[Setting, ...]
    compressed: bool


@dataclass(frozen=True)
class Data:
    """A block with the name of the external table it belongs to; empty for rows of an INSERT."""

    table: str
    block: Block

    @property
    def ends_transfer(self) -> bool:
        """Tell whether this is the empty block after the last one."""
        return not self.block.columns and not self.block.rows


def read_hello(reader: RecordingReader) -> Hello:
    """Read a client's introduction. Raises ProtocolError if it is none or the client is too old."""
    client_name = _read_text(reader, _NAME_LIMIT)
    read_varint(reader)  # the client's version, major
    read_varint(reader)  # and minor
    revision = read_varint(reader)
    database = _read_text(reader, _NAME_LIMIT)
    _read_text(reader, _NAME_LIMIT)  # user
    _read_text(reader, _NAME_LIMIT)  # password: whoever reaches this machine's loopback may come in
    if revision < REVISION:
        raise ProtocolError(f"client revision {revision} is older than {REVISION}, the oldest this server speaks")
    return Hello(client_name, revision, database)


def read_query(reader: RecordingReader) -> Query:
    """Read what follows a query packet's number. Raises ProtocolError if that is not a query."""
    _read_text(reader, _NAME_LIMIT)  # query id
    _skip_client_info(reader)
    settings = []
    while name := _read_text(reader, _NAME_LIMIT):
        flags = read_varint(reader)
        settings.append(Setting(name, _read_text(reader, _QUERY_LIMIT), bool(flags & _IMPORTANT)))
    read_varint(reader)  # the stage up to which to work: there is one server, so always to the end
    compressed = read_varint(reader) == Compression.ENABLED
    return Query(_read_text(reader, _QUERY_LIMIT), tuple(settings), compressed)


def read_data(reader: RecordingReader) -> Data:
    """Read what follows a data packet's number.

    Raises MalformedBlockError or UnsupportedTypeError if the block's end can't be found.
    """
    table = _read_text(reader, _NAME_LIMIT)
    BlockInfo().read(reader)
    return Data(table, read_block(reader))


def _skip_client_info(reader: RecordingReader) -> None:
    if read_binary_uint8(reader) == _NO_QUERY:
        return
    for _ in range(3):  # who asked first: user, query id, address
        _read_text(reader, _NAME_LIMIT)
    read_binary_uint8(reader)  # interface
    for _ in range(3):  # the client's user, host, name
        _read_text(reader, _NAME_LIMIT)
    for _ in range(3):  # its version, major and minor, and revision
        read_varint(reader)
    _read_text(reader, _NAME_LIMIT)  # quota key
    read_varint(reader)  # its version's patch


def _read_text(reader: RecordingReader, limit: int) -> str:
    length = read_varint(reader)
    if length > limit:
        raise ProtocolError(f"a text of {length} bytes where at most {limit} are expected")
    try:
        return str(read_binary_bytes_fixed_len(reader, length).decode())
    except UnicodeDecodeError as error:
        raise ProtocolError("a text is not UTF-8") from error


class PacketWriter:
    """Sends a client the server's packets."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def hello(self, version: tuple[int, int, int], timezone: str) -> None:
        """Introduce the server."""
        packet = _packet(ServerPacketTypes.HELLO)
        write_binary_str(_SERVER_NAME, packet)
        write_varint(version[0], packet)
        write_varint(version[1], packet)
        write_varint(REVISION, packet)
        write_binary_str(timezone, packet)
        write_binary_str(_SERVER_NAME, packet)  # display name
        write_varint(version[2], packet)
        self._send(packet)

    def data(self, raw_block: bytes) -> None:
        """Send a block."""
        packet = _packet(ServerPacketTypes.DATA)
        write_binary_str("", packet)
        BlockInfo().write(packet)
        packet.write(raw_block)
        self._send(packet)

    def progress(self, *, rows: int, size_bytes: int, written_rows: int) -> None:
        """Tell how much was read and written."""
        packet = _packet(ServerPacketTypes.PROGRESS)
        for figure in (rows, size_bytes, 0, written_rows, 0):  # the zeros: total rows to read, bytes written
            write_varint(figure, packet)
        self._send(packet)

    def exception(self, code: int, message: str) -> None:
        """Tell that the query failed, in ClickHouse's own terms."""
        packet = _packet(ServerPacketTypes.EXCEPTION)
        write_binary_int32(code, packet)
        write_binary_str("DB::Exception", packet)
        write_binary_str(message, packet)
        write_binary_str("", packet)  # stack trace
        write_binary_uint8(0, packet)  # no nested exception
        self._send(packet)

    def pong(self) -> None:
        """Answer a ping."""
        self._send(_packet(ServerPacketTypes.PONG))

    def end_of_stream(self) -> None:
        """Tell that the query is done."""
        self._send(_packet(ServerPacketTypes.END_OF_STREAM))

    def _send(self, packet: BytesIO) -> None:
        self._connection.sendall(packet.getbuffer())


def _packet(number: Any) -> BytesIO:
    packet = BytesIO()
    write_varint(number, packet)
    return packet
