"""The demo's mailbox and chat take real mail and real Apprise posts, and show nothing unescaped."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import apprise
import httpx
import pytest

from readbrief.demo.chat_room import chat_markup
from readbrief.demo.inbox import Inbox
from readbrief.demo.receivers import Receivers, opening_links_outside
from schemas.errors import UnavailableError
from tests.support.ports import free_port

EVIL = '<script>alert(1)</script><img src="http://tracker.example/x.png">'


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    running = Receivers()
    running.start()
    yield running
    running.stop()


def mail_to(receivers: Receivers, subject: str, *, html: str = "", text: str = "Guten Tag, 林悦") -> None:
    message = EmailMessage()
    message["From"] = "readbrief <briefs@localhost.localdomain>"
    message["To"] = "jonas.weber@nordhaven.example"
    message["Subject"] = subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", receivers.smtp_port, timeout=5) as smtp:
        smtp.send_message(message)


def test_a_mail_sent_by_smtp_is_kept_and_shown(receivers: Receivers) -> None:
    mail_to(receivers, "Brenner: Preise gelesen · 陈", html="<p>Hallo <b>Welt</b></p>")
    (mail,) = receivers.inbox.mails()
    assert mail.subject == "Brenner: Preise gelesen · 陈"
    assert mail.text.strip() == "Guten Tag, 林悦"
    assert "Brenner: Preise gelesen · 陈" in httpx.get(receivers.inbox_url).text
    shown = httpx.get(f"{receivers.inbox_url}/{mail.number}").text
    assert f'src="/inbox/{mail.number}/body"' in shown
    assert "Guten Tag" in shown


def test_an_html_mail_can_run_nothing_and_load_nothing(receivers: Receivers) -> None:
    mail_to(receivers, EVIL, html=f"<html><head></head><body>{EVIL}</body></html>")
    for path in ("", "/1"):
        page = httpx.get(receivers.inbox_url + path)
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "sandbox=" in page.text
    assert "allow-scripts" not in page.text
    policy = httpx.get(f"{receivers.inbox_url}/1/body").headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


def test_only_the_last_mails_are_kept_under_their_own_numbers() -> None:
    running = Receivers()
    running.inbox = Inbox(running.smtp_port, keep=2)
    running.start()
    try:
        for number in range(1, 4):
            mail_to(running, f"mail {number}")
        assert [mail.number for mail in running.inbox.mails()] == [3, 2]
        assert httpx.get(f"{running.inbox_url}/1").status_code == 404
        assert httpx.get(f"{running.inbox_url}/3").status_code == 200
    finally:
        running.stop()


def test_links_of_a_mail_open_outside_its_frame() -> None:
    assert opening_links_outside('<html><HEAD lang="x"><title>').startswith(
        '<html><HEAD lang="x"><base target="_blank">'
    )
    assert opening_links_outside("<p>x") == '<base target="_blank"><p>x'


def test_a_message_posted_by_apprise_is_kept_and_shown(receivers: Receivers) -> None:
    sender = apprise.Apprise()
    assert sender.add(receivers.chat_target)
    body = "**Katrin**\n- [One price](http://127.0.0.1:1/pricing?a=1&b=2) · 2 min"
    assert sender.notify(title="Brenner", body=body, body_format=apprise.NotifyFormat.MARKDOWN)
    (message,) = receivers.chat.messages()
    assert (message.title, message.text) == ("Brenner", body)
    page = httpx.get(receivers.chat_url).text
    assert "<b>Katrin</b>" in page
    assert 'href="http://127.0.0.1:1/pricing?a=1&amp;b=2"' in page


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        (EVIL, "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=&#34;"),
        ("**<b>**", "<b>&lt;b&gt;</b>"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ('[x](http://a.example/"onclick="y)', "[x]("),
        (r"\*\*not bold\*\* \[x\]", "**not bold** [x]"),
        ("- one\n- two", "• one\n• two"),
        (r"[a\]b<i>](http://a.example/)", ">a]b&lt;i&gt;</a>"),
    ],
)
def test_chat_shows_markdown_and_escapes_the_rest(markdown: str, html: str) -> None:
    shown = str(chat_markup(markdown))
    assert html in shown
    assert "<script" not in shown
    assert "<img" not in shown
    assert 'onclick="' not in shown.replace("&#34;", "")


def test_another_sites_page_cannot_write_into_the_chat(receivers: Receivers) -> None:
    plain = httpx.post(receivers.chat_url, content='{"message": "x"}', headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415
    for body in ("[]", "{", '{"title": "no message"}', "null"):
        answer = httpx.post(receivers.chat_url, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, body
    big = httpx.post(receivers.chat_url, json={"message": "x" * 2**20})
    assert big.status_code == 413
    assert receivers.chat.messages() == ()


def test_the_count_tells_an_open_page_that_something_came(receivers: Receivers) -> None:
    count = receivers.inbox_url.replace("/inbox", "/count")
    assert httpx.get(count).json() == {"mails": 0, "messages": 0}
    mail_to(receivers, "x")
    httpx.post(receivers.chat_url, json={"message": "y"})
    assert httpx.get(count).json() == {"mails": 1, "messages": 1}


def test_a_taken_mail_port_is_said_clearly_and_leaves_nothing_open(receivers: Receivers) -> None:
    web = free_port()
    second = Receivers(web_port=web, smtp_port=receivers.smtp_port)
    with pytest.raises(UnavailableError, match=f"port {receivers.smtp_port}"):
        second.start()
    with pytest.raises(httpx.ConnectError):
        httpx.get(second.inbox_url)
