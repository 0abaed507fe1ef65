"""Mails that come back: the brief goes by the rep's next channel, once, and both ways are told."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from email.message import EmailMessage

import pytest
from pydantic import SecretStr

from producers.mail_marks import MARK_MAX_AGE_S, mail_mark
from readbrief.bounces import STORED_WITHIN_MS, came_back, take_reports
from readbrief.broker_topics import create_topics
from schemas.channel import ChannelKind
from schemas.delivery import Delivery, Outcome, OutcomeKind
from schemas.errors import TryAgainError
from schemas.feedback import MARK_HEADER
from schemas.settings import Settings
from schemas.topics import DELIVERIES, OUTCOMES
from sinks.clickhouse.client import connect
from sinks.clickhouse.writer import Writer
from sinks.consumer import Record
from tests.sinks.clickhouse_store import migrated_database
from tests.sinks.delivery_samples import SECRET
from tests.sinks.delivery_scene import Scene, fresh, handled
from tests.sinks.delivery_servers import mail_server
from tests.support.clickhouse import ClickHouseAddress
from tests.support.fresh_brokers import broker_settings, messages_until
from tests.support.mail_reports import mail_report
from tests.support.ports import free_port

PATIENCE_S = 20.0
NOW_MS = time.time_ns() // 1_000_000
REASON = "5.1.1, there is no such mailbox"


@pytest.fixture(scope="module")
def store(clickhouse: ClickHouseAddress, embedded_broker: str) -> Iterator[Settings]:
    create_topics(broker_settings(embedded_broker))
    with migrated_database(clickhouse) as spare:
        yield spare.model_copy(update={"kafka_bootstrap": embedded_broker, "secret": SecretStr(SECRET)})


@pytest.fixture
def scene(store: Settings) -> Iterator[Scene]:
    with ExitStack() as stack, mail_server() as mail, ThreadPoolExecutor(2) as pool:
        yield Scene(store, mail, pool, stack, now_ms=NOW_MS)


def keep(store: Settings, *messages: Delivery | Outcome) -> None:
    """Put messages into ClickHouse as its sink does."""
    with connect(store) as client:
        writer = Writer(client, lambda *_: pytest.fail("all of it is readable"), 1)
        for message in messages:
            topic = DELIVERIES.name if isinstance(message, Delivery) else OUTCOMES.name
            writer.write([Record(topic, 0, 0, b"ann", message.to_bytes(), NOW_MS)], NOW_MS)


def on_topic(store: Settings, topic: str, name: str) -> bytes:
    """Return the message on a topic that has a name in it."""
    found = messages_until(
        store.kafka_bootstrap, topic, lambda found: any(name.encode() in each for each in found), PATIENCE_S
    )
    return next(each for each in found if name.encode() in each)


def a_mail(delivery_id: str, sent_ms: int = NOW_MS, secret: str = SECRET) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "briefs@vendor.example", "ann@example.com"
    mark = mail_mark(Settings(secret=secret), delivery_id, sent_ms)
    mail[MARK_HEADER] = f"{mark[:40]} {mark[40:80]} {mark[80:]}"
    mail.set_content("A brief.")
    return mail


def heard(store: Settings, *reports: bytes, now_ms: int = NOW_MS) -> list[str]:
    """Take reports, and return what was said of each, after its name."""
    said: list[str] = []
    take_reports(store, [(f"report {number}", each) for number, each in enumerate(reports)], said.append, now_ms)
    assert not any("@" in line for line in said)
    return [line.partition(": ")[2] for line in said]


def an_end(delivery: Delivery, kind: OutcomeKind, channel: ChannelKind = ChannelKind.email) -> Outcome:
    return Outcome(
        outcome_id=f"outcome-{uuid.uuid4().hex}", delivery_id=delivery.delivery_id, rep_id=delivery.rep_id,
        channel=channel, brief_ids=("brief-1",), kind=kind, at_ms=NOW_MS,
    )  # fmt: skip


def run_command(store: Settings, report: bytes) -> "subprocess.CompletedProcess[bytes]":
    environment = {
        "READBRIEF_SECRET": SECRET,
        "READBRIEF_KAFKA_BOOTSTRAP": store.kafka_bootstrap,
        "READBRIEF_CLICKHOUSE_HOST": store.clickhouse_host,
        "READBRIEF_CLICKHOUSE_PORT": str(store.clickhouse_port),
        "READBRIEF_CLICKHOUSE_DATABASE": store.clickhouse_database,
    }
    command = [sys.executable, "-m", "readbrief", "bounces", "-"]
    return subprocess.run(
        command, input=report, env={**os.environ, **environment}, capture_output=True, check=False, timeout=60
    )


def test_a_brief_whose_mail_comes_back_reaches_the_rep_by_chat_once_however_often_it_is_reported(
    scene: Scene, store: Settings
) -> None:
    chat, admin = scene.chat("wecom"), scene.chat("slack")
    scene.rep("ann", "ann@example.com", "wecom")
    work = scene.workload(admin_channel="slack")
    delivery = fresh("ann", ChannelKind.email)
    handled(work, delivery)
    keep(store, delivery, *scene.outcomes)
    (mail,) = scene.mail.mails
    report = mail_report("Gmail", mail)

    done = run_command(store, report)
    assert (done.returncode, done.stderr) == (0, b"")
    assert REASON.encode() in done.stdout
    assert heard(store, report) == [
        f"{delivery.delivery_id} to rep ann came back ({REASON}); it goes by their other channels"
    ]

    again, told = came_back(delivery, REASON, NOW_MS)
    resent = on_topic(store, DELIVERIES.name, again.delivery_id)
    outcome = Outcome.from_bytes(on_topic(store, OUTCOMES.name, told.outcome_id))
    for at in (1, 2):  # as it stands twice on the topic
        work.handle([Record("deliveries", 0, at, b"ann", resent)], {("deliveries", 0): at + 1})
    assert (len(chat.taken), len(admin.taken), len(scene.mail.mails)) == (1, 1, 1)
    assert "5.1.1" in str(admin.taken)
    ends = [(each.delivery_id, each.kind, each.target, each.reason) for each in (*scene.outcomes, outcome)]
    by_chat = (again.delivery_id, OutcomeKind.sent, "wecom", f"not by email: came back, {REASON}")
    assert ends == [
        (delivery.delivery_id, OutcomeKind.sent, "email", ""),
        by_chat,
        by_chat,
        (delivery.delivery_id, OutcomeKind.bounced, "email", REASON),
    ]
    assert scene.outcomes[1].outcome_id == scene.outcomes[2].outcome_id

    keep(store, outcome)
    assert heard(store, report) == [f"{delivery.delivery_id} was told of before"]


def test_a_delivery_that_is_not_stored_yet_asks_the_mail_server_to_come_again(store: Settings) -> None:
    early = f"delivery-{uuid.uuid4().hex}"
    done = run_command(store, mail_report("Postfix", a_mail(early)))
    assert done.returncode == 75
    assert b"not in the store yet" in done.stderr
    late_ms = NOW_MS + STORED_WITHIN_MS
    assert heard(store, mail_report("Postfix", a_mail(early)), now_ms=late_ms) == [
        f"ignored, as {early} is no longer in the store"
    ]


def test_what_can_be_done_is_done_before_anything_is_asked_for_again(store: Settings) -> None:
    delivery = fresh("ann", ChannelKind.email)
    keep(store, delivery)
    with pytest.raises(TryAgainError, match="delivery-early is not in the store yet"):
        heard(store, *(mail_report("Exim", a_mail(each)) for each in ("delivery-early", delivery.delivery_id)))
    assert on_topic(store, OUTCOMES.name, delivery.delivery_id)


def test_what_went_by_another_channel_at_once_is_not_sent_again(store: Settings) -> None:
    """A mail server that hung up may have taken the mail: the brief went by chat then, and the mail comes back."""
    delivery = fresh("ann", ChannelKind.email)
    keep(store, delivery, an_end(delivery, OutcomeKind.sent, ChannelKind.chat))
    after = fresh("ann", ChannelKind.email)
    keep(store, after)
    said, _ = heard(store, *(mail_report("Exchange", a_mail(each.delivery_id)) for each in (delivery, after)))
    assert said.endswith("it had gone by another channel, too")
    told = Outcome.from_bytes(on_topic(store, OUTCOMES.name, delivery.delivery_id))
    assert (told.kind, told.rep_id, told.account_ids) == (OutcomeKind.bounced, "ann", ("acme",))
    # Both would be of one rep, and so in the order in which they were heard.
    names = [came_back(each, REASON, NOW_MS)[0].delivery_id.encode() for each in (delivery, after)]
    found = messages_until(
        store.kafka_bootstrap, DELIVERIES.name, lambda found: any(names[1] in each for each in found), PATIENCE_S
    )
    assert [name for each in found for name in names if name in each] == [names[1]]


def test_what_is_forged_old_or_not_ours_asks_no_server_and_changes_nothing(store: Settings) -> None:
    away = store.model_copy(update={"kafka_bootstrap": f"127.0.0.1:{free_port()}", "clickhouse_port": free_port()})
    foreign = EmailMessage()
    foreign.set_content("Not ours.")
    old_ms = NOW_MS - (MARK_MAX_AGE_S + 60) * 1000
    said = heard(
        away,
        mail_report("Gmail", a_mail("delivery-1", secret="another-secret-entirely")),
        mail_report("Gmail", a_mail("delivery-1", sent_ms=old_ms)),
        mail_report("Gmail", foreign),
        mail_report("Postfix", a_mail("delivery-1"), action="delayed", status="4.4.7"),
        mail_report("qmail", a_mail("delivery-1")),
    )
    assert said == [
        "ignored, as the mark of its mail was not made with this READBRIEF_SECRET, or is forged",
        "ignored, as the mark of its mail is older than 14 days",
        "ignored, as it is about no mail of ours, or came without that mail's headers",
        "ignored, as it says of the mail that it is delayed, not failed",
        "ignored, as it is no delivery status report by RFC 3464 (replies are none, nor are qmail's own)",
    ]
    with pytest.raises(TryAgainError, match="READBRIEF_CLICKHOUSE_HOST"):
        heard(away, mail_report("Gmail", a_mail("delivery-1")))
