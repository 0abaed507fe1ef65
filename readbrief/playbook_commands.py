"""The commands `readbrief playbook …`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

playbook_app = typer.Typer(help="Marketing's file.", no_args_is_help=True)


@playbook_app.command("check", epilog="Example:  readbrief playbook check playbook.yaml")
def playbook_check(
    file: Annotated[Path, typer.Argument(help="The playbook.")],
    machine: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print all that is wrong with a playbook, each with file, line and column; exit code 1 if anything is."""
    from schemas.errors import InputError
    from schemas.playbook import read_playbook

    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: can't be read ({error.strerror})") from error
    _, faults = read_playbook(str(file), data)
    if machine:
        typer.echo(json.dumps({"good": not faults, "faults": [asdict(fault) for fault in faults]}, ensure_ascii=False))
    else:
        typer.echo("\n".join(map(str, faults)) or f"{file}: good")
    if faults:
        raise typer.Exit(1)


@playbook_app.command(
    "page", epilog="Example:  readbrief playbook page --playbook playbook.yaml --language zh-Hant --html us.html"
)
def playbook_page(
    playbook: Annotated[Path, typer.Option(help="Marketing's playbook.")] = Path("playbook.yaml"),
    language: Annotated[str, typer.Option(help="The colleague's language; headings in English or Chinese.")] = "en",
    html: Annotated[Path | None, typer.Option(help="Write the page to this file; without it, text is printed.")] = None,
) -> None:
    """Make the page for new colleagues: what we do in 30 seconds, products, customers, whom to ask, what is public."""
    from schemas.playbook import load_playbook
    from sinks.report.page import colleague_page

    page = colleague_page(load_playbook(playbook), language)
    if html:
        html.write_text(page.html, encoding="utf-8")
    else:
        typer.echo(page.text)
