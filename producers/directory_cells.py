"""How a cell of the directory's files spells a list, a channel or working hours. Pure."""

import re
from collections.abc import Callable
from typing import Any

from producers.phone_numbers import dialled

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOURS = re.compile(r"^(?P<days>[A-Za-z,\s-]+?)\s+(?P<start>\d{1,2}:\d{2})\s*-\s*(?P<end>\d{1,2}:\d{2})$")
_MINUTES_OF_DAY = 24 * 60
_EXAMPLE = "such as Mon-Fri 08:00-18:00, or Mon-Sun 00:00-00:00 for round the clock"


def field_value(name: str, cell: Any, phone_region: str | None = None) -> Any:
    """Return what a cell means for its field; what is no text (from YAML) means itself.

    A phone number that doesn't say of which country it is is one of the region.

    Raises:
        ValueError: the cell is not spelt as it must be; the message says how.
    """
    if name == "phone":
        return phone(cell, phone_region)
    read = _READERS.get(name)
    return read(cell) if read and isinstance(cell, str) else cell


def phone(cell: Any, region: str | None) -> Any:
    """Return a phone number as it is dialled from anywhere.

    Raises:
        ValueError: it is none, or needs a region.
    """
    if isinstance(cell, int):
        raise ValueError("must stand in quotation marks, or YAML takes its + and its zeros away")  # noqa: TRY004
    return dialled(cell, region) if isinstance(cell, str) else cell


def split_list(cell: str) -> list[str]:
    """Return the parts of a list cell, `a;b`."""
    return [part.strip() for part in cell.split(";") if part.strip()]


def channel(text: str) -> dict[str, Any]:
    """Return a channel from `kind:target`, or `also kind:target` for one that gets every message beside the first.

    Raises:
        ValueError: there is no colon.
    """
    kind, colon, target = text.partition(":")
    if not colon:
        raise ValueError(f"{text!r} is no channel such as email:ann@example.com or chat:sales")
    also, _, named = f" {' '.join(kind.lower().split())}".rpartition(" ")
    if also.strip() not in {"", "also"}:
        raise ValueError(f"{text!r} is no channel such as email:ann@example.com or also chat:sales")
    return {"kind": named, "target": target.strip()} | ({"also": True} if also.strip() else {})


def working_hours(text: str) -> dict[str, Any]:
    """Return working hours from `Mon-Fri 08:00-18:00`; days may be ranges and single days, `Mon-Thu,Sat`.

    Raises:
        ValueError: they are spelt otherwise, or end before they start.
    """
    parts = _HOURS.match(text.strip())
    if parts is None:
        raise ValueError(f"{text!r} are no working hours {_EXAMPLE}")
    start, end = _minutes(parts["start"]), _minutes(parts["end"]) % _MINUTES_OF_DAY
    if start == _MINUTES_OF_DAY or (end != 0 and end <= start):
        raise ValueError(f"{text!r} end before they start; they are one span within a day, {_EXAMPLE}")
    return {"days": _days(parts["days"]), "start": _clock(start), "end": _clock(end)}


def _minutes(text: str) -> int:
    hours, minutes = (int(part) for part in text.split(":"))
    total = hours * 60 + minutes
    if minutes > 59 or total > _MINUTES_OF_DAY:  # noqa: PLR2004 - minutes of an hour
        raise ValueError(f"{text!r} is no time of day")
    return total


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _days(text: str) -> list[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = (name.strip().lower()[:3] for name in part.partition("-"))
        last = last or first
        if first not in DAYS or last not in DAYS:
            raise ValueError(f"{part.strip()!r} names no days {_EXAMPLE}")
        length = (DAYS.index(last) - DAYS.index(first)) % 7
        days.update((DAYS.index(first) + step) % 7 for step in range(length + 1))
    return sorted(days)


def _domains(cell: str) -> list[str]:
    return [domain.lower() for domain in split_list(cell)]


def _channels(cell: str) -> list[dict[str, Any]]:
    return [channel(each) for each in split_list(cell)]


_READERS: dict[str, Callable[[str], Any]] = {
    "topics": split_list,
    "networks": split_list,
    "domains": _domains,
    "channels": _channels,
    "working_hours": working_hours,
}
