"""The mail that brings the link to sign in with."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from schemas.settings import Settings
from sinks.web.words import Words

_ASCII, _BEYOND_ASCII = SMTP.clone(cte_type="7bit"), SMTPUTF8.clone(cte_type="7bit")


def sign_in_mail(settings: Settings, address: str, link: str, words: Words, at: datetime) -> EmailMessage:
    """Return the mail to an address that is known; plain text, so that the link is what it looks like."""
    mail = EmailMessage(policy=_ASCII if address.isascii() else _BEYOND_ASCII)
    mail["To"], mail["From"], mail["Subject"] = address, settings.mail_from, words.say("mail.subject")
    mail["Date"] = format_datetime(at)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(words.say("mail.text", link=link, minutes=settings.web_link_minutes))
    return mail
