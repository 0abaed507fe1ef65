"""What SendGrid reports, proven and read; and what becomes of any sender's report."""

import pytest

from producers.email_tokens import LinkTarget, recipient_token, target_token
from producers.senders import sendgrid
from producers.senders.reports import envelopes_of
from schemas.addresses import address_id
from schemas.events import EmailAgent, EmailClick, EmailOpen
from tests.producers.sender_checks import KEY, NOW_MS, NOW_S, SENDER, SETTINGS, only, refused
from tests.producers.sender_samples import (
    CHROME,
    DANA,
    PAGE,
    SENDGRID_KEY,
    sendgrid_body,
    sendgrid_event,
    sendgrid_headers,
)

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
