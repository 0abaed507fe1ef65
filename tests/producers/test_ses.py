"""What Amazon SES reports through SNS, proven and read; and what is no proof."""

import json
from typing import Any

import pytest

from producers.senders import ses, sns
from schemas.emails import MailKind
from tests.producers.sender_checks import DAY_S, NOW_MS, NOW_S, only, refused
from tests.producers.sender_samples import (
    CERTIFICATE_URL,
    CHROME,
    DANA,
    PAGE,
    TOPIC,
    amazon,
    certificates,
    ses_event,
    sns_message,
)


def verified(said: dict[str, Any], *, file: bytes | None = None, **headers: str) -> Any:
    fetched: list[str] = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        return amazon()[1] if file is None else file

    found = sns.verify(json.dumps(said).encode(), headers, (TOPIC,), sns.Certificates(fetch), NOW_MS, DAY_S)
    assert fetched == [CERTIFICATE_URL]
    return found


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_a_notification_of_ours_verifies(version: str, subject: dict[str, Any]) -> None:
    said = sns_message("Notification", "hello", now_s=NOW_S, version=version, **subject)
    assert verified(said)["Message"] == "hello"


@pytest.mark.parametrize(
    "change",
    [
        {"Message": "hello, forged"},
        {"MessageId": "another"},
        {"Timestamp": "2026-05-04T10:00:00.000Z"},
        {"Subject": "added"},
        {"Signature": "AAAA"},
        {"Signature": 5},
        {"SignatureVersion": "3"},
        {"Type": "SubscriptionConfirmation"},
        {"Message": {"a": 1}},
    ],
)
def test_a_changed_notification_does_not(change: dict[str, Any]) -> None:
    said = {**sns_message("Notification", "hello", now_s=NOW_S), **change}
    assert refused(lambda: verified(said)).status == 401


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem",
        "https://evil.example/SimpleNotificationService-0.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-0.pem",
        "https://sns.eu-central-1.amazonaws.com:444/SimpleNotificationService-0.pem",
        "https://s3.amazonaws.com/bucket/SimpleNotificationService-0.pem",
        "https://sns.eu-central-1.amazonaws.com/other/../x.pem",
        "https://sns.eu-central-1.amazonaws.com/?Action=x",
        "https://sns.eu-central-1.amazonaws.com\\.evil.example/SimpleNotificationService-0.pem",
        "https://[::1/SimpleNotificationService-0.pem",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_certificate_elsewhere_is_not_fetched(url: str) -> None:
    def never(_: str) -> bytes:
        raise AssertionError

    said = sns_message("Notification", "hello", now_s=NOW_S, SigningCertURL=url)
    body = json.dumps(said).encode()
    error = refused(lambda: sns.verify(body, {}, (TOPIC,), sns.Certificates(never), NOW_MS, DAY_S))
    assert error.status == 401


def test_another_topic_is_refused_before_anything_is_fetched() -> None:
    def never(_: str) -> bytes:
        raise AssertionError

    said = sns_message("Notification", "hello", now_s=NOW_S, TopicArn=TOPIC + "-of-a-stranger")
    body = json.dumps(said).encode()
    assert refused(lambda: sns.verify(body, {}, (TOPIC,), sns.Certificates(never), NOW_MS, DAY_S)).status == 401


def test_a_certificate_that_is_not_snss_is_no_proof() -> None:
    for name, days, chained in (("evil.example", 30, True), ("sns.amazonaws.com", -30, True)):
        key, file = certificates(name, days, chained=chained)
        said = sns_message("Notification", "hello", now_s=NOW_S, key=key)
        assert refused(verified, said, file=file).status == 401
    key, file = certificates("sns.amazonaws.com", 30, chained=False)  # says to be issued by who did not issue it
    said = sns_message("Notification", "hello", now_s=NOW_S, key=key)
    assert "not issued" in refused(lambda: verified(said, file=file)).message
    assert refused(lambda: verified(said, file=b"no certificate")).status == 401


def test_an_old_notification_is_refused_and_headers_of_another_message_too() -> None:
    old = sns_message("Notification", "hello", now_s=NOW_S - DAY_S - 5)
    assert refused(lambda: verified(old)).message == "the signature has expired"
    said = sns_message("Notification", "hello", now_s=NOW_S)
    wrong = {"x-amz-sns-message-type": "SubscriptionConfirmation"}
    body = json.dumps(said).encode()
    assert (
        refused(lambda: sns.verify(body, wrong, (TOPIC,), sns.Certificates(lambda _: b""), NOW_MS, DAY_S)).status == 401
    )


def test_only_amazons_own_address_confirms_a_subscription_and_only_of_this_topic() -> None:
    said = verified(sns_message("SubscriptionConfirmation", "please", now_s=NOW_S))
    assert sns.confirmation_of(said).startswith("https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&")
    for url in (
        "https://evil.example/?Action=ConfirmSubscription&TopicArn=" + TOPIC,
        "https://sns.eu-central-1.amazonaws.com/?Action=DeleteTopic&TopicArn=" + TOPIC,
        "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:other",
    ):
        signed = verified(sns_message("SubscriptionConfirmation", "please", now_s=NOW_S, SubscribeURL=url))
        assert refused(sns.confirmation_of, signed).status == 401


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ses_event("Delivery", "delivery", recipients=[DANA]), MailKind.delivered),
        (ses_event("Open", "open", userAgent=CHROME, ipAddress="203.0.113.9"), MailKind.opened),
        (ses_event("Click", "click", link=PAGE, userAgent=CHROME, ipAddress="203.0.113.9"), MailKind.clicked),
        (
            ses_event("Bounce", "bounce", bounceType="Permanent", bouncedRecipients=[{"emailAddress": DANA}]),
            MailKind.bounced,
        ),
        (ses_event("Complaint", "complaint", complainedRecipients=[{"emailAddress": DANA}]), MailKind.complained),
        (ses_event("Subscription", "subscription", contactList="x"), MailKind.unsubscribed),
    ],
)
def test_sess_events_become_ours(event: dict[str, Any], expected: MailKind) -> None:
    report = only(ses.read({"MessageId": "m1", "Message": json.dumps(event)}))
    assert (report.kind, report.recipient, report.campaign) == (expected, DANA, "spring")


def test_sess_own_test_message_and_mails_to_several_say_nothing() -> None:
    assert (
        ses.read({"MessageId": "m", "Message": "Successfully validated SNS topic for Amazon SES event publishing."})
        == []
    )
    event = ses_event("Open", "open")
    event["mail"]["destination"] = [DANA, "eve@acme.example"]
    assert ses.read({"MessageId": "m", "Message": json.dumps(event)}) == []
