"""The little that must be known of a statement before ClickHouse reads it."""

import re
from dataclasses import dataclass

_COMMENT_OR_QUOTED = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"", re.DOTALL
)
_IDENTIFIER = r"(?:`(?:[^`\\]|\\.|``)+`|\"(?:[^\"\\]|\\.|\"\")+\"|\w+)"
_IDENTIFIERS = re.compile(rf"\s*{_IDENTIFIER}\s*(?:,\s*{_IDENTIFIER}\s*)*,?\s*", re.DOTALL)
_INSERT = re.compile(
    rf"INSERT\s+INTO\s+(?:TABLE\s+)?(?P<table>{_IDENTIFIER}(?:\s*\.\s*{_IDENTIFIER})?)"
    r"\s*(?P<columns>\((?:[^()]|\([^()]*\))*\))?"
    r"(?P<settings>\s*SETTINGS\s+.+?)?"
    r"\s*\b(?:VALUES|FORMAT\s+\w+)\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_FORMAT = re.compile(r"\s+FORMAT\s+\w+\s*;?\s*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Insert:
    """An INSERT whose rows the client sends as blocks."""

    table: str
    columns: str = ""
    """What stands between the brackets; empty if the statement names no columns."""
    settings: str = ""

    def from_file(self, path: str) -> str:
        """Give the statement that takes its rows from a file in Native format."""
        columns = f" ({self.columns})" if self.columns else ""
        return f"INSERT INTO {self.table}{columns} FROM INFILE {quoted(path)}{self.settings} FORMAT Native"

    @property
    def column_names(self) -> list[str] | None:
        """The columns if they are named one by one; None for what has to be worked out, such as `* EXCEPT x`."""
        if not _IDENTIFIERS.fullmatch(self.columns):
            return None
        return [_unquoted(found) for found in re.findall(_IDENTIFIER, self.columns, re.DOTALL)]


def parse_insert(text: str) -> Insert | None:
    """Read an INSERT that announces blocks; None for any other statement, such as INSERT … SELECT."""
    found = _INSERT.fullmatch(_without_comments(text).strip())
    if not found:
        return None
    return Insert(found["table"], (found["columns"] or "")[1:-1].strip(), found["settings"] or "")


def without_format(text: str) -> str:
    """Take a FORMAT clause off: over this protocol it is the client who formats."""
    return _FORMAT.sub("", text)


def _without_comments(text: str) -> str:
    return _COMMENT_OR_QUOTED.sub(lambda found: " " if found[0][0] in "-/" else found[0], text)


def _unquoted(name: str) -> str:
    mark = name[0]
    if mark not in '`"':
        return name
    return re.sub(r"\\(.)", r"\1", name[1:-1].replace(mark * 2, mark), flags=re.DOTALL)


def quoted(value: str) -> str:
    """Write a string as a literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def quoted_name(name: str) -> str:
    """Write a table's, column's or database's name so that any character in it is safe."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
