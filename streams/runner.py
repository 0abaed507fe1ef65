"""Runs one stage on Kafka: batches in, batches out, state in a changelog, offsets last.

A batch goes through in one order: what the stage sends is acknowledged, then the changes of its state are, then they
take effect in memory, and some time later the offsets are committed. A crash anywhere repeats work and loses none.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, IllegalStateError, KafkaError
from mode import Service

from schemas.dead_letter import DeadLetter, DeadLetterStage
from schemas.errors import ReadbriefError, UnavailableError
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, Topic
from streams.changelog import FencedError, PartitionState, take_over
from streams.kafka_batches import Record, partition_of, send_all, started_producer
from streams.stage import Incoming, Send, Stage, Work

GROUP = "readbrief-{}"
READ_UP_WAIT_MS = 100  # for what is not there: a state is at its changelog's end once the broker says that it is
MAX_RECORDS = 500
MAX_ROUND_BYTES = 16 * 2**20  # a second of work at most; heartbeats go out between the partitions' parts of it
GATHER_S = 1.0  # between rounds, unless one is full: a key that many messages touch is worked out once
GATHER_BEHIND_S = 4.0  # for a worker without rest: what waits longest waits for the work before it, which this shortens
MAX_DUE = 200  # keys of one partition in a round, which takes no longer than one of messages
QUIET_S = GATHER_BEHIND_S + 1  # without messages; the stage before this one has then worked off its backlog, too
RESTLESS = 0.8  # of the time, at work
LOOK_UP_MS = 250  # while waiting, to see whether the worker is to stop, or has other partitions
COMMIT_EVERY_S = 1.0
LEAVE_WITHIN_S = 2.0  # three stages leave one after the other, before whoever stops the worker loses patience

log = structlog.get_logger()


class StageTopics(NamedTuple):
    """What a stage reads, and where its state is kept."""

    source: Topic
    changelog: Topic
    also: tuple[Topic, ...] = ()
    """Read beside it: topics of the same keys, so that the partitions of one number go to the same worker."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of all that the stage reads."""
        return self.source.name, *(topic.name for topic in self.also)


class _Task(NamedTuple):
    """Messages, and keys that are due, of one partition."""

    state: PartitionState
    messages: list[Incoming]
    due: list[str]


class StageRunner(Service):  # type: ignore[misc]
    """One stage of this worker, a service of Faust's worker; other workers' runners share its partitions."""

    def __init__(
        self, name: DeadLetterStage, stage: Stage, topics: StageTopics, settings: Settings, **options: Any
    ) -> None:
        """Take what to run and where; nothing is connected yet."""
        super().__init__(**options)
        self._name = name
        self._stage = stage
        self._topics = topics
        self._settings = settings
        self._clients: list[Any] = []
        self._states: dict[int, PartitionState] = {}
        self._owned: set[int] = set()
        self._to_take_over: set[int] = set()
        self._assignment = 0
        self._offsets: dict[TopicPartition, int] = {}
        self._committed_at_s = 0.0
        self._worked_at_s = 0.0
        self._cpu_at_s = 0.0
        self._dead_in_a_row = 0
        self._has_more_due = False
        self._between_rounds = asyncio.Lock()
        self.at_work = asyncio.Event()
        self.failure: ReadbriefError | None = None

    async def _connect(self) -> None:
        settings = self._settings
        reading: dict[str, Any] = {
            "bootstrap_servers": settings.kafka_bootstrap.split(","),
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
        }
        self._producer = await started_producer(settings.kafka_bootstrap)
        self._clients.append(self._producer)
        self._changelogs = AIOKafkaConsumer(**reading, fetch_max_wait_ms=READ_UP_WAIT_MS)
        self._consumer = AIOKafkaConsumer(
            **reading,
            group_id=GROUP.format(self._name.value),
            fetch_max_wait_ms=settings.kafka_fetch_wait_ms,
            session_timeout_ms=settings.kafka_session_timeout_s * 1000,
            heartbeat_interval_ms=max(1000, settings.kafka_session_timeout_s * 200),
            rebalance_timeout_ms=settings.kafka_rebalance_timeout_s * 1000,
            partition_assignment_strategy=(RangePartitionAssignor,),
        )
        self._subscribe()
        for client in (self._changelogs, self._consumer):
            self._clients.append(client)
            await client.start()

    async def on_stop(self) -> None:
        """Commit what is done, and leave the group at once; without Kafka, leave as if killed, which loses nothing."""
        try:
            async with asyncio.timeout(LEAVE_WITHIN_S):
                async with self._between_rounds:
                    await self._commit()
                for client in reversed(self._clients):
                    await client.stop()
        except TimeoutError:
            log.warning("left_without_commit", stage=self._name.value, kafka=self._settings.kafka_bootstrap)

    async def revoked(self) -> None:
        """Finish the round under way, and commit: another worker goes on from there."""
        async with self._between_rounds:
            await self._commit()
            self._assignment += 1
            self._owned = set()

    async def assigned(self, partitions: set[TopicPartition]) -> None:
        """Hold new partitions until their state is there: taking it over takes longer than a rebalance may."""
        self._offsets = {}
        self._to_take_over = {partition.partition for partition in partitions}
        self._consumer.pause(*partitions)
        if not partitions:
            self.at_work.set()

    @Service.task  # type: ignore[untyped-decorator]
    async def _work(self) -> None:
        try:
            await self._connect()
            while not self.should_stop:
                await self._take_over()
                assignment = self._assignment
                found = await self._gathered()
                await self._work_off(found, assignment)
                async with self._between_rounds:
                    if not found or time.monotonic() > self._committed_at_s + COMMIT_EVERY_S:
                        await self._commit()
        except ReadbriefError as error:
            self.failure = error
            raise
        except ConsumerStoppedError:
            if not self.should_stop:
                raise
        except KafkaError as error:
            if self.should_stop:
                return  # the clients were closed under it
            self.failure = UnavailableError(
                f"Kafka at {self._settings.kafka_bootstrap} failed the {self._name.value} stage, which stops: {error!r}"
            )
            raise

    async def _work_off(self, found: dict[TopicPartition, list[Any]], assignment: int) -> None:
        for tasks in self._rounds(found):
            async with self._between_rounds:
                if self.should_stop:
                    return  # all is committed, and the clients are being closed
                if assignment != self._assignment:
                    return  # fetched for an assignment that is gone: whoever has them now gets them again
                await self._round(tasks)

    async def _take_over(self) -> None:
        if not self._to_take_over:
            return
        assignment, numbers = self._assignment, sorted(self._to_take_over)
        changelog = self._topics.changelog.name
        states = [
            self._states.setdefault(number, PartitionState(TopicPartition(changelog, number))) for number in numbers
        ]
        began_s = time.monotonic()
        count = await take_over(states, self._changelogs, self._producer)
        async with self._between_rounds:
            if assignment != self._assignment:
                return
            self._to_take_over = set()
            self._owned = set(numbers)
            held = [TopicPartition(name, number) for name in self._topics.sources for number in numbers]
            self._consumer.resume(*held)
        seconds = round(time.monotonic() - began_s, 3)
        log.info("partitions_taken_over", stage=self._name.value, partitions=numbers, records=count, seconds=seconds)
        self.at_work.set()

    async def _gathered(self) -> dict[TopicPartition, list[Any]]:
        """Return what has come, at once after a pause; under load, what comes until it is time for another round.

        So a first message waits for nothing, and of many that follow each other closely each waits `GATHER_S` at most.
        """
        found: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
            timeout_ms=self._patience_ms(), max_records=MAX_RECORDS
        )
        size = _size(found)
        assignment, until_s = self._assignment, self._worked_at_s + self._gather_s()
        while found and size < MAX_ROUND_BYTES and assignment == self._assignment and not self.should_stop:
            left_ms = round(1000 * (until_s - time.monotonic()))
            if left_ms <= 0:
                break
            more = await self._consumer.getmany(timeout_ms=min(left_ms, LOOK_UP_MS), max_records=MAX_RECORDS)
            for partition, records in more.items():
                found.setdefault(partition, []).extend(records)
            size += _size(more)
        if found:
            self._worked_at_s, self._cpu_at_s = time.monotonic(), time.process_time()
        return found

    def _gather_s(self) -> float:
        """Return how far apart rounds are to be, by how busy all stages of this worker were since the last one.

        Of more due keys than a round may have, those that are left do not wait for messages.
        """
        if self._has_more_due:
            return 0.0
        passed_s = time.monotonic() - self._worked_at_s
        behind = time.process_time() - self._cpu_at_s > RESTLESS * passed_s
        return GATHER_BEHIND_S if behind else GATHER_S

    def _patience_ms(self) -> int:
        """Return how long to wait for messages: not beyond the moment at which a key is due."""
        moments = [due_ms for number in self._owned if (due_ms := self._states[number].due.next_ms()) is not None]
        return max(0, min([*(due_ms - _now_ms() for due_ms in moments), LOOK_UP_MS]))

    def _rounds(self, found: dict[TopicPartition, list[Any]]) -> Iterator[list[_Task]]:
        """Yield what was found, and the keys that are due, in rounds of bounded size."""
        now_ms = _now_ms()
        is_quiet = not found and time.monotonic() > self._worked_at_s + QUIET_S
        tasks = {}
        self._has_more_due = False
        for number in sorted(self._owned):
            state = self._states[number]
            due = [key for key, _ in state.due.pop_due(now_ms, MAX_DUE)]
            if is_quiet:
                due += islice(state.put_off.difference(due), MAX_DUE - len(due))
            self._has_more_due |= len(due) == MAX_DUE
            if due:
                tasks[number] = _Task(state, [], due)
        size = 0
        for partition, records in found.items():
            for record in records:
                if partition.partition not in self._owned:
                    break  # lost since it was fetched, in the round before: whoever has it now gets it again
                incoming = Incoming(
                    record.topic, record.partition, record.offset, record.value or b"", max(0, record.timestamp)
                )
                task = tasks.setdefault(partition.partition, _Task(self._states[partition.partition], [], []))
                task.messages.append(incoming)
                size += len(incoming.value)
                if size >= MAX_ROUND_BYTES:
                    yield list(tasks.values())
                    tasks, size = {}, 0
        if tasks:
            yield list(tasks.values())

    async def _round(self, tasks: Sequence[_Task]) -> None:
        now_ms = _now_ms()
        try:
            works = []
            for task in tasks:
                works.append(self._stage.handle(task.messages, task.state.table, now_ms, task.due))
                await asyncio.sleep(0)
        except Exception as error:  # noqa: BLE001 - whatever one message does, the worker lives and keeps the message
            single = [one for task in tasks for one in _one_by_one(task)]
            if len(single) > 1:
                for one in single:
                    await self._round([one])
                return
            await self._bury(single[0], error)
        else:
            self._dead_in_a_row = 0
            await self._carry_out([(task.state, work) for task, work in zip(tasks, works, strict=True)])
        for task in tasks:
            if self._states.get(task.state.changelog.partition) is not task.state:
                continue
            for message in task.messages:
                self._offsets[TopicPartition(message.topic, message.partition)] = message.offset + 1

    async def _carry_out(self, works: Sequence[tuple[PartitionState, Work]]) -> None:
        await send_all(self._producer, [self._addressed(send) for _, work in works for send in work.sends])
        records = [record for state, work in works for record in state.records_of(work)]
        sent = await send_all(self._producer, records)
        for state, work in works:
            try:
                state.written(sent.get(state.changelog, ()))
            except FencedError as error:
                log.warning("partition_lost", stage=self._name.value, reason=str(error))
                self._begin_anew()
                return
            state.apply(work)

    def _begin_anew(self) -> None:
        """Forget all, and join the group again: this worker slept, and others have its partitions."""
        self._assignment += 1
        self._states.clear()
        self._owned = set()
        self._offsets = {}
        self._consumer.unsubscribe()
        self._subscribe()

    def _subscribe(self) -> None:
        self._consumer.subscribe([*self._topics.sources], listener=_Rebalances(self))

    def _addressed(self, send: Send) -> tuple[TopicPartition, Record]:
        key = send.key.encode()
        partition = send.partition
        if partition is None:
            partition = partition_of(key, self._settings.kafka_partitions)
        return TopicPartition(send.topic.name, partition), Record(key, send.message.to_bytes())

    async def _bury(self, task: _Task, error: Exception) -> None:
        origin = task.messages[0].origin if task.messages else f"due/{task.due[0]}"
        value = task.messages[0].value if task.messages else b""
        reason = f"{type(error).__name__}: {error}"
        letter = DeadLetter.of(self._name, origin, reason, value, _now_ms())
        log.warning("message_dead_lettered", stage=self._name.value, origin=origin, reason=reason[:300])
        await self._producer.send_and_wait(DEAD_LETTERS.name, letter.to_bytes())
        self._dead_in_a_row += 1
        if self._dead_in_a_row >= self._settings.dead_letter_limit:
            raise ReadbriefError(
                f"{self._dead_in_a_row} messages in a row could not be used, last {origin}: {reason[:300]}. "
                "That looks like a faulty release, not like faulty messages: stopped, so that nothing more is set "
                "aside. Mend it, then replay the dead letters."
            )

    async def _commit(self) -> None:
        self._committed_at_s = time.monotonic()
        if not self._offsets:
            return
        offsets, self._offsets = self._offsets, {}
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            # The partitions have gone to another worker, who does the work again; it changes nothing.
            log.warning("commit_refused", stage=self._name.value, reason=repr(error))


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, runner: StageRunner) -> None:
        self._runner = runner

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002 - it is all of them
        await self._runner.revoked()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._runner.assigned(assigned)


def _size(found: dict[TopicPartition, list[Any]]) -> int:
    return sum(len(record.value or b"") for records in found.values() for record in records)


def _one_by_one(task: _Task) -> Iterator[_Task]:
    for message in task.messages:
        yield _Task(task.state, [message], [])
    for key in task.due:
        yield _Task(task.state, [], [key])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
