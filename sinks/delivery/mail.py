"""Email to reps over SMTP."""

import contextlib
import re
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from html import escape
from textwrap import wrap

from pydantic import TypeAdapter, ValidationError

from schemas.delivery import Delivery
from schemas.directory import Email
from schemas.feedback import MARK_HEADER
from schemas.ids import derived_id
from schemas.settings import Settings
from sinks.delivery.outside_text import one_line
from sinks.delivery.picture import Picture
from sinks.delivery.render import Rendered
from sinks.delivery.send_errors import PermanentSendError, TransientSendError, UnknownSendError

_ADDRESS: TypeAdapter[str] = TypeAdapter(Email)
_TIMEOUT_S = 30.0
_MARK_WORD = 50
# Bodies in seven bits pass every server.
_ASCII = SMTP.clone(cte_type="7bit")
_BEYOND_ASCII = SMTPUTF8.clone(cte_type="7bit")
_PERMANENT = 500
_ACCEPTED = 250
_GO_ON = 354
_ENHANCED_CODE = re.compile(rb"^([245]\.\d{1,3}\.\d{1,3})\b")
_ATOM = re.compile(r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")


@dataclass(frozen=True)
class MailLinks:
    """A picture whose request tells of an opening, where digests are ended, and the mark of a report that it came back.

    Each is empty if there is none.
    """

    pixel: str = ""
    unsubscribe: str = ""
    mark: str = ""


def compose(
    delivery: Delivery,
    rendered: Rendered,
    to: tuple[str, str],
    mail_from: str,
    at: datetime,
    links: MailLinks = MailLinks(),
) -> EmailMessage:
    """Return the mail of a delivery to a rep's name and address.

    All mails to a rep about one account answer to one message, so that they are shown as one conversation. That message
    was never sent: its id follows from rep and account, and nothing has to be remembered.

    Raises:
        PermanentSendError: the address is none.
    """
    name, address = to
    mail = EmailMessage(policy=_ASCII if address.isascii() else _BEYOND_ASCII)
    try:
        username, _, domain = _ADDRESS.validate_python(address).rpartition("@")
    except ValidationError as error:
        raise PermanentSendError("the rep's email channel in the directory is no mail address") from error
    mail["To"] = Address(one_line(name), username, domain)
    mail["From"] = mail_from
    mail["Subject"] = rendered.subject
    mail["Date"] = format_datetime(at)
    domain_of_ids = _domain(mail_from)
    mail["Message-ID"] = f"<{_message_name(delivery.delivery_id)}@{domain_of_ids}>"
    if thread := _thread(delivery):
        mail["In-Reply-To"] = mail["References"] = f"<{thread}@{domain_of_ids}>"
    if links.unsubscribe:
        mail["List-Unsubscribe"] = f"<{links.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["X-Readbrief-Delivery"] = delivery.delivery_id
    if links.mark:
        # Servers break lines where they like, and in a word without spaces not at all: it is read without them.
        mail[MARK_HEADER] = " ".join(wrap(links.mark, _MARK_WORD))
    mail["Auto-Submitted"] = "auto-generated"  # no out-of-office answers
    mail.set_content(rendered.text)
    mail.add_alternative(_with_pixel(rendered.html, links.pixel), subtype="html")
    _carry(mail, rendered.pictures)
    return mail


def compose_notice(notice_id: str, said: tuple[str, str], address: str, mail_from: str) -> EmailMessage:
    """Return a plain mail to the operator: subject and text."""
    mail = EmailMessage(policy=_ASCII if address.isascii() else _BEYOND_ASCII)
    mail["To"], mail["From"], mail["Subject"] = address, mail_from, said[0]
    mail["Message-ID"] = f"<{_message_name(notice_id)}@{_domain(mail_from)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(said[1])
    return mail


def _carry(mail: EmailMessage, pictures: tuple[Picture, ...]) -> None:
    """Lay the pictures beside the HTML that shows them, so that a mail program fetches nothing."""
    page = mail.get_body(("html",))
    if not isinstance(page, EmailMessage):
        return
    for picture in pictures:
        page.add_related(
            picture.png, "image", "png", cid=f"<{picture.cid}>", disposition="inline", filename=f"{picture.cid}.png"
        )


def send_mail(settings: Settings, mail: EmailMessage, sender: str, recipient: str) -> None:
    """Hand one mail to the mail server, over a connection of its own.

    Raises:
        TransientSendError: it was not taken, and may be later.
        PermanentSendError: it was refused for good.
        UnknownSendError: the connection broke between the mail's last byte and the server's answer.
    """
    try:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_TIMEOUT_S)
        try:
            _greet(server, settings)
            _hand_over(server, mail, sender, recipient)
        finally:
            _leave(server)
    except smtplib.SMTPResponseException as error:
        raise _refusal("the mail server refused the session", error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise PermanentSendError("the mail server lacks what the settings ask of it (STARTTLS or login)") from error
    except ssl.SSLCertVerificationError as error:
        raise PermanentSendError("the mail server's certificate is not valid for its name") from error
    except (OSError, smtplib.SMTPException) as error:
        # Only the kind of fault is told: its text may hold addresses.
        raise TransientSendError(f"the mail server can't be reached or hung up ({type(error).__name__})") from error


def envelope_sender(mail_from: str) -> str:
    """Return the bare address of the sender."""
    return parseaddr(mail_from)[1]


def _greet(server: smtplib.SMTP, settings: Settings) -> None:
    server.ehlo_or_helo_if_needed()
    if settings.smtp_starttls:
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    if settings.smtp_user:
        server.login(settings.smtp_user, settings.smtp_password.get_secret_value())


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye; what goes wrong in it says nothing about the mail, so it must not look like a failure to send."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        server.quit()
    server.close()


def _hand_over(server: smtplib.SMTP, mail: EmailMessage, sender: str, recipient: str) -> None:
    """Do what smtplib's sendmail does, but tell a mail that was surely not taken from one that may have been."""
    options = [] if recipient.isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
    if options and not server.has_extn("smtputf8"):
        raise PermanentSendError("the mail server takes no addresses beyond ASCII")
    _expect(_ACCEPTED, "sender", server.mail(sender, options))
    _expect(_ACCEPTED, "recipient", server.rcpt(recipient))
    _expect(_GO_ON, "mail", server.docmd("DATA"))
    # Without the last line, "." alone, the server may not take the mail; an error up to here is safe to try again.
    lines = mail.as_bytes().splitlines()
    stuffed = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
    server.send(stuffed)
    try:
        server.send(b".\r\n")
        answer = server.getreply()
    except (OSError, smtplib.SMTPServerDisconnected) as error:
        raise UnknownSendError("the mail server hung up before it said whether it took the mail") from error
    _expect(_ACCEPTED, "mail", answer)


def _expect(code: int, what: str, answer: tuple[int, bytes]) -> None:
    if answer[0] != code and not (code == _ACCEPTED and answer[0] == _ACCEPTED + 1):
        raise _refusal(f"the mail server refused the {what}", *answer)


def _refusal(what: str, code: int, text: bytes | str) -> PermanentSendError | TransientSendError:
    raw = text if isinstance(text, bytes) else text.encode()
    enhanced = _ENHANCED_CODE.match(raw)
    reason = f"{what}: {code} {enhanced[1].decode() if enhanced else ''}".strip()
    return PermanentSendError(reason) if code >= _PERMANENT else TransientSendError(reason)


def _message_name(delivery_id: str) -> str:
    return delivery_id if _ATOM.match(delivery_id) else derived_id("mail", delivery_id)


def _thread(delivery: Delivery) -> str:
    """Return the name of the conversation that a mail belongs to; a digest about several accounts is in none."""
    accounts = {brief.account_id for brief in delivery.briefs}
    return derived_id("thread", delivery.rep_id, *accounts) if len(accounts) == 1 else ""


def _with_pixel(html: str, url: str) -> str:
    if not url:
        return html
    picture = f'<img src="{escape(url)}" width="1" height="1" alt="" style="display:block;border:0">'
    before, end, after = html.rpartition("</body>")
    return f"{before}{picture}{end}{after}" if end else html + picture


def _domain(mail_from: str) -> str:
    return envelope_sender(mail_from).rpartition("@")[2] or "localhost.localdomain"
