"""What Postmark reports, proven and read; and what is no proof."""

from typing import Any

import pytest

from producers.senders import postmark
from schemas.emails import MailKind
from tests.producers.sender_checks import only, refused
from tests.producers.sender_samples import (
    CHROME,
    DANA,
    PAGE,
    POSTMARK_LOGIN,
    basic,
    postmark_body,
)


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
