"""`readbrief bounces`: what mail servers report, from files or from a pipe."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from readbrief.stack_settings import settings_of
from schemas.errors import InputError

MAX_FILE_BYTES = 200 * 2**20
EXAMPLE = "Examples:  readbrief bounces new/*.eml    readbrief bounces returned.mbox    readbrief bounces - < mail"


def bounces(
    files: Annotated[list[str], typer.Argument(help="Messages, or mailboxes in mbox format; - is standard input.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Talk to the stack that runs on this directory, not to READBRIEF_*.")
    ] = None,
) -> None:
    """Take mail servers' reports of briefs that came back (RFC 3464), and send those by the reps' other channels.

    Other messages are named and change nothing. Exit code 75 asks a mail server to hand the message over again later.
    """
    from readbrief.bounces import take_reports

    take_reports(settings_of(data), _messages(files), typer.echo, time.time_ns() // 1_000_000)


def _messages(files: list[str]) -> Iterator[tuple[str, bytes]]:
    from producers.mail_reports import messages_in

    for file in files:
        found = messages_in(_content(file))
        name = "standard input" if file == "-" else file
        for number, message in enumerate(found, start=1):
            yield name if len(found) == 1 else f"{name}, message {number}", message


def _content(file: str) -> bytes:
    try:
        if file == "-":
            content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                content = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise InputError(f"{file}: is larger than {MAX_FILE_BYTES // 2**20} MB: split it")
    return content
