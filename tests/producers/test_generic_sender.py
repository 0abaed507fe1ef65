"""What any sender may report in the generic form, proven and read; and what is no proof."""

import base64
import json
from typing import Any

from producers.senders import generic
from producers.senders.reports import envelopes_of
from schemas.events import BounceKind, EmailBounce
from tests.producers.sender_checks import NOW_MS, NOW_S, SENDER, refused
from tests.producers.sender_samples import (
    DANA,
    PAGE,
    SENDER_SECRET,
)


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
