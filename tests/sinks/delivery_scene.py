"""A workload over one mail server and the chat receivers that a test opens."""

import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from producers.feedback_links import feedback_link
from producers.mail_marks import mail_mark
from schemas.delivery import ChannelKind, Delivery, Outcome
from schemas.directory import Channel, Directory, Rep
from schemas.settings import Settings
from sinks.consumer import Record
from sinks.delivery.channels.posting import Poster
from sinks.delivery.deliver import Courier
from sinks.delivery.ledger import DeliveryLedger
from sinks.delivery.memory import DeliveryMemory
from sinks.delivery.senders import Senders
from sinks.delivery.workload import Workload
from tests.sinks.chat_receivers import Receiver, Reply, receiver
from tests.sinks.delivery_samples import MET_MS, SECRET, a_delivery, a_directory
from tests.sinks.delivery_servers import MailServer

NOW_MS = MET_MS + 500
POSTER = Poster(answer_s=5.0)


@dataclass
class Scene:
    """A workload over one mail server and the chat receivers that a test opens."""

    store: Settings
    mail: MailServer
    pool: ThreadPoolExecutor
    open: ExitStack
    targets: dict[str, SecretStr] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    directory: Directory = field(default_factory=a_directory)
    now_ms: int = NOW_MS

    def chat(self, service: str, *replies: Reply) -> Receiver:
        made = self.open.enter_context(receiver(service, *replies))
        url = made.url("/C1", "xoxb-s3cret@") if service == "slackbot" else made.url()
        self.targets[service] = SecretStr(url)
        return made

    def rep(self, rep_id: str, *channels: str) -> None:
        made = tuple(
            Channel(kind=ChannelKind.email if "@" in name else ChannelKind.chat, target=name) for name in channels
        )
        self.directory.put(Rep(rep_id=rep_id, name=rep_id, channels=made))

    def workload(self, senders: Mapping[str, Any] | None = None, **changes: Any) -> Workload:
        facts = {
            "smtp_port": self.mail.port, "delivery_attempts": 3, "delivery_backoff_s": 0.01, "digest_spread_s": 0.0,
            "chat_targets": self.targets, "secret": SecretStr(SECRET),
            "collector_url": "https://read.example", "account_page_url": "https://crm.example/a/{account_id}",
        }  # fmt: skip
        settings = self.store.model_copy(update=facts | changes)
        ledger = self.open.enter_context(closing(DeliveryLedger.open(self.store)))
        memory = self.open.enter_context(closing(DeliveryMemory.open(self.store)))

        def links(*about: Any) -> str:
            return feedback_link(settings, *about)

        def mark(delivery_id: str, sent_ms: int) -> str:
            return mail_mark(settings, delivery_id, sent_ms)

        def now_ms() -> int:
            return self.now_ms

        stop = threading.Event()
        given = Senders(settings, now_ms, stop, links, **{"poster": POSTER, "marks": mark, **(senders or {})})
        courier = Courier(settings, self.directory, ledger, now_ms, stop, memory, links, given)
        return Workload(courier, self.publish, self.pool, 60)

    def publish(self, _topic: str, _key: bytes | None, value: bytes | None) -> None:
        self.outcomes.append(Outcome.from_bytes(value or b""))


def fresh(rep_id: str, channel: ChannelKind = ChannelKind.chat, **changes: Any) -> Delivery:
    return a_delivery(channel=channel, rep_id=rep_id, **({"delivery_id": f"delivery-{uuid.uuid4().hex}"} | changes))


def handled(work: Workload, *deliveries: Delivery, start: int = 0) -> Mapping[tuple[str, int], int]:
    batch = [Record("deliveries", 0, start + at, b"r", each.to_bytes()) for at, each in enumerate(deliveries)]
    return work.handle(batch, {("deliveries", 0): start + len(batch)})
