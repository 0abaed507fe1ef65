"""What Mailgun reports, proven and read; and what is no proof."""

import json
from typing import Any

import pytest

from producers.senders import mailgun
from schemas.emails import MailKind
from tests.producers.sender_checks import DAY_S, NOW_MS, NOW_S, only, refused
from tests.producers.sender_samples import (
    DANA,
    MAILGUN_KEY,
    PAGE,
    mailgun_body,
)


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
