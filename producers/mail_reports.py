"""Reads what mail servers report of a mail that they took and could not deliver (RFC 3464), from outside and hostile.

Whatever it says of people stays here: what is taken from a report is a status code and the mark of the mail.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes, message_from_string
from email.message import Message
from typing import NamedTuple

from schemas.errors import InputError
from schemas.feedback import MARK_HEADER

READ_BYTES = 512 * 1024
"""How much of a report is read: what it says, and the headers it returns, come before what may be long."""

MAX_BOUNDARIES = 20
"""The parser compares every line with the boundary of every part that it is in: a mail of ours has three."""

_FAILED = "failed"
_STATUSES = {"message/delivery-status", "message/global-delivery-status"}
_RETURNED = {"message/rfc822", "message/global", "message/global-headers", "text/rfc822-headers"}
_LONGEST_MARK = 2_000
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_MARK_LINE = re.compile(
    rb"^%b:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)" % re.escape(MARK_HEADER.encode()), re.IGNORECASE | re.MULTILINE
)
_BOUNDARY = re.compile(rb"boundary[*\d]*[ \t]*=", re.IGNORECASE)
# With a time, as an envelope's line has it and a paragraph that begins with this word has not.
_ENVELOPE_LINE = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]*\d\d:\d\d[^\n]*\n")
# What the middle number of a status is about, by RFC 3463; of two the whole says more.
_ABOUT = {
    "0": "no cause was given",
    "1": "the address is wrong",
    "2": "the mailbox can't take it",
    "3": "the receiving system can't take it",
    "4": "the receiving server was not reached in time",
    "5": "the servers did not understand each other",
    "6": "its content was not taken",
    "7": "it was refused by policy",
}
_EXACTLY = {"1.1": "there is no such mailbox", "2.2": "the mailbox is full"}


class NoBounceError(InputError):
    """A message does not tell of a mail of ours that came back; the text says what it is."""


class MailReport(NamedTuple):
    """What a report says: why the mail came back, and its mark, still to be verified."""

    reason: str
    mark: str


def messages_in(data: bytes) -> list[bytes]:
    """Return the messages of a mailbox in mbox format; what is none is one message."""
    if not data.startswith(b"From "):
        return [data]
    return [part for part in _ENVELOPE_LINE.split(data) if part.strip()]


def read_report(data: bytes) -> MailReport:
    """Return what a report of a mail server says.

    Raises:
        NoBounceError: it is none, or nothing of ours failed.
    """
    data = data[:READ_BYTES]
    if len(_BOUNDARY.findall(data)) > MAX_BOUNDARIES:
        raise NoBounceError("has too many parts within parts to be a report")
    try:
        mail = message_from_bytes(data)
        parts = _parts_of_report(mail)
        recipients = [block for part in parts if part.get_content_type() in _STATUSES for block in _blocks(part)]
        mark = next(filter(None, map(_mark_in, parts)), "") or _mark_anywhere(data)
    except RecursionError as error:
        raise NoBounceError("is nested too deeply to be read") from error
    reason = _why(recipients)
    if not mark:
        raise NoBounceError("is about no mail of ours, or came without that mail's headers")
    return MailReport(reason, mark)


def _parts_of_report(mail: Message) -> list[Message]:
    kind = str(mail.get_param("report-type", "delivery-status")).lower()
    parts = mail.get_payload()
    if mail.get_content_type() != "multipart/report" or kind != "delivery-status" or not isinstance(parts, list):
        raise NoBounceError("is no delivery status report by RFC 3464 (replies are none, nor are qmail's own)")
    return [part for part in parts if isinstance(part, Message)]


def _blocks(part: Message) -> Iterator[Message]:
    """Yield a status part's blocks of fields: of the message, then of each recipient."""
    blocks = part.get_payload()
    for block in blocks if isinstance(blocks, list) else []:
        if not isinstance(block, Message):
            continue
        yield block
        # What the parser knows no blocks of, it takes for one block with a body.
        rest = block.get_payload()
        if isinstance(rest, str):
            yield from (message_from_string(text) for text in re.split(r"\r?\n[ \t]*\r?\n", rest.strip()) if text)


def _why(blocks: list[Message]) -> str:
    """Return why a recipient failed; whatever the status, only the action says that no further try is made."""
    actions = [(_word(block["Action"]), block) for block in blocks if block["Action"]]
    for action, block in actions:
        if action == _FAILED:
            return _reason(_status(block))
    said = ", ".join(dict.fromkeys(action for action, _ in actions if action.isalpha()))[:100] or "nothing"
    raise NoBounceError(f"says of the mail that it is {said}, not failed")


def _word(value: object) -> str:
    return (str(value).split() or [""])[0].lower()


def _status(block: Message) -> str:
    """Return the status code; where it says nothing, the one that the other server gave."""
    found = [_STATUS.search(str(block[name] or "")) for name in ("Status", "Diagnostic-Code")]
    codes = [each[1] for each in found if each]
    return next((code for code in codes if not code.endswith(".0.0")), codes[0] if codes else "")


def _reason(status: str) -> str:
    if not status:
        return _ABOUT["0"]
    _, _, detail = status.partition(".")
    about = _EXACTLY.get(detail) or _ABOUT.get(detail.partition(".")[0], _ABOUT["0"])
    return f"{status}, {about}"


def _mark_in(part: Message) -> str:
    """Return the mark in the headers that a part returns."""
    if part.get_content_type() not in _RETURNED:
        return ""
    inner = part.get_payload()
    if isinstance(inner, list):
        returned = inner[0] if inner and isinstance(inner[0], Message) else None
    else:
        content = part.get_payload(decode=True)
        returned = message_from_bytes(content) if isinstance(content, bytes) else None
    return _mark(str(returned[MARK_HEADER] or "")) if returned is not None else ""


def _mark_anywhere(data: bytes) -> str:
    """Return the mark in whatever order the parts are; who made it up is found out by its signature."""
    found = _MARK_LINE.search(data)
    return _mark(found[1].decode("ascii", "replace")) if found else ""


def _mark(value: str) -> str:
    return "".join(value.split())[:_LONGEST_MARK]
