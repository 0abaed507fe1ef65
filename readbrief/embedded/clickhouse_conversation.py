"""One client's conversation with the embedded ClickHouse: its packets in, the answers out."""

import contextlib
import select
import socket
from contextlib import closing

from clickhouse_driver.protocol import ClientPacketTypes
from clickhouse_driver.varint import read_varint

from readbrief.embedded.clickhouse_engine import (
    NOT_IMPLEMENTED,
    Engine,
    Session,
    StatementError,
)
from readbrief.embedded.native_blocks import MalformedBlockError, RecordingReader, header_block
from readbrief.embedded.native_protocol import (
    Data,
    PacketWriter,
    ProtocolError,
    Query,
    read_data,
    read_hello,
    read_query,
)
from readbrief.embedded.native_types import UnsupportedTypeError
from readbrief.embedded.statements import Insert, parse_insert

_UNEXPECTED_PACKET = 101
_LINGER_SECONDS = 0.5
_DRAIN_BYTES = 65536
_COMPRESSION_REFUSED = (
    "The embedded ClickHouse takes no compressed blocks: connect without compression "
    "(clickhouse-driver: compression=False, clickhouse-client: --compression 0)"
)


class Conversation:
    """Answers one client until it leaves or breaks the protocol."""

    def __init__(self, connection: socket.socket, engine: Engine) -> None:
        self._connection = connection
        self._engine = engine
        self._reader = RecordingReader(connection)
        self._writer = PacketWriter(connection)
        self.is_busy = False

    def hold(self) -> None:
        """Talk until the client leaves.

        Raises ProtocolError, MalformedBlockError or UnsupportedTypeError, after telling the client, if not understood.
        """
        with contextlib.suppress(EOFError, ConnectionError), closing(self._engine.session()) as session:
            try:
                if self._greet(session):
                    self._answer_packets(session)
            except (ProtocolError, MalformedBlockError, UnsupportedTypeError) as error:
                code = NOT_IMPLEMENTED if isinstance(error, UnsupportedTypeError) else _UNEXPECTED_PACKET
                self._writer.exception(code, f"DB::Exception: {error}")
                self._hear_out()
                raise

    def _greet(self, session: Session) -> bool:
        if read_varint(self._reader) != ClientPacketTypes.HELLO:
            raise ProtocolError("the first packet is not a Hello")
        hello = read_hello(self._reader)
        try:
            if hello.database:
                session.use(hello.database)
        except StatementError as error:
            self._writer.exception(error.code, str(error))
            return False
        self._writer.hello(self._engine.version, self._engine.timezone)
        return True

    def _answer_packets(self, session: Session) -> None:
        while True:
            packet = read_varint(self._reader)
            self.is_busy = True
            if packet == ClientPacketTypes.PING:
                self._writer.pong()
            elif packet == ClientPacketTypes.QUERY:
                self._answer(session, read_query(self._reader))
            elif packet != ClientPacketTypes.CANCEL:  # a cancel that came too late asks for nothing
                raise ProtocolError(f"packet {packet} is not expected here")
            self.is_busy = False

    def _answer(self, session: Session, query: Query) -> None:
        if query.compressed:
            raise ProtocolError(_COMPRESSION_REFUSED)
        tables = self._receive_external_tables()
        try:
            with session.settings(query.settings), session.temporary_tables(tables):
                insert = parse_insert(query.text)
                if insert:
                    self._take_rows(session, insert)
                else:
                    self._send_result(session, query.text)
        except StatementError as error:
            self._writer.exception(error.code, str(error))
        else:
            self._writer.end_of_stream()

    def _receive_external_tables(self) -> list[Data]:
        tables = []
        while not (data := self._receive_data()).ends_transfer:
            tables.append(data)
        return tables

    def _receive_data(self) -> Data:
        packet = read_varint(self._reader)
        if packet != ClientPacketTypes.DATA:
            raise ProtocolError(f"packet {packet} where a block is expected")
        return read_data(self._reader)

    def _send_result(self, session: Session, text: str) -> None:
        with closing(session.run(text)) as parts:
            for part in parts:
                if part.raw_block:
                    self._writer.data(part.raw_block)
                self._writer.progress(rows=part.rows, size_bytes=part.size_bytes, written_rows=part.rows_written)
                if self._is_cancelled():
                    return

    def _is_cancelled(self) -> bool:
        """Look, without waiting, whether the client wants no more. Raises EOFError if it has left."""
        if not self._reader.has_buffered() and not select.select([self._connection], [], [], 0)[0]:
            return False
        packet = read_varint(self._reader)
        if packet != ClientPacketTypes.CANCEL:
            raise ProtocolError(f"packet {packet} while a result is being sent")
        return True

    def _take_rows(self, session: Session, insert: Insert) -> None:
        columns = session.insert_columns(insert)
        with closing(session.begin_insert(insert)) as insertion:
            self._writer.data(header_block(columns))
            while not (data := self._receive_data()).ends_transfer:
                insertion.append(data.block)
            rows = insertion.finish()
        self._writer.progress(rows=0, size_bytes=0, written_rows=rows)

    def _hear_out(self) -> None:
        """Wait for the client to read why it is refused: closing over unread bytes would throw the answer away."""
        self._connection.shutdown(socket.SHUT_WR)
        self._connection.settimeout(_LINGER_SECONDS)
        with contextlib.suppress(TimeoutError):
            while self._connection.recv(_DRAIN_BYTES):
                pass
