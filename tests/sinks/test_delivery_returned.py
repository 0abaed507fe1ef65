"""A delivery whose mail came back: which ways are left, and what counts then as sent."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from schemas.delivery import ChannelKind, Delivery, OutcomeKind, Returned
from schemas.directory import Channel, Rep
from schemas.settings import Settings
from tests.sinks.chat_receivers import Reply
from tests.sinks.clickhouse_store import migrated_database
from tests.sinks.delivery_scene import NOW_MS, Scene, fresh, handled
from tests.sinks.delivery_servers import mail_server
from tests.support.clickhouse import ClickHouseAddress

REASON = "5.1.1, there is no such mailbox"


@pytest.fixture(scope="module")
def store(clickhouse: ClickHouseAddress) -> Iterator[Settings]:
    with migrated_database(clickhouse) as spare:
        yield spare


@pytest.fixture
def scene(store: Settings) -> Iterator[Scene]:
    with ExitStack() as stack, mail_server() as mail, ThreadPoolExecutor(2) as pool:
        yield Scene(store, mail, pool, stack)


def returned(rep_id: str, channel: ChannelKind = ChannelKind.email, **changes: object) -> Delivery:
    return fresh(rep_id, channel, returned=Returned(reason=REASON, at_ms=NOW_MS), **changes)


def test_without_a_channel_that_stands_by_it_has_failed_and_says_why(scene: Scene) -> None:
    scene.rep("ann", "ann@example.com")
    handled(scene.workload(), returned("ann"))
    (outcome,) = scene.outcomes
    assert (outcome.kind, outcome.channel) == (OutcomeKind.failed, ChannelKind.email)
    assert outcome.reason == f"the mail came back ({REASON}), and no other channel of rep ann stands by for it"
    assert scene.mail.mails == []


def test_a_channel_that_has_had_its_copy_gets_no_second_one(scene: Scene) -> None:
    chat = scene.chat("wecom")
    channels = (
        Channel(kind=ChannelKind.email, target="ann@example.com"),
        Channel(kind=ChannelKind.chat, target="wecom", also=True),
    )
    scene.directory.put(Rep(rep_id="ann", name="ann", channels=channels))
    handled(scene.workload(), returned("ann"))
    copied = Channel(kind=ChannelKind.email, target="bo@example.com", also=True)
    scene.directory.put(Rep(rep_id="bo", name="bo", channels=(Channel(kind=ChannelKind.chat, target="wecom"), copied)))
    handled(scene.workload(), returned("bo", copy_number=1))
    assert [each.kind for each in scene.outcomes] == [OutcomeKind.failed, OutcomeKind.failed]
    assert (chat.taken, scene.mail.mails) == ([], [])


def test_an_address_that_was_taken_out_of_the_directory_meanwhile_does_not_stop_the_brief(scene: Scene) -> None:
    chat = scene.chat("wecom")
    scene.rep("ann", "wecom")
    handled(scene.workload(), returned("ann"))
    assert ([each.kind for each in scene.outcomes], len(chat.taken)) == ([OutcomeKind.sent], 1)


def test_a_chat_that_failed_before_the_mail_is_tried_once_more(scene: Scene) -> None:
    chat = scene.chat("wecom", Reply(404))
    scene.rep("ann", "wecom", "ann@example.com")
    handled(scene.workload(), returned("ann", ChannelKind.chat))
    (outcome,) = scene.outcomes
    assert (outcome.kind, outcome.target, len(chat.asked)) == (OutcomeKind.failed, "wecom", 1)
    assert outcome.reason.startswith(f"email: came back, {REASON}; wecom: ")
    assert scene.mail.mails == []
