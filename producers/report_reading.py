"""Reads a report from JSON into structs, by the rules of its models, which are built only if something is wrong. Pure.

This is what the collector does most, and the models would take three times as long.
"""

from typing import Any, Protocol, cast, get_args

import msgspec
from pydantic import BaseModel

from producers.structs import Match, patterns_of, struct_of, validators_of
from schemas.envelope import Report
from schemas.events import ReportedEvent

EVENT_TYPES: dict[type[msgspec.Struct], type[BaseModel]] = {
    struct_of(model): model for model in get_args(get_args(ReportedEvent)[0])
}

_REPORT_PATTERNS = patterns_of(Report)
_PATTERNS = {struct: patterns_of(model) for struct, model in EVENT_TYPES.items()}
_VALIDATORS = {struct: validators_of(model) for struct, model in EVENT_TYPES.items()}
_decoder = msgspec.json.Decoder(struct_of(Report))


class ReadReport(Protocol):
    """A report that was read: fields of `Report`, its events as structs."""

    site: str
    visitor_id: str
    sent_ms: int
    events: tuple[Any, ...]


def report_of(body: bytes) -> ReadReport:
    """Read a report from JSON; unknown fields are left out.

    What is not right at first sight is read by the models: they also take what can be made right, a number in quotes
    say, and know to name what is wrong.

    Raises:
        pydantic.ValidationError: it is no report; the error names the field.
    """
    try:
        return _checked(body)
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        return cast(ReadReport, _decoder.decode(Report.model_validate_json(body).to_bytes()))


def _checked(body: bytes) -> ReadReport:
    """Read and check a report; raises ValueError if there is anything wrong with it."""
    report = cast(ReadReport, _decoder.decode(body))  # the struct is made of it
    _match(report, _REPORT_PATTERNS)
    for event in report.events:
        kind = type(event)
        _match(event, _PATTERNS[kind])
        for name, validate in _VALIDATORS[kind]:
            validate(getattr(event, name))
    return report


def _match(read: Any, patterns: tuple[tuple[str, Match], ...]) -> None:
    for name, match in patterns:
        if match(getattr(read, name)) is None:
            raise ValueError(f"{name} does not match its pattern")
