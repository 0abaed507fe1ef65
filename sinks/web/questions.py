"""What the pages ask ClickHouse: each question by name, so that every number can show the query that made it.

Values are bound by name, from the request and from what its viewer may see; the same is shown at /queries/NAME.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clickhouse_driver.util.escape import escape_params

from sinks.web.access import For

if TYPE_CHECKING:
    from sinks.web.asked import Asked

Given = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """One question: its name, its SQL, and where the values come from that are bound to it."""

    name: str
    sql: str
    given: Callable[["Asked"], Given]
    whom: For = For.signed_in
    of_account: bool = False

    def as_run(self, given: Given) -> str:
        """Return the query with its values filled in, as anybody may run it again."""
        filled: dict[str, str] = escape_params(dict(given), None)
        return (self.sql % filled).strip()
