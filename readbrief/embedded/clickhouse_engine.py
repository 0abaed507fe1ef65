"""ClickHouse in this process (chDB), with data on disk: sessions that run statements in the Native format."""

import fcntl
import json
import re
import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from readbrief.embedded.lifetime import EmbeddedServerError
from readbrief.embedded.native_blocks import Block, header_block, layout_of, retyped, split_blocks
from readbrief.embedded.native_protocol import Data, Setting
from readbrief.embedded.native_types import UnsupportedTypeError
from readbrief.embedded.statements import Insert, quoted, quoted_name, without_format

UNKNOWN_EXCEPTION = 1002
NOT_IMPLEMENTED = 48
_UNKNOWN_SETTING = 115
_NO_SUCH_COLUMN = 16
_SERVER_SETTINGS = {
    "max_server_memory_usage": "1000000000",
    "mark_cache_size": "67108864",
    "uncompressed_cache_size": "0",
}
_SESSION_SETTINGS = "SET max_threads = 2, implicit_select = 0"  # the latter as in a server: `1` alone is no query
_FORBIDDEN_IN_PATH = "?*{}[]"  # to ClickHouse they mean options, or several files
_ERROR = re.compile(r"Code: (\d+)\. (.*)", re.DOTALL)
_BARE_DATETIME = "DateTime"
_NOT_STREAMED = "Streaming query is not supported for query"


class StatementError(Exception):
    """A statement failed; the code is ClickHouse's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    @classmethod
    def of_chdb(cls, error: Exception) -> "StatementError":
        """Read code and message from what chDB raised."""
        found = _ERROR.search(str(error))
        return cls(int(found[1]), found[2]) if found else cls(UNKNOWN_EXCEPTION, str(error))


@dataclass(frozen=True)
class Part:
    """One block of a result, with its size, and how many rows the statement wrote."""

    raw_block: bytes
    rows: int = 0
    size_bytes: int = 0
    rows_written: int = 0


class Engine:
    """ClickHouse on a data directory, which it holds alone until this process ends."""

    def __init__(self, data: Path) -> None:
        """Open or create the directory. Raises EmbeddedServerError if it is in use or can't be opened."""
        self._lock = _lock_directory(data)
        self._incoming = data / "incoming"
        shutil.rmtree(self._incoming, ignore_errors=True)  # rows of INSERTs that a kill cut off
        self._incoming.mkdir()
        from chdb.state.sqlitelike import Connection

        self._connect = Connection
        options = "&".join(f"{name}={value}" for name, value in _SERVER_SETTINGS.items())
        self._address = f"file:{data}"
        try:
            # Held open for as long as the engine runs: chDB shuts ClickHouse down with its last connection.
            self._keeper = Session(Connection(f"{self._address}?{options}"), self._incoming)
        except RuntimeError as error:
            raise EmbeddedServerError(f"ClickHouse can't open {data}: {error}") from error
        version, self.timezone = self._keeper.row("SELECT version(), timezone()")
        major, minor, patch = (int(number) for number in version.split(".")[:3])
        self.version = (major, minor, patch)

    def session(self) -> "Session":
        """Open a session with its own database, settings and temporary tables."""
        return Session(self._connect(self._address), self._incoming)

    def close(self) -> None:
        """Shut ClickHouse down."""
        self._keeper.close()
        self._lock.close()


def _lock_directory(data: Path) -> Any:
    if set(str(data)) & set(_FORBIDDEN_IN_PATH):
        raise EmbeddedServerError(f"the data directory's name must hold none of {_FORBIDDEN_IN_PATH}: {data}")
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "in-use.lock").open("w")
    except OSError as error:
        raise EmbeddedServerError(f"the data directory {data} can't be written: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise EmbeddedServerError(f"the data directory {data} is in use by another process: stop that first") from error
    return lock


class Session:
    """One client's session. Not for use by several threads at once."""

    def __init__(self, connection: Any, incoming: Path) -> None:
        self._connection = connection
        self._incoming = incoming
        self.execute(_SESSION_SETTINGS)

    def close(self) -> None:
        """End the session; its temporary tables go with it."""
        self._connection.close()

    def use(self, database: str) -> None:
        """Make a database the one where names are looked up. Raises StatementError if it does not exist."""
        self.execute(f"USE {quoted_name(database)}")

    def row(self, text: str) -> list[Any]:
        """Run a query that gives one row. Raises StatementError if it fails."""
        return self._rows(text)[0]

    def run(self, text: str) -> Generator[Part, None, None]:
        """Run any statement, giving its result block by block; closing the iterator cancels it.

        Raises StatementError if it fails, which may be after some blocks.
        """
        text = without_format(text)
        try:
            stream = self._connection.send_query(text, "Native")
        except Exception as error:
            if _NOT_STREAMED not in str(error):
                raise StatementError.of_chdb(error) from error
            yield from self._run_at_once(text)
            return
        try:
            first = _fetch(stream)
            columns, zoned_types, has_ended = self._columns_of(first, text)
            yield Part(header_block(columns))  # clients take the columns' types from this block without rows
            if has_ended:
                stream.cancel()
                stream = self._connection.send_query(text, "Native")
                first = _fetch(stream)
            chunk = first
            while chunk is not None:
                raw_block = retyped(chunk.bytes(), zoned_types) if zoned_types else chunk.bytes()
                yield Part(raw_block, chunk.rows_read(), chunk.bytes_read())
                chunk = _fetch(stream)
        finally:
            stream.cancel()

    def _columns_of(self, first: Any, text: str) -> tuple[list[tuple[str, str]], list[str] | None, bool]:
        """Tell a result's columns from its first block, and the types' names if those in its blocks must be replaced.

        chDB leaves a DateTime's time zone out, without which clients make other values of it. To ask for it ends the
        stream, as a connection has one at most: the last value says that it is to be begun anew.
        """
        if first is None:
            return self._described(text), None, False
        try:
            columns = list(next(split_blocks(first.bytes())).columns)
        except UnsupportedTypeError:  # it can't be taken apart, but it can be passed on
            return self._described(text), None, True
        if all(type_name != _BARE_DATETIME for _, type_name in columns):
            return columns, None, False
        types = [type_name for _, type_name in self._described(text)]
        return [(name, type_name) for (name, _), type_name in zip(columns, types, strict=True)], types, True

    def _described(self, text: str) -> list[tuple[str, str]]:
        return [(column[0], column[1]) for column in self._describe(f"({text.strip().rstrip(';')}\n)")]

    def _run_at_once(self, text: str) -> Iterator[Part]:
        result = self.execute(text)
        blocks = list(split_blocks(result.bytes()))
        if blocks:
            yield Part(header_block(blocks[0].columns))
        for block in blocks:
            yield Part(block.raw)
        if result.rows_written():
            yield Part(b"", rows_written=result.rows_written())

    @contextmanager
    def settings(self, settings: tuple[Setting, ...]) -> Iterator[None]:
        """Have settings in force for a while. Raises StatementError for a value or an important name that is wrong."""
        if not settings:
            yield
            return
        names = ", ".join(quoted(setting.name) for setting in settings)
        before = {
            name: quoted(value) if changed else "DEFAULT"
            for name, value, changed in self._rows(
                f"SELECT name, value, changed FROM system.settings WHERE name IN ({names})"  # noqa: S608 - quoted
            )
        }
        try:
            for setting in settings:
                if setting.name in before:
                    self.execute(f"SET {setting.name} = {quoted(setting.value)}")
                elif setting.important:
                    raise StatementError(_UNKNOWN_SETTING, f"DB::Exception: Unknown setting '{setting.name}'")
            yield
        finally:
            for name, value in before.items():
                self.execute(f"SET {name} = {value}")

    @contextmanager
    def temporary_tables(self, tables: list[Data]) -> Iterator[None]:
        """Have the client's external tables at hand for a while. Raises StatementError if they can't be made."""
        names = list(dict.fromkeys(data.table for data in tables))
        try:
            for data in tables:
                columns = ", ".join(f"{quoted_name(name)} {type_name}" for name, type_name in data.block.columns)
                self.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {quoted_name(data.table)} ({columns})")
                with closing(self.begin_insert(Insert(quoted_name(data.table)))) as insertion:
                    insertion.append(data.block)
                    insertion.finish()
            yield
        finally:
            for name in names:
                self.execute(f"DROP TEMPORARY TABLE IF EXISTS {quoted_name(name)}")

    def insert_columns(self, insert: Insert) -> list[tuple[str, str]]:
        """Tell the columns an INSERT waits for. Raises StatementError if there is no such table or column."""
        table = self._describe(insert.table)
        types = {column[0]: column[1] for column in table}
        names = insert.column_names
        if not insert.columns:
            columns = [(column[0], column[1]) for column in table if column[2] in {"", "DEFAULT"}]
        elif names is None:
            chosen = self._describe(f"(SELECT {insert.columns} FROM {insert.table})")  # noqa: S608 - the client's own
            columns = [(column[0], column[1]) for column in chosen]
        elif missing := [name for name in names if name not in types]:
            raise StatementError(_NO_SUCH_COLUMN, f"DB::Exception: No such column {missing[0]} in table {insert.table}")
        else:
            columns = [(name, types[name]) for name in names]
        for name, type_name in columns:
            try:
                layout_of(type_name)
            except UnsupportedTypeError as error:
                raise StatementError(NOT_IMPLEMENTED, f"DB::Exception: Column {name}: {error}") from error
        return columns

    def begin_insert(self, insert: Insert) -> "Insertion":
        """Begin to take an INSERT's blocks."""
        return Insertion(self, insert, self._incoming)

    def _describe(self, table_expression: str) -> list[list[Any]]:
        # Types are wanted as they stand in blocks, on one line
        return self._rows(f"DESCRIBE TABLE {table_expression} SETTINGS print_pretty_type_names = 0")

    def _rows(self, text: str) -> list[list[Any]]:
        lines = self.execute(text, "JSONCompactEachRow").bytes().decode().splitlines()
        return [json.loads(line) for line in lines]

    def execute(self, text: str, output_format: str = "Native") -> Any:
        """Run a statement and give chDB's own result. Raises StatementError if it fails."""
        try:
            return self._connection.query(text, output_format)
        except Exception as error:
            raise StatementError.of_chdb(error) from error


def _fetch(stream: Any) -> Any:
    """Take a stream's next chunk, which is one block; None at its end."""
    try:
        return stream.fetch()
    except Exception as error:
        raise StatementError.of_chdb(error) from error


class Insertion:
    """An INSERT under way, its rows in a file. They are in the table once `finish` has returned, and none before.

    chDB can take rows as they come (`send_insert`), but then says that all is well when a constraint or a view has
    refused them; from a file, its word is good.
    """

    def __init__(self, session: Session, insert: Insert, incoming: Path) -> None:
        self._session = session
        self._insert = insert
        self._file = NamedTemporaryFile(dir=incoming, suffix=".native")  # noqa: SIM115 - closed by `close`
        self._has_rows = False

    def append(self, block: Block) -> None:
        """Take a block."""
        if block.rows:
            self._has_rows = True
            self._file.write(block.raw)

    def finish(self) -> int:
        """Have the rows written and tell how many, views' rows included. Raises StatementError if they are not."""
        if not self._has_rows:
            return 0
        self._file.flush()
        return int(self._session.execute(self._insert.from_file(self._file.name)).rows_written())

    def close(self) -> None:
        """Drop the file."""
        self._file.close()
