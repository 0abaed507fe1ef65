"""The command `readbrief backtest`, and how a person reads what it found."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from readbrief.backtest import Backtest, backtest
from readbrief.telling import Difference, Kind
from schemas.directory import Directory
from schemas.playbook import Playbook
from schemas.settings import Settings
from schemas.topics import DAY_MS

_STYLES = {Kind.added: "green", Kind.gone: "red", Kind.moved: "yellow", Kind.unchanged: "dim"}
_MAX_LISTED = 200


def run_backtest(settings: Settings, rules: Playbook, days: int, *, machine: bool, say: Callable[[str], None]) -> None:
    """Run stored activity through rules, and print what would have been told otherwise."""
    until_ms = time.time_ns() // 1_000_000
    found = backtest(settings, rules, until_ms - days * DAY_MS, until_ms, say)
    if machine:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        show(found, Console())


def show(found: Backtest, console: Console) -> None:
    """Print a backtest: the counts, what differs, and how many briefs each rep has on each day."""
    said = found.as_json()
    counts = ", ".join(f"{count} {kind}" for kind, count in said["counts"].items())
    console.print(f"{found.events:,} events; briefs: {counts}", highlight=False)
    differing = [each for each in found.differences if each.kind is not Kind.unchanged]
    if differing:
        console.print(_differences(differing[:_MAX_LISTED], found.directory))
    if len(differing) > _MAX_LISTED:
        console.print(f"and {len(differing) - _MAX_LISTED} more: see --json")
    table = Table("rep", "day", "was told", "would be told", box=None, header_style="bold", pad_edge=False)
    for row in said["per_rep_and_day"]:
        table.add_row(row["rep_id"], row["day"], str(row["was"]), str(row["would"]))
    if said["per_rep_and_day"]:
        console.print(table)


def _differences(differences: list[Difference], directory: Directory) -> Table:
    table = Table("", "rep", "account", "why", "was", "would be", box=None, header_style="bold", pad_edge=False)
    for each in differences:
        brief, rep = each.stands.brief, directory.reps.get(each.stands.rep_id)
        zone = ZoneInfo(rep.time_zone if rep else "UTC")
        times = [
            datetime.fromtimestamp(one.at_ms / 1000, zone).strftime("%a %d %b %H:%M") if one else "-"
            for one in (each.was, each.would)
        ]
        cells = (each.kind.value, each.stands.rep_id, brief.account_id, brief.trigger.kind.value, *times)
        table.add_row(*(Text(cell) for cell in cells), style=_STYLES[each.kind])
    return table
