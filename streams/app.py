"""The Faust app: topics, tables and agents around the stages. Nothing else in this wing imports Faust."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import faust
import structlog
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer
from faust.types import EventT, StreamT

from schemas.activity import Wake
from schemas.dead_letter import DeadLetter, DeadLetterStage
from schemas.directory import Directory
from schemas.errors import ReadbriefError
from schemas.playbook import Playbook
from schemas.settings import Settings
from schemas.topics import ACCOUNT_WAKES, ACTIVITY, BRIEFS, DEAD_LETTERS, EVENTS, REP_WAKES, TOPICS, Topic
from streams.stages import AccountStage, Incoming, RepStage, Stage, VisitorStage, Work
from streams.wakes import DueQueue

APP_ID = "readbrief-streams"
WAKE_PERIOD_S = 0.1
RECOVERY_SLICE = 200
FETCH_MAX_WAIT_MS = 100

log = structlog.get_logger()


class StreamApp:
    """The stages as Faust agents, each with its table and, where it waits for times, its queue of due keys."""

    def __init__(
        self, settings: Settings, playbook: Playbook, directory: Directory, on_ready: Callable[[], None]
    ) -> None:
        """Build the app; `on_ready` is called once every table is recovered and the agents are at work."""
        self._limit = settings.dead_letter_limit
        self._dead_in_a_row = 0
        self._on_ready = on_ready
        self.failure: ReadbriefError | None = None
        self.app = _faust_app(settings)
        self._topics = {topic.name: self._raw(topic.name) for topic in TOPICS}
        days = settings.history_days
        self._add(DeadLetterStage.visitors, VisitorStage(directory), EVENTS)
        self._add(DeadLetterStage.accounts, AccountStage(directory, playbook, days), ACTIVITY, ACCOUNT_WAKES)
        self._add(DeadLetterStage.reps, RepStage(directory, playbook), BRIEFS, REP_WAKES)
        self.app.task(self._announce_ready)

    def _raw(self, *names: str) -> Any:
        return self.app.topic(*names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    def _add(self, name: DeadLetterStage, stage: Stage, topic: Topic, wakes: Topic | None = None) -> None:
        table = self.app.Table(name.value, key_type=bytes, value_type=bytes)
        due = DueQueue()

        async def agent(stream: StreamT[bytes]) -> None:
            async for event in stream.events():
                await self._handle(name, stage, table, due, event)

        self.app.agent(self._raw(*(t.name for t in (topic, wakes) if t)), name=name.value)(agent)
        if wakes is None:
            return

        async def wake() -> None:
            for key, due_ms in due.pop_due(_now_ms()):
                await self._topics[wakes.name].send(
                    key=key.encode(), value=Wake(key=key, due_ms=max(0, due_ms)).to_bytes()
                )

        async def recovered() -> None:
            for i, value in enumerate(list(table.values())):
                due.put(*stage.due_of(value))
                if i % RECOVERY_SLICE == 0:
                    await asyncio.sleep(0)  # walking a large table must not stall the heartbeat

        self.app.timer(WAKE_PERIOD_S)(wake)
        table.on_recover(recovered)

    async def _handle(self, name: DeadLetterStage, stage: Stage, table: Any, due: DueQueue, event: EventT) -> None:
        message = event.message
        incoming = Incoming(message.topic, message.partition, message.offset, event.value or b"")
        try:
            work = stage.handle(incoming, table, _now_ms())
        except Exception as error:  # noqa: BLE001 - whatever one message does, the worker lives and keeps the message
            await self._bury(name, incoming, error)
            return
        self._dead_in_a_row = 0
        await self._send(work)
        for key, state in work.writes.items():
            table[key.encode()] = state.to_bytes()
        for key, due_ms in work.due.items():
            due.put(key, due_ms)

    async def _send(self, work: Work) -> None:
        """Send everything, and wait until Kafka has acknowledged all of it."""
        sent = [
            await self._topics[one.topic.name].send(
                key=one.key.encode(), value=one.message.to_bytes(), partition=one.partition
            )
            for one in work.sends
        ]
        if sent:
            await asyncio.gather(*sent)

    async def _bury(self, name: DeadLetterStage, incoming: Incoming, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        letter = DeadLetter.of(name, incoming.origin, reason, incoming.value, _now_ms())
        log.warning("message_dead_lettered", stage=name.value, origin=incoming.origin, reason=reason[:300])
        await (await self._topics[DEAD_LETTERS.name].send(value=letter.to_bytes()))
        self._dead_in_a_row += 1
        if self._dead_in_a_row >= self._limit:
            self.failure = ReadbriefError(
                f"{self._dead_in_a_row} messages in a row could not be used, last {incoming.origin}: {reason[:300]}. "
                "That looks like a faulty release, not like faulty messages: stopped, so that nothing more is set "
                "aside. Mend it, then replay the dead letters."
            )
            await self.app.crash(self.failure)

    async def _announce_ready(self) -> None:
        await self.app.tables.wait_until_recovery_completed()
        log.info("streams_ready", assigned=len(self.app.assignor.assigned_actives()))
        self._on_ready()


def run_worker(
    settings: Settings, playbook: Playbook, directory: Directory, on_ready: Callable[[], None] = lambda: None
) -> int:
    """Run one stream worker until SIGTERM or SIGINT; return its exit code.

    Raises:
        ReadbriefError: so many messages in a row failed that the release must be at fault.
    """
    streams = StreamApp(settings, playbook, directory, on_ready)
    worker = faust.Worker(streams.app, loglevel="WARN", redirect_stdouts=False, quiet=True)
    try:
        worker.execute_from_commandline()
    except SystemExit as stop:
        if streams.failure:
            raise streams.failure from None
        return int(stop.code or 0)
    return 0


class _PromptThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Asks the broker anew more often than Faust's fixed 1.5 s.

    Apache Kafka answers a waiting fetch as soon as there is something. The embedded broker looks only now and then, the
    more seldom the longer it may wait: with 1.5 s that made up to 0.4 s on each of a brief's four hops.
    """

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> Any:
        consumer = super()._create_consumer(loop)
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS  # noqa: SLF001 - Faust has no setting for it
        return consumer


class _PromptConsumer(Consumer):  # type: ignore[misc]
    def _new_consumer_thread(self) -> _PromptThread:
        return _PromptThread(self, loop=self.loop, beacon=self.beacon)


def _faust_app(settings: Settings) -> Any:
    brokers = [f"kafka://{address.strip()}" for address in settings.kafka_bootstrap.split(",")]
    app = faust.App(
        APP_ID,
        broker=brokers,
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=True,
        topic_partitions=settings.kafka_partitions,
        topic_replication_factor=settings.kafka_replication,
        broker_session_timeout=settings.kafka_session_timeout_s,
        broker_heartbeat_interval=max(1, settings.kafka_session_timeout_s / 5),
        broker_rebalance_timeout=settings.kafka_rebalance_timeout_s,
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        stream_wait_empty=False,
    )
    app.transport.Consumer = _PromptConsumer
    return app


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
