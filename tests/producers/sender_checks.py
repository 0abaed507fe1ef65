"""What the tests of all senders share: a moment, a sender of a site, and what is refused."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from producers.refusal import RefusedError
from producers.senders.reports import Sender, SenderReport
from producers.translation import Receipt
from schemas.settings import Settings
from tests.producers.collector_process import SECRET, SITES

NOW_S = int(time.time())
NOW_MS = NOW_S * 1000
DAY_S = 86_400
KEY = b"key of addresses"
SETTINGS = Settings(secret=SECRET, sites=SITES, collector_url="https://mail.example.com")
SENDER = Sender("sendgrid", SETTINGS, Receipt("www", SITES["www"], NOW_MS, KEY))


def refused(call: Callable[..., Any], *given: Any, **more: Any) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        call(*given, **more)
    return caught.value


def only(reports: list[SenderReport]) -> SenderReport:
    (report,) = reports
    return report
