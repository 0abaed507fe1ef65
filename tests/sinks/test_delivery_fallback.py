"""Channels that fail in every way: what stands by gets the brief, none is lost, none comes twice unsaid."""

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from itsdangerous import URLSafeSerializer

from schemas.delivery import ChannelKind, Delivery, OutcomeKind
from schemas.settings import Settings
from sinks.clickhouse.client import connect
from sinks.delivery.channels.posting import Poster
from sinks.delivery.channels.rates import Rates
from tests.sinks.chat_receivers import OK_BODIES, Reply
from tests.sinks.clickhouse_store import migrated_database
from tests.sinks.delivery_samples import a_brief
from tests.sinks.delivery_scene import NOW_MS, Scene, fresh, handled
from tests.sinks.delivery_servers import mail_server
from tests.support.clickhouse import ClickHouseAddress


@pytest.fixture(scope="module")
def store(clickhouse: ClickHouseAddress) -> Iterator[Settings]:
    with migrated_database(clickhouse) as spare:
        yield spare


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as running:
        yield running


@pytest.fixture
def scene(store: Settings, pool: ThreadPoolExecutor) -> Iterator[Scene]:
    with ExitStack() as stack, mail_server() as mail:
        yield Scene(store, mail, pool, stack)


@pytest.mark.parametrize(
    "reply", [Reply(200, '{"errcode":93000}'), Reply(404), Reply(drops=True), Reply(hangs=True), Reply(200, "<html>")]
)
def test_what_the_first_channel_does_not_take_comes_by_the_next_and_both_are_told(scene: Scene, reply: Reply) -> None:
    chat = scene.chat("wecom", reply)
    scene.rep("ann", "wecom", "ann@example.com")
    delivery = fresh("ann")
    handled(scene.workload({"poster": Poster(answer_s=0.5)} if reply.hangs else {}), delivery)
    (outcome,) = scene.outcomes
    assert (outcome.kind, outcome.channel, outcome.target) == (OutcomeKind.sent, ChannelKind.email, "email")
    assert outcome.reason.startswith("not by wecom: ")
    assert outcome.account_ids == ("acme",)
    assert [mail["X-Readbrief-Delivery"] for mail in scene.mail.mails] == [delivery.delivery_id]
    assert len(chat.asked) == 1


def test_after_all_tries_the_next_channel_has_its_own(scene: Scene) -> None:
    chat = scene.chat("feishu", *[Reply(503)] * 9)
    scene.rep("ann", "feishu", "ann@example.com")
    scene.mail.data_answers.append("451 later")
    handled(scene.workload(), fresh("ann"))
    assert [(each.kind, each.attempts, each.target) for each in scene.outcomes] == [(OutcomeKind.sent, 5, "email")]
    assert len(chat.asked) == 3


def test_where_nothing_stands_by_a_hang_is_uncertain_and_a_refusal_has_failed(scene: Scene) -> None:
    scene.chat("wecom", Reply(drops=True))
    scene.chat("dingtalk", Reply(200, '{"errcode":310000}'))
    scene.rep("ann", "wecom")
    scene.rep("bo", "dingtalk")
    handled(scene.workload(), fresh("ann"), fresh("bo"))
    assert {each.rep_id: each.kind for each in scene.outcomes} == {
        "ann": OutcomeKind.uncertain, "bo": OutcomeKind.failed,
    }  # fmt: skip


@pytest.mark.parametrize("admin", ["slack", "ops@example.com"])
def test_a_closed_channel_is_told_to_the_admin_once_however_often_it_is_met(scene: Scene, admin: str) -> None:
    scene.chat("wecom").reply_to = lambda _request: Reply(200, '{"errcode":93000}')
    told = scene.chat("slack")
    scene.rep("ann", "wecom", "ann@example.com")
    for _ in range(2):  # a process that starts again knows it too
        handled(scene.workload(admin_channel=admin), fresh("ann"), fresh("ann"))
    notices = [mail for mail in scene.mail.mails if mail["To"] == "ops@example.com"]
    assert (len(told.taken), len(notices)) == ((1, 0) if admin == "slack" else (0, 1))
    text = json.dumps(told.taken) if told.taken else notices[0].get_content()
    assert "93000" in text
    assert "s3cret" not in text
    assert len(scene.mail.mails) - len(notices) == 4


def test_what_a_service_asks_to_wait_is_waited_while_others_go_on(scene: Scene) -> None:
    ding = scene.chat("dingtalk", Reply(200, '{"errcode":130101}'))
    wecom = scene.chat("wecom")
    scene.rep("ann", "dingtalk")
    scene.rep("bo", "wecom")
    clock = [0.0]
    work = scene.workload({"clock_s": lambda: clock[0]})
    held = handled(work, fresh("ann"), fresh("bo"), fresh("ann"))
    assert held == {("deliveries", 0): 0}
    assert (len(ding.asked), len(wecom.taken)) == (1, 1)
    work.handle([], {("deliveries", 0): 3})
    assert len(ding.asked) == 1
    clock[0] = 601.0
    work._not_before_s.clear()
    assert work.handle([], {("deliveries", 0): 3}) == {}
    assert len(ding.taken) == 2
    assert Counter(each.kind for each in scene.outcomes) == {OutcomeKind.sent: 3}


def test_a_correction_takes_its_briefs_place_where_it_can_and_else_follows(scene: Scene) -> None:
    bot, hook = scene.chat("slackbot"), scene.chat("slack")
    scene.rep("ann", "slackbot")
    scene.rep("bo", "slack")
    work = scene.workload()
    first = a_brief(1, brief_id=f"brief-{uuid.uuid4().hex}")
    for at, rep_id in enumerate(("ann", "bo")):
        second = a_brief(2, brief_id=f"{first.brief_id}-2", corrects=first.brief_id)
        handled(work, fresh(rep_id, briefs=(first,)), fresh(rep_id, briefs=(second,)), start=at * 2)
    assert [path for path, _, _ in bot.asked] == ["/api/chat.postMessage", "/api/chat.update"]
    assert (bot.taken[1]["channel"], bot.taken[1]["ts"]) == ("C1", "17.1")
    assert len(hook.taken) == 2
    third = fresh("ann", briefs=(a_brief(3, brief_id=f"{first.brief_id}-3", corrects=first.brief_id),))
    bot.replies.append(Reply(200, '{"ok":false,"error":"message_not_found"}'))
    handled(work, third, start=9)
    assert [path for path, _, _ in bot.asked][2:] == ["/api/chat.update", "/api/chat.postMessage"]
    assert {each.kind for each in scene.outcomes} == {OutcomeKind.sent}


def test_who_ended_digests_by_mail_gets_them_by_chat_until_it_is_taken_back(scene: Scene) -> None:
    chat = scene.chat("feishu")
    rep_id = f"rep-{uuid.uuid4().hex}"
    scene.rep(rep_id, "ann@example.com", "feishu")
    digest = (a_brief(1), a_brief(2, account_id="globex"))
    work = scene.workload()

    def say(kind: str, at_ms: int) -> None:
        with connect(scene.store) as client:
            client.execute(
                "INSERT INTO outcomes (outcome_id, rep_id, kind, at) VALUES", [(uuid.uuid4().hex, rep_id, kind, at_ms)]
            )

    for at, (kind, mails, chats) in enumerate((("", 1, 0), ("unsubscribed", 1, 1), ("subscribed", 2, 1))):
        if kind:
            say(kind, NOW_MS + at * 1000)
        handled(work, fresh(rep_id, ChannelKind.email, briefs=digest), start=at)
        assert (len(scene.mail.mails), len(chat.taken)) == (mails, chats)
    first = scene.mail.mails[0]
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first["List-Unsubscribe"].startswith("<https://read.example/f/unsubscribe/")
    assert "In-Reply-To" not in first


def test_mails_about_one_account_are_one_conversation_with_links_that_come_back(scene: Scene) -> None:
    scene.rep("ann", "ann@example.com")
    handled(scene.workload(), fresh("ann", ChannelKind.email), fresh("ann", ChannelKind.email))
    first, second = scene.mail.mails
    assert first["References"] == second["References"] == first["In-Reply-To"]
    assert first["Message-ID"] != second["Message-ID"]
    assert "List-Unsubscribe" not in first
    html = first.get_body(("html",))
    assert html is not None
    said = html.get_content()
    for kind in ("opened", "clicked", "useful", "not_useful", "objection", "snooze", "call_made", "account_page"):
        assert f"https://read.example/f/{kind}/" in said
    text = first.get_body(("plain",))
    assert text is not None
    assert "https://www.example.com/pricing" in text.get_content()


def test_of_hundreds_of_deliveries_by_channels_that_fail_in_every_way_none_is_lost_and_none_comes_twice(
    scene: Scene,
) -> None:
    faults = [
        Reply(503), Reply(429, "", (("Retry-After", "0"),)), Reply(drops=True), Reply(drops=True, takes=True),
        Reply(404), Reply(200, "<html>"), Reply(200, '{"errcode":-1}'), Reply(502), None, None,
    ]  # fmt: skip
    turn = iter(range(10**6))
    lock = threading.Lock()

    def faulty(body: str) -> Callable[[dict[str, Any]], Reply]:
        def reply(_request: dict[str, Any]) -> Reply:
            with lock:
                return faults[next(turn) % len(faults)] or Reply(body=body, takes=True)

        return reply

    chats = {service: scene.chat(service) for service in ("teams", "feishu")}
    for service, chat in chats.items():
        chat.reply_to = faulty(OK_BODIES[service])
    deliveries = []
    for number in range(120):
        rep_id = f"mix-{number % 20}"
        scene.rep(rep_id, *(["teams", "feishu"][number % 2 : number % 2 + 1]), f"{rep_id}@example.com")
        account = f"account{number}"
        deliveries.append(fresh(rep_id, briefs=(a_brief(number, account_id=account, brief_id=f"brief-{number}"),)))
    scene.mail.data_answers += ["451 later"] * 2
    work = scene.workload({"rates": NoLimits()})
    held = handled(work, *deliveries)
    deadline = time.monotonic() + 60
    while held and time.monotonic() < deadline:
        held = work.handle([], {("deliveries", 0): len(deliveries)})
    told = {outcome.delivery_id: outcome for outcome in scene.outcomes}
    assert len(scene.outcomes) == len(told) == len(deliveries)
    by_mail = Counter(mail["X-Readbrief-Delivery"] for mail in scene.mail.mails)
    by_chat = Counter(_delivery_of(request, deliveries) for chat in chats.values() for request in chat.taken)
    for delivery in deliveries:
        outcome = told[delivery.delivery_id]
        copies = by_mail[delivery.delivery_id], by_chat[delivery.delivery_id]
        assert max(copies) <= 1
        assert outcome.kind is OutcomeKind.sent
        if sum(copies) == 2:  # the service took it and hung up: it is said that it is not known, and mail stood by
            assert "did not say" in outcome.reason
    assert sum(by_mail.values()) > 20
    assert sum(by_chat.values()) > 20
    handled(work, *deliveries[:20], start=1000)
    assert sum(by_mail.values()) == len(scene.mail.mails)


class NoLimits(Rates):
    """Turns for all at once: what is tested is not the pace."""

    def turn(self, *_: object) -> float:
        return 0.0


def _delivery_of(request: dict[str, Any], deliveries: list[Delivery]) -> str:
    """Return whose message a request is, by the token of its button."""
    text = json.dumps(request)
    token = text.split("/f/useful/")[1].split('"')[0]
    return next(each.delivery_id for each in deliveries if each.delivery_id == _claims(token))


def _claims(token: str) -> str:
    return str(URLSafeSerializer("").load_payload(token.rpartition(".")[0].rpartition(".")[0].encode())[0])
