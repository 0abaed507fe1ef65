"""Email over a real mail server: what arrives, what is tried again, what is not."""

import io
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from PIL import Image

from schemas.directory import Account
from sinks.delivery.mail import compose, envelope_sender, send_mail
from sinks.delivery.render import render
from sinks.delivery.send_errors import PermanentSendError, TransientSendError, UnknownSendError
from tests.sinks.delivery_samples import a_brief, a_delivery, a_directory, a_read, settings_with
from tests.sinks.delivery_servers import MailServer, mail_server
from tests.support.ports import free_port

FROM = "Readbrief Briefs <briefs@example.org>"
AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def a_mail(name: str = "Jo Müller", address: str = "jo@example.com", **changes: Any) -> EmailMessage:
    delivery = a_delivery(**changes)
    return compose(delivery, render(delivery, a_directory()), (name, address), FROM, AT)


def send(port: int, mail: EmailMessage, recipient: str = "jo@example.com", **settings: Any) -> None:
    send_mail(settings_with(smtp_port=port, **settings), mail, envelope_sender(FROM), recipient)


def test_the_mail_that_arrives_is_the_mail_that_was_written(server: MailServer) -> None:
    send(server.port, a_mail())
    (mail,) = server.mails
    rendered = render(a_delivery(), a_directory())
    assert server.recipients == ["jo@example.com"]
    assert mail["To"] == "Jo Müller <jo@example.com>"
    assert mail["From"] == FROM
    assert mail["Subject"] == rendered.subject
    assert mail["Date"].datetime == AT
    assert mail["Message-ID"] == "<delivery-1@example.org>"
    assert mail["X-Readbrief-Delivery"] == "delivery-1"
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert text.get_content().replace("\r\n", "\n") == rendered.text
    assert html.get_content().replace("\r\n", "\n") == rendered.html


def test_the_pictures_travel_with_the_mail_and_are_called_by_name_in_its_html() -> None:
    bands = (1_000, 8_000, 3_000, 0, 0, 0, 0, 0, 0, 0)
    brief = a_brief(reads=(a_read(1, bands=bands), a_read(2, title="Terms", url="https://www.example.com/terms")))
    delivery = a_delivery(briefs=(brief,))
    rendered = render(delivery, a_directory())
    mail = compose(delivery, rendered, ("Jo", "jo@example.com"), "readbrief <brief@example.com>", AT)
    arrived = message_from_bytes(mail.as_bytes(), policy=default)
    (picture,) = [part for part in arrived.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"].strip("<>") in rendered.html.split("cid:")[1]
    assert picture["Content-Disposition"].startswith("inline")
    image = Image.open(io.BytesIO(picture.get_content()))
    opacity = image.getchannel("A").tobytes()
    darkest = max(range(10), key=lambda band: opacity[(10 + band * 10) * image.width + 40])
    assert (image.size, darkest) == ((80, 108), 1)
    text = arrived.get_body(("plain",))
    assert isinstance(text, EmailMessage)
    assert text.get_content().replace("\r\n", "\n") == rendered.text


def test_the_same_delivery_has_the_same_message_id_and_no_id_can_break_the_header() -> None:
    assert a_mail()["Message-ID"] == a_mail()["Message-ID"]
    strange = a_mail(delivery_id="a@b:c+d")["Message-ID"]
    assert strange != a_mail(delivery_id="a@b:c+e")["Message-ID"]
    assert strange.count("@") == 1


def test_no_name_can_add_a_header(server: MailServer) -> None:
    directory = a_directory()
    directory.put(Account(account_id="acme", name="X\r\nBcc: all@example.com\r\n\r\nhi", rep_id="rep-1"))
    delivery = a_delivery()
    mail = compose(delivery, render(delivery, directory), ('Jo"\r\nBcc: all@example.com', "jo@example.com"), FROM, AT)
    send(server.port, mail)
    assert server.mails[0].get_all("Bcc") is None
    assert server.mails[0]["Subject"].startswith("X Bcc: all@example.com hi is hot")
    assert server.recipients == ["jo@example.com"]


def test_a_line_of_one_dot_does_not_end_the_mail(server: MailServer) -> None:
    mail = EmailMessage()
    mail["Subject"] = "dots"
    mail.set_content("before\n.\n..two\nafter\n")
    send(server.port, mail)
    assert server.mails[0].get_content().replace("\r\n", "\n") == "before\n.\n..two\nafter\n"


def test_an_address_beyond_ascii_is_reached() -> None:
    with mail_server(enable_SMTPUTF8=True) as server:
        send(server.port, a_mail(address="jö@example.com"), "jö@example.com")
        assert server.recipients == ["jö@example.com"]


def test_an_address_beyond_ascii_is_refused_for_good_where_the_server_can_not() -> None:
    with mail_server(enable_SMTPUTF8=False) as server, pytest.raises(PermanentSendError, match="ASCII"):
        send(server.port, a_mail(address="jö@example.com"), "jö@example.com")


@pytest.mark.parametrize("address", ["no address", "a@b@c", ""])
def test_what_is_no_address_is_refused_for_good(address: str) -> None:
    with pytest.raises(PermanentSendError):
        a_mail(address=address)


@pytest.mark.parametrize("phase", ["rcpt_answers", "data_answers"])
def test_a_4xx_may_pass_and_a_5xx_will_not(server: MailServer, phase: str) -> None:
    getattr(server, phase).extend(["451 4.3.0 jo@example.com: later", "550 5.1.1 jo@example.com: unknown"])
    with pytest.raises(TransientSendError, match=r"451 4\.3\.0$"):
        send(server.port, a_mail())
    with pytest.raises(PermanentSendError, match=r"550 5\.1\.1$"):
        send(server.port, a_mail())
    assert server.mails == []


def test_a_server_that_is_not_there_may_come_back() -> None:
    with pytest.raises(TransientSendError, match="ConnectionRefusedError"):
        send(free_port(), a_mail())


def test_a_server_that_hangs_up_after_it_took_the_mail_leaves_it_unknown(server: MailServer) -> None:
    server.hangs_up_after_taking = True
    with pytest.raises(UnknownSendError):
        send(server.port, a_mail())
    assert len(server.mails) == 1


def test_a_server_that_hangs_up_before_the_mail_was_sent_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet_and_go() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 here\r\n")
                connection.recv(100)

        thread = threading.Thread(target=greet_and_go)
        thread.start()
        with pytest.raises(TransientSendError):
            send(listener.getsockname()[1], a_mail())
        thread.join()


def test_a_server_that_breaks_off_the_goodbye_has_taken_the_mail() -> None:
    """A failure at QUIT must not look like a failure to send: the mail would go twice."""
    answers = [b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", b"250 taken\r\n", b"421 busy\r\n"]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 here\r\n")
                for answer in answers:
                    line = lines.readline()
                    while answer.startswith(b"250 taken") and line != b".\r\n":
                        line = lines.readline()
                    connection.sendall(answer)

        thread = threading.Thread(target=talk)
        thread.start()
        send(listener.getsockname()[1], a_mail())
        thread.join()


def test_the_login_of_the_settings_is_used() -> None:
    with mail_server(auth_required=True, auth_require_tls=False) as server:
        send(server.port, a_mail(), smtp_user="readbrief", smtp_password="right")
        assert server.logins == [(b"readbrief", b"right")]
        assert len(server.mails) == 1


def test_a_wrong_password_is_refused_for_good_and_stays_secret() -> None:
    with mail_server(auth_required=True, auth_require_tls=False) as server:
        with pytest.raises(PermanentSendError) as refusal:
            send(server.port, a_mail(), smtp_user="readbrief", smtp_password="hunter2-wrong")
        assert server.mails == []
    assert "hunter2" not in str(refusal.value)


def test_no_mail_goes_unencrypted_where_encryption_is_asked_for(server: MailServer) -> None:
    with pytest.raises(PermanentSendError, match="STARTTLS"):
        send(server.port, a_mail(), smtp_starttls=True)
    assert server.mails == []
