"""Each chat service's address and answers, against a local receiver that answers as the service would."""

import io
import logging
import time

import pytest

from sinks.delivery.channels import dingtalk
from sinks.delivery.channels.answers import Sent
from sinks.delivery.channels.posting import Poster
from sinks.delivery.channels.rates import Rates, Window
from sinks.delivery.channels.targets import SERVICES, chat_target
from sinks.delivery.chat import silence_url_logging
from sinks.delivery.send_errors import PermanentSendError, SendError, TransientSendError, UnknownSendError
from tests.sinks.chat_receivers import Receiver, Reply, receiver
from tests.sinks.documents import a_document
from tests.support.ports import free_port

NOW_MS = 1_795_356_300_000
DOCUMENT = a_document(texts=("ok",))
POSTER = Poster()


def url_of(to: Receiver) -> str:
    return to.url("/C123", "xoxb-s3cret@") if to.service == "slackbot" else to.url()


def sent_to(url: str, edited: Sent | None = None, poster: Poster = POSTER) -> Sent:
    target = chat_target(url)
    assert target is not None
    return target.service.judge(poster.post(target.request(DOCUMENT, NOW_MS, edited)))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_says_yes_has_taken_the_message(service: str) -> None:
    with receiver(service) as to:
        sent = sent_to(url_of(to))
        assert len(to.taken) == 1
    assert sent == (Sent("C1", "17.1") if service == "slackbot" else Sent())


@pytest.mark.parametrize(
    ("service", "reply", "error", "retry_after_s"),
    [
        *[(each, Reply(429, "", (("Retry-After", "7"),)), TransientSendError, 7.0) for each in SERVICES],
        *[(each, Reply(503, "down"), TransientSendError, 0.0) for each in SERVICES],
        *[(each, Reply(504, "late"), UnknownSendError, None) for each in SERVICES],
        *[(each, Reply(410, "channel_is_archived"), PermanentSendError, None) for each in SERVICES],
        *[(each, Reply(302, "", (("Location", "http://x/"),)), PermanentSendError, None) for each in SERVICES],
        *[(each, Reply(drops=True), UnknownSendError, None) for each in SERVICES],
        ("wecom", Reply(200, '{"errcode":45009}'), TransientSendError, 60.0),
        ("wecom", Reply(200, '{"errcode":-1}'), TransientSendError, 0.0),
        ("wecom", Reply(200, '{"errcode":93000,"errmsg":"invalid webhook url s3cret"}'), PermanentSendError, None),
        ("wecom", Reply(200, "<html>"), UnknownSendError, None),
        ("dingtalk", Reply(200, '{"errcode":130101}'), TransientSendError, dingtalk.BLOCKED_S),
        ("dingtalk", Reply(200, '{"errcode":310000,"errmsg":"sign not match"}'), PermanentSendError, None),
        ("feishu", Reply(200, '{"code":11232,"msg":"frequency limited"}'), TransientSendError, 1.0),
        ("feishu", Reply(400, '{"code":9499,"msg":"Bad Request"}'), PermanentSendError, None),
        ("feishu", Reply(400, '{"code":9499,"msg":"too many request"}'), TransientSendError, 1.0),
        ("feishu", Reply(200, '{"code":19021,"msg":"sign match fail"}'), PermanentSendError, None),
        ("slack", Reply(404, "no_service"), PermanentSendError, None),
        ("slack", Reply(400, "invalid_blocks"), PermanentSendError, None),
        ("slackbot", Reply(200, '{"ok":false,"error":"ratelimited"}'), TransientSendError, 1.0),
        ("slackbot", Reply(200, '{"ok":false,"error":"token_revoked"}'), PermanentSendError, None),
        ("slackbot", Reply(200, '{"ok":false,"error":"internal_error"}'), UnknownSendError, None),
        ("teams", Reply(202), None, None),
        ("teams", Reply(200, "Webhook message delivery failed with error: HTTP error 429"), TransientSendError, 0.0),
        ("teams", Reply(200, "Webhook message delivery failed with error: HTTP error 404"), PermanentSendError, None),
    ],
)  # fmt: skip
def test_an_answer_means_what_the_service_means_by_it(
    service: str, reply: Reply, error: type[SendError] | None, retry_after_s: float | None
) -> None:
    with receiver(service, reply) as to:
        if error is None:
            sent_to(url_of(to))
            return
        with pytest.raises(error) as raised:
            sent_to(url_of(to))
    assert type(raised.value) is error
    assert "s3cret" not in str(raised.value)
    if isinstance(raised.value, TransientSendError):
        assert raised.value.retry_after_s == retry_after_s


def test_who_can_not_be_reached_took_nothing_and_who_hangs_may_have() -> None:
    with pytest.raises(TransientSendError):
        sent_to(f"wecom+http://127.0.0.1:{free_port()}/s3cret")
    with receiver("wecom", Reply(hangs=True)) as to:
        began = time.monotonic()
        with pytest.raises(UnknownSendError):
            sent_to(to.url(), poster=Poster(answer_s=0.3))
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("value", ["nonsense", "-4", "nan", "inf", "Thu, 01 Jan 1970 00:00:00 GMT", "99999999"])
def test_any_retry_after_is_read_within_bounds(value: str) -> None:
    reply = Reply(429, "", (("Retry-After", value),))
    with receiver("slack", reply) as to, pytest.raises(TransientSendError) as raised:
        sent_to(to.url())
    assert 1 <= raised.value.retry_after_s <= 3600


def test_an_address_means_a_service_by_its_host_or_its_scheme() -> None:
    known = {
        "https://hooks.slack.com/services/T/B/X": "slack",
        "https://prod-1.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke?sig=s%2Bt": "teams",
        "https://default1.2.environment.api.powerplatform.com:443/powerautomate/x": "teams",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=K": "wecom",
        "https://oapi.dingtalk.com/robot/send?access_token=T&secret=SEC": "dingtalk",
        "https://open.feishu.cn/open-apis/bot/v2/hook/T?secret=S": "feishu",
        "https://open.larksuite.com/open-apis/bot/v2/hook/T": "feishu",
        "wecom+https://gateway.internal:8443/x": "wecom",
        "slackbot+https://xoxb-1@slack.com/C1": "slackbot",
    }
    for url, service in known.items():
        target = chat_target(url)
        assert target is not None
        assert target.service.name == service
        assert "secret" not in target.url
    for url in (
        "json://127.0.0.1/x", "slack://T/B/X", "https://hooks.slack.com.evil.example/x", "https://evil.example/?qyapi.weixin.qq.com",
        "wecom+ftp://x/", "slackbot+https://slack.com/C1", "slackbot+https://xoxb-1@slack.com/", "http://[", "",
    ):  # fmt: skip
        assert chat_target(url) is None
    assert "sig=s%2Bt" in (chat_target(list(known)[1]) or pytest.fail("teams")).url


def test_secrets_sign_and_are_not_sent_and_tokens_stand_in_a_header_alone() -> None:
    with receiver("dingtalk") as to:
        sent_to(to.url("/robot/send?access_token=T&secret=SEC123"))
        assert to.asked[0][0] == f"/robot/send?access_token=T&{dingtalk.signature('SEC123', NOW_MS)}"
    with receiver("feishu") as to:
        sent_to(to.url("/hook/T?secret=demo"))
        assert to.asked[0][0] == "/hook/T"
        assert to.taken[0]["timestamp"] == str(NOW_MS // 1000)
        assert to.taken[0]["sign"]
    with receiver("slackbot") as to:
        sent_to(url_of(to))
        sent_to(url_of(to), edited=Sent("C9", "12.5"))
        assert [path for path, _, _ in to.asked] == ["/api/chat.postMessage", "/api/chat.update"]
        assert to.asked[0][1]["authorization"] == "Bearer xoxb-s3cret"
        assert (to.taken[0]["channel"], to.taken[1]["channel"], to.taken[1]["ts"]) == ("C123", "C9", "12.5")


def test_no_address_is_logged() -> None:
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    root = logging.getLogger()
    level = root.level
    silence_url_logging()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with receiver("wecom") as to:
            sent_to(to.url())
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert "s3cret" not in logged.getvalue()


def test_no_window_of_time_holds_more_than_its_limit() -> None:
    rates, windows, now_s, sent = Rates(), (Window(5, 1.0), Window(20, 60.0)), 100.0, list[float]()
    for _ in range(300):
        wait_s = rates.turn("t", windows, now_s, patience_s=5)
        if wait_s <= 5:
            sent.append(now_s + wait_s)
        now_s += 0.13 if wait_s <= 5 else wait_s
    for window in windows:
        for at in range(len(sent) - window.limit):
            assert sent[at + window.limit] - sent[at] >= window.seconds
    assert len(sent) > 60


def test_a_target_that_is_held_gives_no_turn_before_and_others_do() -> None:
    rates = Rates()
    rates.hold("held", 160.0)
    assert rates.turn("held", (), 100.0, 5) == 60
    assert rates.turn("free", (), 100.0, 5) == 0
    assert rates.turn("held", (), 161.0, 5) == 0
