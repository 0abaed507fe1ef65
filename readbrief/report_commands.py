"""The commands `readbrief report …`."""

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from schemas.playbook import Playbook
    from schemas.settings import Settings
    from sinks.report.weekly import Weekly

report_app = typer.Typer(help="Pages for the meeting of sales and marketing.", no_args_is_help=True)


@report_app.command("weekly", epilog="Example:  readbrief report weekly --week 2026-W47 --html week.html --data ./data")
def report_weekly(
    week: Annotated[str | None, typer.Option(help="As 2026-W47; the last one that is over by default.")] = None,
    language: Annotated[
        str | None, typer.Option(help="en, zh-Hans or zh-Hant; READBRIEF_REPORT_LANGUAGE's else.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page to this file.")] = None,
    machine: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
    queries: Annotated[bool, typer.Option("--queries", help="Print the SQL behind each part.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Mail it to READBRIEF_REPORT_TO, to each address once.")] = False,
    data: Annotated[Path | None, typer.Option("--data", help="Talk to the stack that runs on this directory.")] = None,
) -> None:
    """Show a week: what moved accounts, where readers stop, objections, what became of briefs; or mail it."""
    from readbrief.embedded.stack import stack_environment
    from schemas.playbook import load_playbook
    from schemas.settings import load_settings
    from sinks.clickhouse.client import connect
    from sinks.report.page import queries_of, weekly_page
    from sinks.report.sending import weekly_of
    from sinks.report.week import week_before, week_named

    if data is not None:
        os.environ.update(stack_environment(data))
    settings = load_settings()
    playbook = load_playbook(settings.playbook)
    zone = ZoneInfo(settings.report_time_zone)
    chosen = week_named(week, zone) if week else week_before(time.time_ns() // 1_000_000, zone)
    client = connect(settings)
    try:
        page = weekly_of(client, chosen, playbook)
    finally:
        client.disconnect()
    spoken = language or settings.report_language
    shown = weekly_page(page, spoken, playbook, with_queries=True)
    if html:
        html.write_text(shown.html, encoding="utf-8")
    if send:
        _mail(settings, page, spoken, playbook)
    if machine:
        typer.echo(json.dumps(page.as_json(), ensure_ascii=False))
    if queries:
        typer.echo("\n\n".join(f"-- {name}\n{sql};" for name, sql in queries_of(page).items()))
    if not (html or send or machine or queries):
        typer.echo(shown.text)


def _mail(settings: "Settings", page: "Weekly", language: str, playbook: "Playbook") -> None:
    from schemas.errors import InputError, ReadbriefError
    from sinks.delivery.ledger import DeliveryLedger, LedgerState
    from sinks.report.sending import addresses, letter_of, send

    to = addresses(settings)
    if not to:
        raise InputError("nobody to send it to: set READBRIEF_REPORT_TO to addresses, by commas")
    ledger = DeliveryLedger.open(settings)
    try:
        letter = letter_of(page, language, playbook)
        ends = [state for _, state in send(settings, ledger, letter, to, lambda: time.time_ns() // 1_000_000)]
    finally:
        ledger.close()
    sent = sum(state is LedgerState.sent for state in ends)
    typer.echo(f"sent to {sent}, {len(to) - len(ends)} had it already", err=True)
    if sent < len(ends):
        raise ReadbriefError(f"{len(ends) - sent} of the mails were not taken; the log of this command says why")
