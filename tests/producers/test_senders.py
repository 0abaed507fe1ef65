"""What each sender reports, proven and read; and what is no proof."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from producers.email_tokens import LinkTarget, recipient_token, target_token
from producers.refusal import RefusedError
from producers.senders import generic, mailgun, postmark, sendgrid, ses, sns
from producers.senders.reports import Sender, SenderReport, envelopes_of
from producers.translation import Receipt
from schemas.addresses import address_id
from schemas.emails import MailKind
from schemas.events import BounceKind, EmailAgent, EmailBounce, EmailClick, EmailOpen
from schemas.settings import Settings
from tests.producers.collector_process import SECRET, SITES
from tests.producers.sender_samples import (
    CERTIFICATE_URL,
    CHROME,
    DANA,
    MAILGUN_KEY,
    PAGE,
    POSTMARK_LOGIN,
    SENDER_SECRET,
    SENDGRID_KEY,
    TOPIC,
    amazon,
    basic,
    certificates,
    mailgun_body,
    postmark_body,
    sendgrid_body,
    sendgrid_event,
    sendgrid_headers,
    ses_event,
    sns_message,
)

NOW_S = int(time.time())
NOW_MS = NOW_S * 1000
DAY_S = 86_400
KEY = b"key of addresses"
SETTINGS = Settings(secret=SECRET, sites=SITES, collector_url="https://mail.example.com")
SENDER = Sender("sendgrid", SETTINGS, Receipt("www", SITES["www"], NOW_MS, KEY))

DOCUMENTED_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/"
    "QmGUhA=="
)
DOCUMENTED_BODY = b'{"category":"example_payload","event":"test_event","message_id":"message_id"}'
DOCUMENTED = {
    "x-twilio-email-event-webhook-timestamp": "1588788367",
    "x-twilio-email-event-webhook-signature": (
        "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0="
    ),
}


def refused(call: Callable[..., Any], *given: Any, **more: Any) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        call(*given, **more)
    return caught.value


def only(reports: list[SenderReport]) -> SenderReport:
    (report,) = reports
    return report


def test_sendgrids_own_example_verifies_and_one_byte_more_does_not() -> None:
    sendgrid.verify(DOCUMENTED_BODY, DOCUMENTED, DOCUMENTED_KEY, 1_588_788_367_000, 300)
    error = refused(
        lambda: sendgrid.verify(DOCUMENTED_BODY + b"\n", DOCUMENTED, DOCUMENTED_KEY, 1_588_788_367_000, 300)
    )
    assert error.status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"x-twilio-email-event-webhook-signature": ""},
        {"x-twilio-email-event-webhook-signature": "AAAA"},
        {"x-twilio-email-event-webhook-signature": "not base64!"},
        {"x-twilio-email-event-webhook-timestamp": ""},
        {"x-twilio-email-event-webhook-timestamp": "1588788368"},
        {"x-twilio-email-event-webhook-timestamp": "-5"},
        {"x-twilio-email-event-webhook-timestamp": "9" * 5000},
    ],
)
def test_a_changed_header_is_no_proof(change: dict[str, str]) -> None:
    error = refused(
        lambda: sendgrid.verify(DOCUMENTED_BODY, {**DOCUMENTED, **change}, DOCUMENTED_KEY, 1_588_788_367_000, 300)
    )
    assert error.status == 401


@pytest.mark.parametrize(("age_s", "good"), [(0, True), (90_000, True), (90_001, False), (-300, True), (-301, False)])
def test_a_signature_expires_and_is_not_of_the_future(age_s: int, *, good: bool) -> None:
    body = sendgrid_body(sendgrid_event("open", now_s=NOW_S))
    headers = sendgrid_headers(body, NOW_S - age_s)

    def verify() -> None:
        sendgrid.verify(body, headers, SENDGRID_KEY, NOW_MS, 90_000)

    if good:
        verify()
    else:
        assert refused(verify).message == "the signature has expired"


def test_sendgrids_events_become_ours() -> None:
    names = ["processed", "delivered", "open", "click", "bounce", "dropped", "spamreport", "group_unsubscribe", "novel"]
    body = sendgrid_body(*(sendgrid_event(name, now_s=NOW_S, url=PAGE, ip="203.0.113.9") for name in names))
    kinds = [report.kind.value for report in sendgrid.read(body)]
    assert kinds == ["delivered", "opened", "clicked", "bounced", "bounced", "complained", "unsubscribed"]


def test_a_recipient_is_carried_as_a_keyed_id_and_campaigns_by_their_category() -> None:
    body = sendgrid_body(sendgrid_event("click", now_s=NOW_S, url=PAGE, useragent=CHROME, ip="203.0.113.9"))
    (envelope,) = envelopes_of(sendgrid.read(body), SENDER)
    event = envelope.event
    assert isinstance(event, EmailClick)
    assert (event.contact_id, event.campaign_id) == (address_id(KEY, DANA.lower()), "spring")
    assert (event.url, event.agent, event.snippet) == (PAGE, EmailAgent.browser, True)
    assert envelope.client_network == "203.0.113.0/24"
    assert DANA.lower() not in envelope.model_dump_json().lower()


def test_a_token_of_ours_names_contact_and_campaign_and_one_of_another_site_does_not() -> None:
    for site, expected in (("www", "dana"), ("shop", address_id(KEY, DANA))):
        token = recipient_token(SETTINGS, site, "dana", "winter", now_ms=NOW_MS)
        report = only(sendgrid.read(sendgrid_body(sendgrid_event("open", now_s=NOW_S, rb_token=token))))
        (envelope,) = envelopes_of([report], SENDER)
        assert isinstance(envelope.event, EmailOpen)
        assert envelope.event.contact_id == expected


def test_a_click_that_the_sender_counted_first_is_seen_through_to_its_page() -> None:
    target = target_token(
        SETTINGS, LinkTarget(site="www", campaign_id="winter", url=PAGE, link="Pricing", trap=True), now_ms=NOW_MS
    )
    token = recipient_token(SETTINGS, "www", "dana", "winter", now_ms=NOW_MS)
    url = f"https://mail.example.com/l/{target}/{token}"
    (envelope,) = envelopes_of(sendgrid.read(sendgrid_body(sendgrid_event("click", now_s=NOW_S, url=url))), SENDER)
    event = envelope.event
    assert isinstance(event, EmailClick)
    assert (event.contact_id, event.campaign_id, event.url, event.link) == ("dana", "winter", PAGE, "Pricing")
    assert event.trap
    assert envelope.automated


def test_what_is_no_web_page_is_no_click() -> None:
    said = sendgrid_event("click", now_s=NOW_S, url="mailto:sales@example.com")
    assert envelopes_of(sendgrid.read(sendgrid_body(said)), SENDER) == ()


def test_apples_proxy_is_marked_by_the_sender_and_by_its_agent() -> None:
    said = sendgrid_event("open", now_s=NOW_S, useragent="Mozilla/5.0", sg_machine_open=True)
    (envelope,) = envelopes_of(sendgrid.read(sendgrid_body(said)), SENDER)
    assert isinstance(envelope.event, EmailOpen)
    assert (envelope.event.agent, envelope.event.flagged) == (EmailAgent.apple_privacy, True)


def test_the_same_request_again_gives_the_same_events() -> None:
    body = sendgrid_body(*(sendgrid_event("open", number, now_s=NOW_S) for number in range(3)))
    first, again = envelopes_of(sendgrid.read(body), SENDER), envelopes_of(sendgrid.read(body), SENDER)
    ids = [each.event.event_id for each in first]
    assert ids == [each.event.event_id for each in again]
    assert len(set(ids)) == 3


def test_a_batch_is_refused_whole() -> None:
    body = sendgrid_body(sendgrid_event("open", now_s=NOW_S), sendgrid_event("open", 2, now_s=NOW_S, email="nobody"))
    assert refused(lambda: sendgrid.read(body)).field == "1.email"


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("delivered", {}, MailKind.delivered),
        ("opened", {}, MailKind.opened),
        ("clicked", {"url": PAGE}, MailKind.clicked),
        ("failed", {"severity": "permanent"}, MailKind.bounced),
        ("complained", {}, MailKind.complained),
        ("unsubscribed", {}, MailKind.unsubscribed),
    ],
)
def test_mailguns_events_become_ours(kind: str, said: dict[str, Any], expected: MailKind) -> None:
    signed = mailgun.verify(mailgun_body(kind, "t" * 50, now_s=NOW_S, **said), MAILGUN_KEY, NOW_MS, DAY_S)
    report = only(mailgun.read(signed))
    assert (report.kind, report.recipient, report.campaign) == (expected, DANA, "spring")
    assert report.at_ms == NOW_MS + 250


def test_what_mailgun_does_not_know_of_is_passed_over() -> None:
    assert mailgun.read(mailgun.verify(mailgun_body("accepted", "t", now_s=NOW_S), MAILGUN_KEY, NOW_MS, DAY_S)) == []


def test_mailguns_signature_is_of_its_key_and_time() -> None:
    good = json.loads(mailgun_body("opened", "t", now_s=NOW_S))
    other = json.dumps({**good, "signature": {**good["signature"], "timestamp": str(NOW_S - 1)}}).encode()
    for body, key in ((mailgun_body("opened", "t", now_s=NOW_S, key="other"), MAILGUN_KEY), (other, MAILGUN_KEY)):
        assert refused(mailgun.verify, body, key, NOW_MS, DAY_S).status == 401
    old = mailgun_body("opened", "t", now_s=NOW_S - DAY_S - 1)
    assert refused(lambda: mailgun.verify(old, MAILGUN_KEY, NOW_MS, DAY_S)).message == "the signature has expired"


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("Delivery", {"DeliveredAt": "2026-05-04T10:00:00Z"}, MailKind.delivered),
        ("Open", {"UserAgent": CHROME, "Geo": {"IP": "203.0.113.9"}, "FirstOpen": True}, MailKind.opened),
        ("Click", {"OriginalLink": PAGE, "ClickLocation": "HTML"}, MailKind.clicked),
        (
            "Bounce",
            {"Email": DANA, "Type": "HardBounce", "TypeCode": 1, "ID": 42, "BouncedAt": "2026-05-04T10:00:00Z"},
            MailKind.bounced,
        ),
        ("SpamComplaint", {"Email": DANA, "ID": 43, "BouncedAt": "2026-05-04T10:00:00Z"}, MailKind.complained),
        (
            "SubscriptionChange",
            {"SuppressSending": True, "Origin": "Recipient", "ChangedAt": "2026-05-04T10:00:00Z"},
            MailKind.unsubscribed,
        ),
    ],
)
def test_postmarks_events_become_ours(kind: str, said: dict[str, Any], expected: MailKind) -> None:
    report = only(postmark.read(postmark_body(kind, **said)))
    assert (report.kind, report.recipient, report.campaign) == (expected, DANA, "spring")


def test_who_takes_mails_again_has_not_unsubscribed() -> None:
    assert postmark.read(postmark_body("SubscriptionChange", SuppressSending=False)) == []


def test_postmarks_events_without_ids_are_told_apart_by_what_they_say() -> None:
    keys = {
        only(postmark.read(postmark_body("Click", OriginalLink=url, ReceivedAt=at))).key
        for url in (PAGE, PAGE + "/a")
        for at in ("2026-05-04T10:00:00.1234567Z", "2026-05-04T10:00:00.1234568Z")
    }
    assert len(keys) == 4


@pytest.mark.parametrize("login", ["postmark:wrong", "postmark", "", ":", "Postmark:a-long-password"])
def test_a_wrong_login_is_no_proof(login: str) -> None:
    postmark.verify(basic(POSTMARK_LOGIN)["authorization"], POSTMARK_LOGIN)
    assert refused(lambda: postmark.verify(basic(login)["authorization"], POSTMARK_LOGIN)).status == 401
    assert refused(lambda: postmark.verify("Bearer " + login, POSTMARK_LOGIN)).status == 401
    assert refused(lambda: postmark.verify("Basic %%%", POSTMARK_LOGIN)).status == 401


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


def generic_event(kind: str, **said: Any) -> dict[str, Any]:
    return {
        "id": f"g-{kind}",
        "type": kind,
        "email": DANA,
        "at": "2026-05-04T10:00:00Z",
        "campaign_id": "spring",
        **said,
    }


def test_the_generic_form_takes_every_kind() -> None:
    kinds = ["delivered", "opened", "clicked", "bounced", "complained", "unsubscribed"]
    body = json.dumps({"events": [generic_event(kind, url=PAGE, temporary=True) for kind in kinds]}).encode()
    generic.verify(body, generic.sign(body, SENDER_SECRET, NOW_S), SENDER_SECRET, NOW_MS)
    envelopes = envelopes_of(generic.read(body), SENDER)
    assert [each.event.type for each in envelopes] == [
        "email_delivered",
        "email_open",
        "email_click",
        "email_bounce",
        "email_complaint",
        "email_unsubscribe",
    ]
    bounce = envelopes[3].event
    assert isinstance(bounce, EmailBounce)
    assert bounce.bounce is BounceKind.temporary


def test_the_generic_forms_signature_is_of_body_time_and_secret() -> None:
    body = b'{"events":[]}'
    header = generic.sign(body, SENDER_SECRET, NOW_S)
    for wrong_body, wrong_header, secret in (
        (body + b" ", header, SENDER_SECRET),
        (body, header.replace("v1=", "v2="), SENDER_SECRET),
        (body, header, "another secret"),
        (body, "", SENDER_SECRET),
        (body, generic.sign(body, SENDER_SECRET, NOW_S - 301), SENDER_SECRET),
    ):
        error = refused(generic.verify, wrong_body, wrong_header, secret, NOW_MS)
        assert error.status == 401


def test_a_signature_in_another_alphabet_is_no_proof() -> None:
    header = base64.b64encode(b"x").decode()
    assert refused(lambda: generic.verify(b"", header, SENDER_SECRET, NOW_MS)).status == 401
