"""What mail servers report of mails that came back: every server's shape, and what is no report of ours."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.links import DAY_S, Fault, TokenError
from producers.mail_marks import MARK_MAX_AGE_S, mail_mark, read_mail_mark
from producers.mail_reports import READ_BYTES, NoBounceError, messages_in, read_report
from schemas.feedback import MARK_HEADER
from schemas.settings import Settings
from tests.support.mail_reports import REASONS, mail_report

NOW_MS = 1_795_356_300_000
SETTINGS = Settings(secret="a-secret-of-the-tests")
DELIVERY = "delivery_0123456789abcdef01234567"
MARK = mail_mark(SETTINGS, DELIVERY, NOW_MS)


def sent(mark: str = MARK) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "briefs@vendor.example", "jo@example.com", "Acme turned hot"
    if mark:
        mail[MARK_HEADER] = f"{mark[:50]} {mark[50:]}"
    mail.set_content("Acme turned hot.\n")
    return mail


@pytest.mark.parametrize("server", REASONS)
def test_every_servers_report_says_which_mail_came_back_and_why(server: str) -> None:
    report = read_report(mail_report(server, sent()))
    assert report.reason == REASONS[server]
    assert read_mail_mark(SETTINGS, report.mark, now_ms=NOW_MS + 1000).delivery_id == DELIVERY
    assert "@" not in report.reason


def test_a_report_with_the_headers_alone_says_as_much() -> None:
    whole, headers = (mail_report("Postfix", sent(), headers_only=only) for only in (False, True))
    assert b"text/rfc822-headers" in headers
    assert read_report(headers) == read_report(whole)


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_what_is_delayed_or_went_on_has_not_come_back(action: str) -> None:
    with pytest.raises(NoBounceError, match=f"it is {action}, not failed"):
        read_report(mail_report("Postfix", sent(), action=action, status="4.4.7"))


def test_a_server_that_has_given_up_says_so_by_its_action_whatever_the_status() -> None:
    report = read_report(mail_report("Postfix", sent(), status="4.4.1"))
    assert report.reason == "4.4.1, the receiving server was not reached in time"


def test_qmails_own_form_is_named_as_what_can_not_be_read() -> None:
    with pytest.raises(NoBounceError, match="qmail"):
        read_report(mail_report("qmail", sent()))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (mail_report("Gmail", sent(mark="")), "about no mail of ours"),
        (b"From: jo@example.com\r\nX-Readbrief-Bounce: %s\r\n\r\nBack on Monday" % MARK.encode(),
         "no delivery status report"),
        (mail_report("Gmail", sent()).replace(b"report-type=delivery-status", b"report-type=feedback-report"),
         "no delivery status report"),
        (b"", "no delivery status report"),
        (b"\xff\xfe\x00garbage\r\n\r\n\x00", "no delivery status report"),
    ],
    ids=["another's mail", "an answer", "a complaint", "nothing", "garbage"],
)  # fmt: skip
def test_what_is_no_report_of_ours_is_said_to_be_none(data: bytes, said: str) -> None:
    with pytest.raises(NoBounceError, match=said):
        read_report(data)


def broken(report: bytes) -> dict[str, bytes]:
    lines = report.split(b"\r\n")
    return {
        "the end is missing": report[: report.index(MARK[60:].encode()) + len(MARK[60:]) + 60],
        "bare line feeds": report.replace(b"\r\n", b"\n"),
        "the returned part is called something else": report.replace(b"message/rfc822", b"application/octet-stream"),
        "lines end in blanks": b"\r\n".join(line + b" " if b": " in line else line for line in lines),
        "the mark is folded once more": report.replace(MARK[60:64].encode(), MARK[60:62].encode() + b"\r\n\t"
                                                       + MARK[62:64].encode()),
        "the header's name is in capitals": report.replace(MARK_HEADER.encode(), MARK_HEADER.upper().encode()),
        "a mailbox's first line": b"From MAILER-DAEMON Sun Nov 22 14:05:00 2026\r\n" + report,
    }  # fmt: skip


@pytest.mark.parametrize("fault", broken(mail_report("Postfix", sent())))
def test_what_servers_and_gateways_break_is_read_all_the_same(fault: str) -> None:
    (message,) = messages_in(broken(mail_report("Postfix", sent()))[fault])
    report = read_report(message)
    assert (report.mark, report.reason) == (MARK, REASONS["Postfix"])


def test_parts_within_parts_without_end_are_refused() -> None:
    head = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b0\r\n\r\n"
    nested = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (level, level + 1) for level in range(5_000)
    )
    with pytest.raises(NoBounceError, match="too many parts"):
        read_report(head + nested)
    within = b"--b0\r\nContent-Type: message/rfc822\r\n\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 5_000
    with pytest.raises(NoBounceError):
        read_report(head + within)


def test_a_mail_that_comes_back_with_all_its_pictures_is_read_by_its_beginning() -> None:
    mail = sent()
    mail.set_content("A line of a picture.\n" * (2 * READ_BYTES // 20))
    report = mail_report("Exim", mail)
    assert len(report) > 2 * READ_BYTES
    assert read_report(report).mark == MARK


@given(st.binary(max_size=400), st.integers(0, 3000))
def test_whatever_is_put_into_a_report_it_is_read_or_refused_in_words(noise: bytes, at: int) -> None:
    report = mail_report("Postfix", sent())
    try:
        said = read_report(report[:at] + noise + report[at:]).reason
    except NoBounceError as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 200


def test_a_mailbox_is_taken_apart_at_its_envelope_lines() -> None:
    report = mail_report("Exim", sent()).replace(b"\r\n", b"\n")
    other = b"From jo@example.com Sun Nov 22 15:00:00 2026\nSubject: x\n\nFrom afar\n"
    first, second = messages_in(b"From MAILER-DAEMON Sun Nov 22 14:05:00 2026\n%s\n%s" % (report, other))
    assert read_report(first).mark == MARK
    assert second == b"Subject: x\n\nFrom afar\n"
    assert messages_in(second) == [second]


def test_a_mark_is_good_for_its_secret_and_its_time_alone() -> None:
    stranger = Settings(secret="another-secret-entirely")
    for forged in (mail_mark(stranger, DELIVERY, NOW_MS), MARK[:-2], "", "x" * 2000):
        with pytest.raises(TokenError) as refused:
            read_mail_mark(SETTINGS, forged, now_ms=NOW_MS)
        assert refused.value.fault is Fault.forged
    last_ms = NOW_MS + MARK_MAX_AGE_S * 1000
    assert read_mail_mark(SETTINGS, MARK, now_ms=last_ms).sent_ms == NOW_MS
    with pytest.raises(TokenError) as refused:
        read_mail_mark(SETTINGS, MARK, now_ms=last_ms + DAY_S * 1000)
    assert refused.value.fault is Fault.expired
