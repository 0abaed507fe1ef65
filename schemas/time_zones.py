"""The names of time zones, checked where they come in."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin") from error
    return name


TimeZoneName = Annotated[str, AfterValidator(_known)]
"""A time zone of the IANA database, such as Europe/Berlin."""
