"""The signed mark in each mail to a rep, by which a report that it came back is known to be about a mail of ours."""

from typing import Any

from itsdangerous import SignatureExpired
from pydantic import ValidationError

from producers.links import DAY_S, Fault, TokenError, read_payload, signed
from schemas.message import Id, Model
from schemas.settings import Settings

MARK_MAX_AGE_S = 14 * DAY_S
"""Mail servers give up within a week; what comes back later than this is no news to anybody."""

_PURPOSE = "mail-mark"


class MailMark(Model):
    """Whose mail it is, and when it was handed to the mail server, in Unix milliseconds."""

    delivery_id: Id
    sent_ms: int


def mail_mark(settings: Settings, delivery_id: str, sent_ms: int) -> str:
    """Make the mark of a delivery's mail."""
    return signed(settings, _PURPOSE, [delivery_id, sent_ms], sent_ms)


def read_mail_mark(settings: Settings, mark: str, *, now_ms: int) -> MailMark:
    """Return what a mark says.

    Raises:
        TokenError: it was not made with this secret, or its time is over.
    """
    try:
        claims: Any = read_payload(settings, _PURPOSE, mark, MARK_MAX_AGE_S, now_ms)
        delivery_id, sent_ms = claims
        return MailMark(delivery_id=delivery_id, sent_ms=sent_ms)
    except SignatureExpired as error:
        raise TokenError(Fault.expired) from error
    except (ValidationError, ValueError, TypeError) as error:
        raise TokenError(Fault.forged) from error
