"""The mail that signs somebody in, as a real mail server takes it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from sinks.delivery.send_errors import PermanentSendError
from sinks.web.process import mail_sender
from sinks.web.sign_in_mail import sign_in_mail
from sinks.web.words import words_for
from tests.sinks.delivery_samples import settings_with
from tests.sinks.delivery_servers import MailServer, mail_server

AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
LINK = f"https://briefs.example.org/sign-in/{'WyJhbm4i.' * 20}x-_9"
FROM = "Readbrief <briefs@example.org>"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def sent(server: MailServer, to: str, language: str) -> EmailMessage:
    settings = settings_with(smtp_port=server.port, mail_from=FROM)
    mail_sender(settings)(sign_in_mail(settings, to, LINK, words_for(language), AT), to)
    return server.mails[-1]


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_the_mail_arrives_in_the_readers_language_with_the_link_whole(server: MailServer, language: str) -> None:
    mail = sent(server, "jo@example.com", language)
    words = words_for(language)
    assert (mail["To"], mail["From"], mail["Subject"]) == ("jo@example.com", FROM, words.say("mail.subject"))
    assert server.recipients == ["jo@example.com"]
    assert mail["Date"].datetime == AT
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content().replace("\r\n", "\n")
    assert text == words.say("mail.text", link=LINK, minutes=15)
    assert LINK in text.split("\n")


def test_an_address_beyond_ascii_gets_its_mail_where_the_server_takes_such() -> None:
    with mail_server(enable_SMTPUTF8=True) as server:
        assert sent(server, "jörg@example.com", "en")["To"] == "jörg@example.com"
        assert server.recipients == ["jörg@example.com"]
    with mail_server(enable_SMTPUTF8=False) as server, pytest.raises(PermanentSendError, match="beyond ASCII"):
        sent(server, "jörg@example.com", "en")
