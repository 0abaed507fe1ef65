"""The command `readbrief`."""

import json
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from readbrief.bounce_command import EXAMPLE, bounces
from readbrief.email_commands import email_app
from readbrief.logs import configure_logs
from readbrief.playbook_commands import playbook_app
from readbrief.report_commands import report_app
from readbrief.stack_settings import settings_of
from schemas.errors import ReadbriefError, TryAgainError
from schemas.settings import Settings, load_settings

app = typer.Typer(
    name="readbrief",
    help="Tells the sales rep what a prospect really read, how far, where they lingered, and what to say.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
directory_app = typer.Typer(help="Accounts, contacts, reps and content.", no_args_is_help=True)
identity_app = typer.Typer(help="Who visitors are taken for.", no_args_is_help=True)
topics_app = typer.Typer(help="Kafka topics.", no_args_is_help=True)
schemas_app = typer.Typer(help="The contract.", no_args_is_help=True)
app.add_typer(report_app, name="report")
app.add_typer(playbook_app, name="playbook")
app.add_typer(directory_app, name="directory")
app.add_typer(email_app, name="email")
app.add_typer(identity_app, name="identity")
app.add_typer(topics_app, name="topics")
app.add_typer(schemas_app, name="schemas")
app.command(epilog=EXAMPLE)(bounces)

Data = Annotated[
    Path | None, typer.Option("--data", help="Talk to the stack that runs on this directory, not to READBRIEF_*.")
]


@app.command(epilog="Example:  readbrief up --data ./data --playbook playbook.yaml --port 8080")
def up(
    data: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path("data"),
    playbook: Annotated[Path, typer.Option(help="Marketing's playbook.")] = Path("playbook.yaml"),
    port: Annotated[int, typer.Option(help="The collector's port.")] = 8080,
) -> None:
    """Run the whole system on this machine: broker, ClickHouse, collector, streams and sinks."""
    from readbrief.embedded.stack import EmbeddedStack
    from schemas.playbook import load_playbook

    load_playbook(playbook)  # a fault in it is said before anything starts
    stop = _stop_event()
    overrides: dict[str, object] = {"playbook": playbook.resolve(), "collector_port": port}
    if "READBRIEF_COLLECTOR_URL" not in os.environ:
        overrides["collector_url"] = f"http://127.0.0.1:{port}"
    stack = EmbeddedStack(data.resolve(), _progress, **overrides)
    stack.start()
    _progress(
        f"ready: collector at {stack.settings.collector_url}, pages at {stack.settings.web_url}, "
        f"logs in {data}/logs; Ctrl-C stops everything"
    )
    try:
        stack.watch(stop)
        _progress("stopping")
    finally:
        stack.stop()


@app.command(epilog="Examples:  readbrief demo    readbrief demo --exit-after 3 --json")
def demo(
    exit_after: Annotated[int | None, typer.Option(min=1, help="Stop after so many delivered briefs.")] = None,
    machine: Annotated[bool, typer.Option("--json", help="Print each delivered brief as a JSON line.")] = False,
) -> None:
    """Run the system with a sample company, and watch briefs go out about its readers."""
    from readbrief.demo.run import run_demo

    raise typer.Exit(run_demo(exit_after, _stop_event(), machine=machine))


@app.command(epilog="Example:  readbrief run collector")
def run(
    process: Annotated[str, typer.Argument(help="collector, streams, clickhouse, delivery, web or reports")],
) -> None:
    """Run one production process, set up by READBRIEF_* variables, until SIGTERM."""
    from readbrief.embedded.lifetime import die_with_parent_if_asked
    from readbrief.workers import WORKERS

    die_with_parent_if_asked()

    if process not in WORKERS:
        raise typer.BadParameter(f"{process!r} is none of {', '.join(WORKERS)}")
    settings = load_settings()
    configure_logs(settings.log_level, process)
    raise typer.Exit(WORKERS[process](settings))


@app.command(epilog="Example:  readbrief migrate --data ./data")
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the statements, and run none.")] = False,
    data: Data = None,
) -> None:
    """Bring ClickHouse to the newest migration, and its tables to what the settings say is kept."""
    from sinks.clickhouse.migrate import migrate as apply_migrations
    from sinks.clickhouse.migrate import planned

    if dry_run:
        typer.echo("\n\n".join(f"{sql};" for sql in planned(_settings(data))) or "nothing to do")
        return
    applied = apply_migrations(_settings(data))
    typer.echo("\n".join(f"applied {name}" for name in applied) or "nothing to do")


@app.command(epilog="Example:  readbrief replay --from 2026-11-01 --to 2026-11-08T12:00 --data ./data")
def replay(
    since: Annotated[datetime, typer.Option("--from", help="First moment of receipt, in UTC.")],
    until: Annotated[datetime, typer.Option("--to", help="First moment that is no longer meant, in UTC.")],
    into: Annotated[str | None, typer.Option(help="Write them into this other database, and publish nothing.")] = None,
    data: Data = None,
) -> None:
    """Send stored events through the streams again; no brief is sent a second time."""
    from contextlib import closing

    from producers.publisher import Publisher
    from readbrief.replay import rebuild_into, replay_range

    settings = _settings(data)
    since_ms, until_ms = (int(one.replace(tzinfo=UTC).timestamp() * 1000) for one in (since, until))
    if into:
        typer.echo(f"{rebuild_into(settings, into, since_ms, until_ms, _progress)} events written into {into}")
        return
    with closing(Publisher(settings.kafka_bootstrap, delivery_timeout_s=30)) as publisher:
        typer.echo(f"{replay_range(settings, publisher, since_ms, until_ms, _progress)} events sent again")


@app.command(epilog="Example:  readbrief forget contact:dana --yes --data ./data > receipt.json")
def forget(
    who: Annotated[str, typer.Argument(help="contact:ID, visitor:ID or account:ID.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it only what would go is counted.")] = False,
    data: Data = None,
) -> None:
    """Erase a person or an account everywhere, and print the receipt as JSON; it can't be undone."""
    from readbrief.forget import forget as erase_everywhere
    from schemas.addresses import ADDRESS_PURPOSE
    from sinks.clickhouse.client import connect
    from sinks.clickhouse.erasing import counts, people_of

    kind, _, subject = who.partition(":")
    settings = _settings(data)
    if yes:
        receipt = erase_everywhere(settings, kind, subject)
        typer.echo(json.dumps(receipt, indent=2))
        raise typer.Exit(0 if receipt["streams"]["gone_through"] else 1)
    with connect(settings) as client:
        people = people_of(client, kind, subject, settings.signing_key(ADDRESS_PURPOSE))
        typer.echo(json.dumps({"would_remove": counts(client, people)}, indent=2))


@app.command(epilog="Example:  readbrief export contact:dana --data ./data > dana.json")
def export(
    who: Annotated[str, typer.Argument(help="contact:ID, visitor:ID or account:ID.")], data: Data = None
) -> None:
    """Print all that the store has of a person or an account, as JSON."""
    from readbrief.export import export as exported

    kind, _, subject = who.partition(":")
    typer.echo(json.dumps(exported(_settings(data), kind, subject), indent=2, default=str))


@topics_app.command("create", epilog="Example:  readbrief topics create")
def topics_create(data: Data = None) -> None:
    """Create the topics that are missing."""
    from readbrief.broker_topics import create_topics

    created = create_topics(_settings(data))
    typer.echo("\n".join(f"created {name}" for name in created) or "nothing to do")


@directory_app.command("import", epilog="Example:  readbrief directory import accounts.csv contacts.csv --data ./data")
def directory_import(
    files: Annotated[list[Path], typer.Argument(help="CSV or YAML files, or exports of HubSpot or Salesforce.")],
    complete: Annotated[
        bool, typer.Option(help="Delete what the files, of the kinds in them, no longer have.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete even if more than a tenth would go.")] = False,
    default_rep: Annotated[str | None, typer.Option(help="Who gets accounts that an export gives no owner.")] = None,
    phone_region: Annotated[
        str | None, typer.Option(help="Of which country phone numbers without + are, such as DE.")
    ] = None,
    data: Data = None,
) -> None:
    """Import accounts, contacts, reps and content; nothing is imported if a row is wrong."""
    from readbrief.importing import Manner, import_directory

    manner = Manner(complete=complete, yes=yes, default_rep=default_rep, phone_region=phone_region)
    counts = import_directory(_settings(data), files, _progress, manner)
    typer.echo(_counted(counts))


@directory_app.command("delete", epilog="Example:  readbrief directory delete account:acme contact:dana --data ./data")
def directory_delete(
    keys: Annotated[list[str], typer.Argument(help="kind:id of each, as `directory show` prints them.")],
    data: Data = None,
) -> None:
    """Delete from the directory; with an account go its contacts, and what was read there counts no longer."""
    from readbrief.importing import delete_from_directory

    typer.echo("\n".join(f"deleted {key}" for key in delete_from_directory(_settings(data), keys, _progress)))


@directory_app.command("show", epilog="Examples:  readbrief directory show    readbrief directory show account:acme")
def directory_show(
    key: Annotated[str | None, typer.Argument(help="kind:id of one; without it all are counted.")] = None,
    machine: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data: Data = None,
) -> None:
    """Show what the directory holds now."""
    from readbrief.importing import counts_of, directory_now
    from schemas.errors import InputError

    found = {entity.entity_id: entity for entity in directory_now(_settings(data)).entities()}
    if key is None:
        counts = counts_of(list(found.values()))
        typer.echo(json.dumps(counts, sort_keys=True) if machine else _counted(counts) or "nothing")
        return
    if key not in found:
        raise InputError(f"{key} is not in the directory; a key is kind:id, such as account:acme")
    said = found[key].model_dump(mode="json", exclude_defaults=not machine)
    typer.echo(json.dumps(said) if machine else "\n".join(f"{name}: {value}" for name, value in said.items()))


@identity_app.command("show", epilog="Example:  readbrief identity show 0b9d2c1e-6f0a --data ./data")
def identity_show(visitor: Annotated[str, typer.Argument(help="Visitor id.")], data: Data = None) -> None:
    """Print, as JSON, whom a visitor is taken for and when, and the events that told or took it back."""
    from readbrief.identities import known_of

    typer.echo(json.dumps(known_of(_settings(data), visitor).as_json(), indent=2))


@identity_app.command(
    "withdraw",
    epilog="Examples:  readbrief identity withdraw 0b9d2c1e-6f0a --contact dana --reason 'The laptop was handed on'  "
    "readbrief identity withdraw 0b9d2c1e-6f0a --event id-17 --reason 'A test of ours' --json",
)
def identity_withdraw(
    visitor: Annotated[str, typer.Argument(help="Visitor id.")],
    reason: Annotated[str, typer.Option(help="Why it was wrong; kept with the event.")],
    event: Annotated[str | None, typer.Option(help="Take back what this event told, and no more.")] = None,
    contact: Annotated[str | None, typer.Option(help="Take back all that named this contact so far.")] = None,
    machine: Annotated[bool, typer.Option("--json", help="Print the event that was published, as JSON.")] = False,
    data: Data = None,
) -> None:
    """Take back a wrong identification: the account's summary will be as if it had never been.

    Without --event and --contact, all that told who the visitor is up to now is taken back. Briefs of
    the last days that told of it are put right.
    """
    from readbrief.identities import withdraw

    done = withdraw(_settings(data), visitor, event, contact, reason, now_ms=time.time_ns() // 1_000_000)
    said = f"withdrawn: {event or contact or 'all that was known'} of {visitor}"
    typer.echo(done.model_dump_json(exclude_none=True) if machine else said)


@app.command(epilog="Example:  readbrief backtest --playbook new.yaml --days 30 --data ./data")
def backtest(
    playbook: Annotated[Path, typer.Option(help="The playbook with the changed rules.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days back.")] = 30,
    machine: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data: Data = None,
) -> None:
    """Tell who would have been told what and when under other rules, against what was told; sends nothing."""
    from readbrief.backtest_command import run_backtest
    from schemas.playbook import load_playbook

    rules = load_playbook(playbook)
    run_backtest(_settings(data), rules, days, machine=machine, say=_progress)


@app.command(epilog="Examples:  readbrief explain acme --data ./data    readbrief explain acme --json")
def explain(
    account: Annotated[str, typer.Argument(help="Account id.")],
    machine: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data: Data = None,
) -> None:
    """Say why, and why not, reps were told of an account: each brief, each decision with its rule, what came of it."""
    from readbrief.explain import explain as explained

    entries = explained(_settings(data), account)
    if machine:
        typer.echo(json.dumps([entry.as_json() for entry in entries]))
    else:
        typer.echo("\n".join(entry.line() for entry in entries) or f"nothing was decided about {account}")


@schemas_app.command("export", epilog="Example:  readbrief schemas export ./json-schemas")
def schemas_export(folder: Annotated[Path, typer.Argument(help="Where to write NAME.schema.json files.")]) -> None:
    """Write the JSON Schema of every message."""
    from schemas.catalogue import json_schemas

    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in json_schemas().items():
        (folder / f"{name}.schema.json").write_text(json.dumps(schema, indent=2, sort_keys=True) + "\n")
    typer.echo(f"{len(json_schemas())} schemas in {folder}")


@app.command(epilog="Example:  readbrief link --site docs --contact c-17 --campaign spring --url https://example.com/a")
def link(
    site: Annotated[str, typer.Option(help="Site key.")],
    contact: Annotated[str, typer.Option(help="Contact id.")],
    campaign: Annotated[str, typer.Option(help="Campaign id.")],
    url: Annotated[str, typer.Option(help="The page to bring the reader to.")],
    data: Data = None,
) -> None:
    """Print the signed link that an email to this contact carries."""
    from producers.links import email_link

    typer.echo(email_link(_settings(data), site, contact, campaign, url, now_ms=time.time_ns() // 1_000_000))


@app.command(epilog="Example:  readbrief screenshot https://www.example.com/pricing --width 1280 --width 390")
def screenshot(
    url: Annotated[str, typer.Argument(help="A page of a configured site.")],
    width: Annotated[
        list[int] | None, typer.Option(min=240, max=4000, help="Of the layout; 1280 and 390 else.")
    ] = None,
    browser: Annotated[Path | None, typer.Option(help="Chromium's program, if not Playwright's own.")] = None,
    data: Data = None,
) -> None:
    """Keep a picture of a page, over which the content page draws where it was clicked. Needs Playwright."""
    from readbrief.screenshot import WIDTHS, take_pictures

    for wide, high in take_pictures(_settings(data), url, width or WIDTHS, str(browser) if browser else None):
        typer.echo(f"kept: {url} at {wide} x {high}")


@app.command(epilog="Example:  readbrief snippet --tag docs")
def snippet(
    tag: Annotated[str | None, typer.Option(help="Print the line to paste for this site key.")] = None,
    data: Data = None,
) -> None:
    """Print the snippet as served, or the line to paste into a site."""
    from producers import snippet as snippet_files

    if tag is None:
        sys.stdout.buffer.write(snippet_files.script())
    else:
        typer.echo(snippet_files.tag(_settings(data).collector_url, tag))


def main() -> NoReturn:
    """Run the command; what a person can mend is one message on standard error and exit code 1.

    75 (EX_TEMPFAIL) is for mail servers: they keep the message, and hand it over again.
    """
    configure_logs("error", "command")
    try:
        app()
    except ReadbriefError as error:
        Console(stderr=True).print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(os.EX_TEMPFAIL if isinstance(error, TryAgainError) else 1)
    sys.exit(0)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


def _settings(data: Path | None) -> Settings:
    return settings_of(data)


def _progress(text: str) -> None:
    Console(stderr=True).print(text, style="dim", highlight=False, markup=False)


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
