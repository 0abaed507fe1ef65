import time
from typing import NamedTuple

from aiokafka import TopicPartition

from schemas.dead_letter import DeadLetterStage
from schemas.directory import Directory
from schemas.playbook import Playbook
from schemas.settings import Settings
from schemas.topics import BRIEFS, REP_STATE
from streams.changelog import PartitionState
from streams.rep_stage import RepStage
from streams.runner import GATHER_BEHIND_S, GATHER_S, MAX_DUE, MAX_ROUND_BYTES, QUIET_S, StageRunner, StageTopics
from streams.stage import Work


class Fetched(NamedTuple):
    """A record as far as a round needs it."""

    topic: str
    partition: int
    offset: int
    value: bytes
    timestamp: int = 0


def runner_of(*partitions: int) -> StageRunner:
    stage = RepStage(Directory(), Playbook(company="Acme"))
    settings = Settings(secret="a secret for the tests")
    runner = StageRunner(DeadLetterStage.reps, stage, StageTopics(BRIEFS, REP_STATE), settings)
    runner._states = {number: PartitionState(TopicPartition(REP_STATE.name, number)) for number in partitions}
    runner._owned = set(partitions)
    return runner


def fetched(*partitions: int) -> dict[TopicPartition, list[Fetched]]:
    large = b"x" * MAX_ROUND_BYTES
    return {
        TopicPartition(BRIEFS.name, number): [Fetched(BRIEFS.name, number, offset, large) for offset in range(2)]
        for number in partitions
    }


def test_rounds_are_bounded_and_bring_all_that_was_fetched() -> None:
    rounds = list(runner_of(0, 1)._rounds(fetched(0, 1)))
    assert [[(m.partition, m.offset) for task in each for m in task.messages] for each in rounds] == [
        [(0, 0)], [(0, 1)], [(1, 0)], [(1, 1)],
    ]  # fmt: skip


def test_what_was_fetched_of_partitions_lost_in_the_round_before_is_left_to_their_new_owner() -> None:
    """A worker that slept through its session learns in a round that others have its partitions, and forgets all."""
    runner = runner_of(0, 1)
    rounds = runner._rounds(fetched(0, 1))
    assert next(rounds)
    runner._states.clear()
    runner._owned = set()
    assert list(rounds) == []


def test_rounds_are_further_apart_for_a_worker_without_rest() -> None:
    runner = runner_of(0)
    runner._worked_at_s = time.monotonic() - 1000
    runner._cpu_at_s = time.process_time() - 1000
    assert runner._gather_s() == GATHER_BEHIND_S
    runner._cpu_at_s = time.process_time() - 500
    assert runner._gather_s() == GATHER_S


def test_what_was_put_off_is_looked_at_once_no_messages_come() -> None:
    runner = runner_of(0)
    state = runner._states[0]
    far_ms = 4_000_000_000_000
    state.apply(Work(due={"rita": far_ms, "rob": far_ms}, put_off={"rita"}))
    runner._worked_at_s = time.monotonic() - QUIET_S / 2
    assert list(runner._rounds({})) == []  # the stage before this one may be at work yet
    runner._worked_at_s = time.monotonic() - QUIET_S - 1
    assert [task.due for (task,) in runner._rounds({})] == [["rita"]]
    assert all(task.due == [] for each in runner._rounds(fetched(0)) for task in each)
    state.apply(Work(due={"rita": None}))
    assert list(runner._rounds({})) == []


def test_however_many_keys_are_due_a_round_has_a_bounded_number_and_the_next_ones_have_the_rest() -> None:
    """All accounts are due at once where a worker takes them over, and it must not forget its heartbeats over them."""
    runner = runner_of(0)
    state = runner._states[0]
    keys = {f"rep-{number}" for number in range(2 * MAX_DUE + 50)}
    state.apply(Work(due=dict.fromkeys(keys, 1)))
    state.apply(Work(due=dict.fromkeys(("late-1", "late-2"), 4_000_000_000_000), put_off={"late-1", "late-2"}))
    runner._worked_at_s = time.monotonic() - QUIET_S - 1
    rounds, hurries = [], []
    while tasks := [task for each in runner._rounds({}) for task in each]:
        rounds.append([key for task in tasks for key in task.due])
        state.apply(Work(due=dict.fromkeys(rounds[-1])))
        hurries.append(runner._gather_s() == 0)
    assert [len(each) for each in rounds] == [MAX_DUE, MAX_DUE, 52]
    assert hurries == [True, True, False]  # what is left does not wait for messages
    assert {key for each in rounds for key in each} == keys | {"late-1", "late-2"}
