"""Batches of deliveries against real servers and a real ledger: sent once each, held back, or set aside."""

import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from schemas.dead_letter import DeadLetter
from schemas.delivery import ChannelKind, Delivery, Outcome, OutcomeKind
from schemas.errors import InputError, UnavailableError
from schemas.settings import Settings
from sinks.consumer import Record
from sinks.delivery.deliver import Courier
from sinks.delivery.ledger import DeliveryLedger
from sinks.delivery.workload import Workload
from tests.sinks.clickhouse_store import migrated_database
from tests.sinks.delivery_samples import MET_MS, a_delivery, a_directory
from tests.sinks.delivery_servers import ChatService, MailServer, chat_service, mail_server
from tests.support.clickhouse import ClickHouseAddress, start_clickhouse
from tests.support.migrated import make_migrated
from tests.support.ports import free_port

NOW_MS = MET_MS + 500


@pytest.fixture(scope="module")
def store(clickhouse: ClickHouseAddress) -> Iterator[Settings]:
    with migrated_database(clickhouse) as spare:
        yield spare


@dataclass
class Scene:
    """Everything a workload touches, and what it published."""

    settings: Settings
    mail: MailServer
    chat: ChatService
    ledger: DeliveryLedger
    stop: threading.Event = field(default_factory=threading.Event)
    published: list[tuple[str, bytes | None, bytes]] = field(default_factory=list)

    def workload(self, pool: ThreadPoolExecutor, budget_s: float = 60, **changes: Any) -> Workload:
        settings = self.settings.model_copy(update=changes)
        courier = Courier(settings, a_directory(), self.ledger, lambda: NOW_MS, self.stop)
        return Workload(courier, self.publish, pool, budget_s)

    def publish(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        assert value is not None
        self.published.append((topic, key, value))

    @property
    def outcomes(self) -> list[Outcome]:
        return [Outcome.from_bytes(value) for topic, _, value in self.published if topic == "outcomes"]

    @property
    def dead_letters(self) -> list[DeadLetter]:
        return [DeadLetter.from_bytes(value) for topic, _, value in self.published if topic == "dead-letters"]


@pytest.fixture
def scene(store: Settings) -> Iterator[Scene]:
    ledger = DeliveryLedger.open(store)
    with mail_server() as mail, chat_service() as chat:
        settings = store.model_copy(
            update={
                "smtp_port": mail.port,
                "delivery_attempts": 3,
                "delivery_backoff_s": 0.02,
                "chat_targets": type(store)(secret="x" * 16, chat_targets={"team": chat.url}).chat_targets,
            }
        )
        yield Scene(settings, mail, chat, ledger)
    ledger.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as running:
        yield running


def fresh(channel: ChannelKind = ChannelKind.email, **changes: Any) -> Delivery:
    return a_delivery(channel=channel, **({"delivery_id": f"delivery-{uuid.uuid4().hex}"} | changes))


def records(*deliveries: Delivery | bytes | None, start: int = 0) -> list[Record]:
    values = [each.to_bytes() if isinstance(each, Delivery) else each for each in deliveries]
    return [Record("deliveries", 0, start + offset, b"rep-1", value) for offset, value in enumerate(values)]


def after(batch: Sequence[Record]) -> Mapping[tuple[str, int], int]:
    return {("deliveries", 0): batch[-1].offset + 1}


def handled(work: Workload, batch: Sequence[Record]) -> Mapping[tuple[str, int], int]:
    return work.handle(batch, after(batch))


def test_each_delivery_goes_out_on_its_channel_and_is_told_under_its_rep(
    scene: Scene, pool: ThreadPoolExecutor
) -> None:
    mail, chat = fresh(), fresh(ChannelKind.chat)
    assert handled(scene.workload(pool), records(mail, chat)) == {}
    assert [each["X-Readbrief-Delivery"] for each in scene.mail.mails] == [mail.delivery_id]
    assert len(scene.chat.messages) == 1
    assert {(topic, key) for topic, key, _ in scene.published} == {("outcomes", b"rep-1")}
    told = {outcome.delivery_id: outcome for outcome in scene.outcomes}
    assert told[mail.delivery_id].kind is OutcomeKind.sent
    assert told[mail.delivery_id].target == "email"
    assert told[chat.delivery_id].target == "team"
    assert told[chat.delivery_id].brief_ids == ("brief-1",)
    assert told[chat.delivery_id].at_ms == NOW_MS


def test_the_same_delivery_in_one_batch_and_in_the_next_is_one_mail_and_one_outcome(
    scene: Scene, pool: ThreadPoolExecutor
) -> None:
    delivery = fresh()
    handled(scene.workload(pool), records(delivery, delivery, delivery))
    handled(scene.workload(pool), records(delivery, delivery, start=3))
    assert len(scene.mail.mails) == 1
    assert len({value for _, _, value in scene.published}) == 1
    assert len(scene.published) == 5


def test_what_fails_twice_and_then_works_is_sent_at_the_third_try(scene: Scene, pool: ThreadPoolExecutor) -> None:
    scene.mail.data_answers += ["451 later", "421 much later"]
    scene.chat.statuses += [503, 429]
    handled(scene.workload(pool), records(fresh(), fresh(ChannelKind.chat)))
    assert [(outcome.kind, outcome.attempts) for outcome in scene.outcomes] == [(OutcomeKind.sent, 3)] * 2
    assert (len(scene.mail.mails), len(scene.chat.messages)) == (1, 1)


def test_a_server_that_stays_down_makes_a_failed_outcome(scene: Scene, pool: ThreadPoolExecutor) -> None:
    delivery = fresh()
    handled(scene.workload(pool, smtp_port=free_port()), records(delivery))
    (outcome,) = scene.outcomes
    assert (outcome.kind, outcome.attempts) == (OutcomeKind.failed, 3)
    assert "can't be reached" in outcome.reason
    handled(scene.workload(pool), records(delivery))
    assert scene.mail.mails == []
    assert scene.outcomes[1] == outcome


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rep_id": "nobody"}, "rep nobody is not in the directory"),
        ({"rep_id": "mail-only", "channel": ChannelKind.chat}, "rep mail-only has no chat channel"),
    ],
)
def test_who_can_not_be_reached_makes_a_failed_outcome_that_says_so(
    scene: Scene, pool: ThreadPoolExecutor, changes: dict[str, Any], reason: str
) -> None:
    handled(scene.workload(pool), records(fresh(**changes)))
    (outcome,) = scene.outcomes
    assert (outcome.kind, outcome.attempts) == (OutcomeKind.failed, 0)
    assert reason in outcome.reason


def test_an_unknown_chat_target_and_a_refused_recipient_are_tried_once(scene: Scene, pool: ThreadPoolExecutor) -> None:
    scene.mail.rcpt_answers.append("550 5.1.1 <jo@example.com> unknown")
    handled(scene.workload(pool, chat_targets={}), records(fresh(), fresh(ChannelKind.chat)))
    assert [(outcome.kind, outcome.attempts) for outcome in scene.outcomes] == [(OutcomeKind.failed, 1)] * 2
    assert "jo@example.com" not in "".join(str(value) for _, _, value in scene.published)


def test_what_can_not_be_read_is_set_aside_whole_and_stops_nothing(scene: Scene, pool: ThreadPoolExecutor) -> None:
    batch = records(b"{broken", fresh(), None)
    assert handled(scene.workload(pool), batch) == {}
    assert [letter.payload_bytes() for letter in scene.dead_letters] == [b"{broken", b""]
    assert [letter.origin for letter in scene.dead_letters] == ["deliveries/0/0", "deliveries/0/2"]
    assert {letter.stage.value for letter in scene.dead_letters} == {"delivery"}
    assert len(scene.mail.mails) == 1


def test_too_much_that_can_not_be_read_in_a_row_stops_the_process(scene: Scene, pool: ThreadPoolExecutor) -> None:
    work = scene.workload(pool, dead_letter_limit=3)
    handled(work, records(b"1", b"2", b"3"))
    handled(work, records(fresh(), start=3))
    handled(work, records(b"5", b"6", b"7", start=4))
    with pytest.raises(InputError, match="4 deliveries in a row"):
        handled(work, records(b"8", start=7))
    assert len(scene.dead_letters) == 6


def test_a_fault_of_our_own_sets_the_message_aside_and_stops_nothing(scene: Scene, pool: ThreadPoolExecutor) -> None:
    batch = records(fresh(ChannelKind.chat), fresh())
    work = scene.workload(pool, chat_targets={"team": "settings as no code of ours would build them: token-9f31"})
    assert handled(work, batch) == {}
    (letter,) = scene.dead_letters
    assert letter.payload_bytes() == batch[0].value
    assert letter.reason.startswith("can't be delivered: AttributeError in ways.py:")
    assert "token-9f31" not in letter.reason
    assert len(scene.mail.mails) == 1


def test_deliveries_to_many_reps_go_side_by_side(scene: Scene, pool: ThreadPoolExecutor) -> None:
    # Nobody gets an answer before four are in the service at once; Apprise sends so many side by side on any machine.
    scene.chat.on_message = threading.Barrier(4, timeout=20).wait
    work = scene.workload(pool)
    directory = work._courier.directory
    for number in range(8):
        directory.put(directory.reps["rep-1"].model_copy(update={"rep_id": f"many-{number}"}))
    handled(work, records(*(fresh(ChannelKind.chat, rep_id=f"many-{number}") for number in range(8))))
    assert [(outcome.kind, outcome.attempts) for outcome in scene.outcomes] == [(OutcomeKind.sent, 1)] * 8


def test_what_is_not_done_in_time_is_held_back_and_done_at_the_next_call(
    scene: Scene, pool: ThreadPoolExecutor
) -> None:
    batch = records(*(fresh() for _ in range(3)))
    scene.mail.on_mail = lambda: time.sleep(2.2)
    work = scene.workload(pool, budget_s=2)  # enough for letters that nobody holds up, on a busy machine too
    assert handled(work, batch) == {("deliveries", 0): 1}
    scene.mail.on_mail = lambda: None
    assert work.handle([], after(batch)) == {}
    assert len(scene.mail.mails) == 3


def test_what_is_held_back_is_dropped_when_another_has_the_partition(scene: Scene, pool: ThreadPoolExecutor) -> None:
    batch = records(*(fresh() for _ in range(3)))
    work = scene.workload(pool, budget_s=-1)
    assert handled(work, batch) == {("deliveries", 0): 0}
    assert work.handle([], {}) == {}
    assert scene.mail.mails == []


def test_a_stop_in_the_wait_between_tries_leaves_the_delivery_for_the_next_process(
    scene: Scene, pool: ThreadPoolExecutor
) -> None:
    batch = records(fresh())
    scene.mail.data_answers += ["451 later"]
    work = scene.workload(pool, delivery_backoff_s=60)
    threading.Timer(0.3, scene.stop.set).start()
    assert handled(work, batch) == {("deliveries", 0): 0}
    assert scene.published == []
    scene.stop.clear()
    assert handled(scene.workload(pool), batch) == {}
    assert len(scene.mail.mails) == 1
    assert [outcome.kind for outcome in scene.outcomes] == [OutcomeKind.sent]


def test_nothing_is_sent_while_the_ledger_is_gone(scene: Scene, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    port = free_port()
    server = start_clickhouse(port, tmp_path / "data", tmp_path / "output.log")
    settings = scene.settings.model_copy(update={"clickhouse_port": port})
    try:
        make_migrated(settings)
        scene.ledger = DeliveryLedger.open(settings)
    finally:
        server.kill()
    with pytest.raises(UnavailableError):
        handled(scene.workload(pool), records(fresh()))
    assert scene.mail.mails == []
    assert scene.published == []


def test_one_line_per_delivery_tells_its_latency_and_no_secret(
    scene: Scene, pool: ThreadPoolExecutor, capsys: pytest.CaptureFixture[str]
) -> None:
    handled(scene.workload(pool), records(fresh(ChannelKind.chat)))
    lines = [line for line in capsys.readouterr().out.splitlines() if "delivery_ended" in line]
    assert len(lines) == 1
    assert "500" in lines[0]
    assert "token-9f31" not in lines[0]
