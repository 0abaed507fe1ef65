"""Takes a ClickHouse type's name apart, as far as the length of its values asks for."""

import re
from dataclasses import dataclass

_WIDTHS = {
    "Bool": 1, "Date": 2, "Date32": 4, "DateTime": 4, "DateTime32": 4, "DateTime64": 8, "Time": 4, "Time64": 8,
    "Enum8": 1, "Enum16": 2, "Float32": 4, "Float64": 8, "BFloat16": 2, "IPv4": 4, "IPv6": 16, "UUID": 16, "Nothing": 1,
    "Decimal32": 4, "Decimal64": 8, "Decimal128": 16, "Decimal256": 32,
    **{f"{sign}Int{bits}": bits // 8 for sign in ("", "U") for bits in (8, 16, 32, 64, 128, 256)},
}  # fmt: skip
_DECIMAL_WIDTHS = ((9, 4), (18, 8), (38, 16), (76, 32))  # up to so many digits, so many bytes
_ONE_ARGUMENT = {"Nullable", "LowCardinality", "Array"}
_NAMED_ARGUMENTS = {"Tuple", "Nested"}
_SHAPE = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)
# A piece of an argument list: something quoted, with its escapes, or one character.
_PIECE = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|.", re.DOTALL)
_FIELD_NAME = re.compile(r"(?:`(?:[^`\\]|\\.)*`|\w+)\s+(?=\w)")


class UnsupportedTypeError(Exception):
    """A type whose values' length is not known here."""


@dataclass(frozen=True)
class ParsedType:
    """A type's name with either the width of its values in bytes or the types it is made of."""

    name: str
    width: int | None = None
    arguments: tuple[str, ...] = ()


def parse_type(type_name: str) -> ParsedType:
    """Take a type's name apart. Raises UnsupportedTypeError if the length of its values is not known."""
    shape = _SHAPE.fullmatch(type_name.strip())
    if not shape:
        raise UnsupportedTypeError(f"not the name of a type: {type_name[:100]!r}")
    name, inside = shape.group(1), shape.group(2) or ""
    if name == "SimpleAggregateFunction":
        return parse_type(_arguments(inside)[-1])
    if name == "String":
        return ParsedType(name)
    width = _width(name, inside)
    if width is not None:
        return ParsedType(name, width)
    arguments = _arguments(inside)
    if (name in _ONE_ARGUMENT and len(arguments) == 1) or (name == "Map" and len(arguments) == 2):  # noqa: PLR2004
        return ParsedType(name, arguments=arguments)
    if name in _NAMED_ARGUMENTS and arguments:
        return ParsedType(name, arguments=tuple(_FIELD_NAME.sub("", argument, count=1) for argument in arguments))
    raise UnsupportedTypeError(f"values of type {type_name[:100]} can't be sent to the embedded ClickHouse")


def _width(name: str, inside: str) -> int | None:
    if name == "FixedString" and inside.isdecimal():
        return int(inside)
    if name == "Decimal":
        digits = inside.partition(",")[0].strip()
        return next((width for most, width in _DECIMAL_WIDTHS if digits.isdecimal() and int(digits) <= most), None)
    return 8 if name.startswith("Interval") else _WIDTHS.get(name)


def _arguments(inside: str) -> tuple[str, ...]:
    """Split at the commas that stand neither in brackets nor in quotes."""
    arguments, current, depth = [], "", 0
    for piece in _PIECE.findall(inside):
        depth += (piece == "(") - (piece == ")")
        if piece == "," and depth == 0:
            arguments.append(current.strip())
            current = ""
        else:
            current += piece
    return (*arguments, current.strip()) if current.strip() else tuple(arguments)
