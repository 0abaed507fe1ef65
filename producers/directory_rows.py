"""Rows of the directory's files, CSV or YAML, each with the place a person will look for it. Pure."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from producers.crm_shapes import Shape, shape_of

KINDS = {
    "accounts": "account",
    "contacts": "contact",
    "reps": "rep",
    "content": "content",
    "contents": "content",
}

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Place:
    """Where a row begins."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Row:
    """One row as it stands: of which kind, where, and its cells by field name; empty cells are left out.

    A row of a CRM's export has its shape, and its cells, all of them, by heading.
    """

    place: Place
    kind: str
    cells: dict[str, Any]
    shape: Shape | None = None


@dataclass
class Problems:
    """All that is wrong, so that a person can mend it in one go."""

    found: list[tuple[Place, str]] = field(default_factory=list)

    def add(self, place: Place, where: str, what: str) -> None:
        """Note that a field is wrong, and why."""
        self.found.append((place, f"{place}: {where}: {what}" if where else f"{place}: {what}"))

    def lines(self) -> list[str]:
        """Return one line per problem, in the order of the files given and their lines."""
        order: dict[str, int] = {}
        for place, _ in self.found:
            order.setdefault(place.file, len(order))
        return [line for _, line in sorted(self.found, key=lambda each: (order[each[0].file], each[0].line))]


@dataclass
class Notes:
    """What an import did that a person may want to know, counted."""

    first: dict[tuple[str, str], Place] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, place: Place, what: str) -> None:
        """Note what was done with a row."""
        key = (place.file, what)
        self.first.setdefault(key, place)
        self.counts[key] = self.counts.get(key, 0) + 1

    def lines(self) -> list[str]:
        """Return one line for what was done with one row or many."""
        return [
            f"{self.first[key]}: {what}" + (f" (and {count - 1} more rows)" if count > 1 else "")
            for key, count in self.counts.items()
            for _, what in [key]
        ]


def rows_of(file: str, data: bytes, kind: str | None, problems: Problems) -> list[Row]:
    """Return the rows of one file; what can't be read as rows is noted as a problem.

    `kind` is what the file holds where neither its rows nor its name (accounts, contacts, reps, content) say so.
    """
    text = _decoded(file, data, problems)
    if text is None:
        return []
    stem, _, ending = re.split(r"[/\\]", file)[-1].lower().rpartition(".")
    default = kind or KINDS.get(stem)
    if ending in ("yaml", "yml"):
        found = _yaml_items(file, text, default, problems)
    else:
        return _csv_rows(file, text, default, problems)
    return [row for row in (_row(place, kind_here, cells, problems) for place, kind_here, cells in found) if row]


def _decoded(file: str, data: bytes, problems: Problems) -> str | None:
    """Return the text: UTF-8, or UTF-16 if it says so at its beginning, as spreadsheets' "Unicode text" does."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"byte 0x{data[error.start]:02x} is no {encoding[:-4].upper() if encoding[-1] == 'g' else 'UTF-16'}"
        problems.add(Place(file, line), "", f"{what}: save the file as UTF-8")
        return None


def _row(place: Place, kind: str | None, cells: dict[str, Any], problems: Problems) -> Row | None:
    cells = {name: value for name, value in cells.items() if value not in ("", None)}
    said = cells.pop("kind", kind)
    known = KINDS.get(str(said).strip().lower(), str(said).strip().lower())
    if known in KINDS.values():
        return Row(place, known, cells)
    if said is None:
        names = ", ".join(f"{name}.csv" for name in KINDS if name != "contents")
        what = f"can't tell what this row is: name the file {names}, or give a column kind or the option --kind"
    else:
        what = f"{said!r} is none of account, contact, rep, content"
    problems.add(place, "kind", what)
    return None


def _csv_rows(file: str, text: str, kind: str | None, problems: Problems) -> list[Row]:
    lines = _csv_lines(file, text, problems)
    first = next(lines, None)
    if first is None:
        if not problems.found:
            problems.add(Place(file, 1), "", "the file is empty: the first line must name the columns")
        return []
    place, heads = first
    header = [re.sub(r"[\s-]+", "_", name.lower()) for name in heads]
    try:
        shape = shape_of(header)
    except ValueError as error:
        problems.add(place, "", str(error))
        return []
    if shape is None and not _good_header(place, header, problems):
        return []
    rows = []
    for place, cells in lines:
        if len(cells) != len(header):
            if shape and len(cells) == 1:
                break  # a report's foot: its name, copyright, by whom and when
            problems.add(place, "", f"has {len(cells)} cells, but the header names {len(header)} columns")
        elif shape:  # of columns with one heading the first counts
            rows.append(Row(place, shape.entry, dict(zip(header[::-1], cells[::-1], strict=True)), shape))
        elif row := _row(place, kind, dict(zip(header, cells, strict=True)), problems):
            rows.append(row)
    return rows


def _csv_lines(file: str, text: str, problems: Problems) -> Iterator[tuple[Place, list[str]]]:
    """Give each line of cells that is not blank, and where it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    while True:
        place = Place(file, reader.line_num + 1)
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            break
        except csv.Error as error:
            problems.add(place, "", f"can't be read as CSV ({error}): check the quotation marks")
            break
        if any(cells):
            yield place, cells


def _good_header(place: Place, header: list[str], problems: Problems) -> bool:
    twice = sorted({name for name in header if header.count(name) > 1})
    for name in twice:
        problems.add(place, name or "(column without a name)", "the header names this column twice")
    return not twice


def _delimiter(text: str) -> str:
    """Return what separates the first line's cells: there, unlike in the rows, a list can't stand."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=first.count)


def _yaml_items(
    file: str, text: str, kind: str | None, problems: Problems
) -> Iterator[tuple[Place, str | None, dict[str, Any]]]:
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        for kind_here, node in _yaml_nodes(file, root, kind, problems):
            place = Place(file, node.start_mark.line + 1)
            try:
                value = loader.construct_document(node)
            except ValueError as error:  # 2024-02-30 looks like a date, and is none
                problems.add(place, "", f"holds a value that can't be: {error}")
                continue
            if isinstance(value, dict):
                yield place, kind_here, {str(name): cell for name, cell in value.items()}
            else:
                problems.add(place, "", "is no mapping of fields to values")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or error
        problems.add(Place(file, mark.line + 1 if mark else 1), "", f"not valid YAML: {' '.join(str(problem).split())}")


def _yaml_nodes(
    file: str, root: yaml.Node | None, kind: str | None, problems: Problems
) -> Iterator[tuple[str | None, yaml.Node]]:
    if isinstance(root, yaml.SequenceNode):
        yield from ((kind, item) for item in root.value)
    elif isinstance(root, yaml.MappingNode):
        for name, items in root.value:
            place = Place(file, name.start_mark.line + 1)
            if name.value not in KINDS:
                problems.add(place, str(name.value), "is none of accounts, contacts, reps, content")
            elif not isinstance(items, yaml.SequenceNode):
                problems.add(place, str(name.value), "must hold a list")
            else:
                yield from ((KINDS[name.value], item) for item in items.value)
    else:
        problems.add(Place(file, 1), "", "must hold accounts, contacts, reps or content, each with a list")
