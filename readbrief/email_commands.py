"""`readbrief email`: newsletters whose links tell who reads, the tokens that fill them in, and taking them back."""

import re
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from readbrief.stack_settings import settings_of
from schemas.errors import InputError
from schemas.settings import Settings

if TYPE_CHECKING:
    from producers.mailings import Campaign
    from producers.newsletter import Prepared

email_app = typer.Typer(help="Marketing's emails: links, tokens, and taking them back.", no_args_is_help=True)

PUBLISH_TIMEOUT_S = 30

Data = Annotated[
    Path | None, typer.Option("--data", help="Talk to the stack that runs on this directory, not to READBRIEF_*.")
]
CampaignId = Annotated[str, typer.Option("--campaign", help="Campaign id.")]
SiteKey = Annotated[str | None, typer.Option("--site", help="Site key; may be left out if there is only one site.")]


@email_app.command("prepare", epilog="Example:  readbrief email prepare newsletter.html --campaign spring --sender ses")
def email_prepare(
    newsletter: Annotated[Path, typer.Argument(help="The newsletter's HTML.")],
    campaign: CampaignId,
    site: SiteKey = None,
    sender: Annotated[str, typer.Option(help="Whose merge tag stands in place of the token.")] = "sendgrid",
    contacts: Annotated[Path | None, typer.Option(help="A CSV of contacts: a mail for each, no tags.")] = None,
    text: Annotated[Path | None, typer.Option(help="The text part: it is copied beside, untouched.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write; NEWSLETTER.prepared by default.")] = None,
    trap: Annotated[bool, typer.Option(help="Add a hidden link, which catches mail scanners.")] = True,
    data: Data = None,
) -> None:
    """Make a newsletter's links tell who follows them, and add the open pixel; all else stays as it is."""
    from producers.mailings import MERGE_TAGS, MergeTags, contacts_in, prepare_mail, token_for

    if sender not in {each.value for each in MergeTags}:
        raise InputError(f"--sender {sender}: must be one of {', '.join(each.value for each in MergeTags)}")
    settings = settings_of(data)
    mailing = _campaign(settings, site, campaign, trap=trap)
    content = _read(newsletter)
    folder = out or newsletter.with_name(f"{newsletter.stem}.prepared")
    if contacts is None:
        prepared = prepare_mail(content, mailing, MERGE_TAGS[MergeTags(sender)])
        files = {f"{newsletter.stem}.html": prepared.data}
    else:
        rows = list(contacts_in(_text(contacts), settings))
        made = {row.contact_id: prepare_mail(content, mailing, token_for(row.contact_id, mailing)) for row in rows}
        if not made:
            raise InputError(f"{contacts}: there is no contact in it")
        prepared = next(iter(made.values()))
        files = {f"{_file_name(contact)}.html": each.data for contact, each in made.items()}
    if text is not None:
        files[f"{newsletter.stem}.txt"] = _read(text)
    folder.mkdir(parents=True, exist_ok=True)
    for name, written in files.items():
        (folder / name).write_bytes(written)
    typer.echo(_report(prepared, len(files), folder))


@email_app.command("tokens", epilog="Example:  readbrief email tokens contacts.csv --campaign spring > merge.csv")
def email_tokens(
    contacts: Annotated[Path, typer.Argument(help="A CSV with a column contact_id or email.")],
    campaign: CampaignId,
    site: SiteKey = None,
    out: Annotated[Path | None, typer.Option(help="Where to write; standard output by default.")] = None,
    data: Data = None,
) -> None:
    """Add each contact's token to a contacts file, as the column rb_token, for the sender to fill in."""
    from producers.mailings import contacts_in, tokens_csv

    settings = settings_of(data)
    made = tokens_csv(contacts_in(_text(contacts), settings), _campaign(settings, site, campaign))
    if out is None:
        typer.echo(made, nl=False)
    else:
        out.write_text(made, encoding="utf-8", newline="")


@email_app.command("revoke", epilog="Example:  readbrief email revoke --contact dana --campaign spring")
def email_revoke(
    contact: Annotated[str | None, typer.Option(help="Contact id.")] = None,
    campaign: Annotated[str | None, typer.Option(help="Campaign id.")] = None,
    data: Data = None,
) -> None:
    """Take back the links and tokens made so far: they still lead to their pages, but identify nobody."""
    from pydantic import ValidationError

    from producers.publisher import Publisher
    from readbrief.broker_topics import create_topics
    from schemas.emails import Revocation
    from schemas.message import first_error
    from schemas.topics import REVOCATIONS

    settings = settings_of(data)
    try:
        revocation = Revocation(contact_id=contact, campaign_id=campaign, until_ms=_now_ms())
    except ValidationError as error:
        raise InputError(first_error(error)) from error
    create_topics(settings)  # one that is older than this command may miss the topic
    with closing(Publisher(settings.kafka_bootstrap, delivery_timeout_s=PUBLISH_TIMEOUT_S)) as publisher:
        publisher.send(REVOCATIONS.name, revocation.to_bytes(), revocation.key.encode()).result()
    whose = " and ".join(filter(None, (contact and f"contact {contact}", campaign and f"campaign {campaign}")))
    typer.echo(f"revoked: what was made for {whose} up to now")


def _campaign(settings: Settings, site: str | None, campaign: str, *, trap: bool = True) -> "Campaign":
    from producers.mailings import Campaign

    if site is None:
        if len(settings.sites) != 1:
            raise InputError(f"--site: needed, as there are {len(settings.sites)} sites")
        site = next(iter(settings.sites))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}", campaign):
        raise InputError(f"--campaign {campaign}: must be letters, digits and . _ : @ + -")
    return Campaign(settings, site, campaign, _now_ms(), trap=trap)


def _report(prepared: "Prepared", files: int, folder: Path) -> str:
    left = Counter(reason.value for _, reason in prepared.left)
    lines = [f"{len(prepared.rewritten)} links prepared, {len(prepared.left)} left as they are"]
    lines += [f"  {number} {reason}" for reason, number in sorted(left.items())]
    return "\n".join([*lines, f"{files} files in {folder}"])


def _file_name(contact_id: str) -> str:
    return quote(contact_id, safe="@+")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _text(path: Path) -> str:
    try:
        return _read(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8") from error


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
