"""The stream worker: Faust's worker with one service per stage. Nothing else in this wing imports Faust."""

import asyncio
import gc
import sys
from collections.abc import Callable

import faust
import mode.loop
import structlog
from faust.app import BootStrategy
from mode import Service

from schemas.dead_letter import DeadLetterStage
from schemas.directory import Directory
from schemas.playbook import Playbook
from schemas.settings import Settings
from schemas.topics import (
    ACCOUNT_STATE,
    ACTIVITY,
    BRIEFS,
    EVENTS,
    OUTCOMES,
    REP_STATE,
    VISITOR_STATE,
)
from streams.account_stage import AccountStage
from streams.rep_stage import RepStage
from streams.runner import StageRunner, StageTopics
from streams.visitor_stage import VisitorStage

APP_ID = "readbrief-streams"

log = structlog.get_logger()


def stage_runners(settings: Settings, playbook: Playbook, directory: Directory) -> tuple[StageRunner, ...]:
    """Return the three stages of a worker, not yet connected."""
    visitors = VisitorStage(directory)
    accounts = AccountStage(directory, playbook, settings.history_days)
    reps = RepStage(directory, playbook)
    return (
        StageRunner(DeadLetterStage.visitors, visitors, StageTopics(EVENTS, VISITOR_STATE), settings),
        StageRunner(DeadLetterStage.accounts, accounts, StageTopics(ACTIVITY, ACCOUNT_STATE), settings),
        StageRunner(DeadLetterStage.reps, reps, StageTopics(BRIEFS, REP_STATE, (OUTCOMES,)), settings),
    )


class _WithoutAgents(BootStrategy):  # type: ignore[misc]
    """The stages read and write by themselves: Faust's own agents and tables cost too much per message and write."""

    enable_kafka = False


class _App(faust.App):  # type: ignore[misc]
    BootStrategy = _WithoutAgents


class _Announcement(Service):  # type: ignore[misc]
    """Tells once every stage of the worker has its partitions and their state."""

    def __init__(self, runners: tuple[StageRunner, ...], on_ready: Callable[[], None]) -> None:
        super().__init__()
        self._runners = runners
        self._on_ready = on_ready

    @Service.task  # type: ignore[untyped-decorator]
    async def _announce(self) -> None:
        await asyncio.gather(*(runner.at_work.wait() for runner in self._runners))
        log.info("streams_ready")
        self._on_ready()


def _spare_collections() -> None:
    """Let the garbage collector come seldom: state lives long and has no cycles, and walking it all takes long."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def run_worker(
    settings: Settings, playbook: Playbook, directory: Directory, on_ready: Callable[[], None] = lambda: None
) -> int:
    """Run one stream worker until SIGTERM or SIGINT; return its exit code.

    Raises:
        ReadbriefError: so many messages in a row failed that the release must be at fault, or Kafka is away.
    """
    if sys.platform != "win32":
        mode.loop.use("uvloop")
    _spare_collections()
    app = _App(APP_ID, store="memory://", autodiscover=False, web_enabled=False)
    runners = stage_runners(settings, playbook, directory)
    for service in (*runners, _Announcement(runners, on_ready)):
        app.service(service)
    worker = faust.Worker(app, loglevel="WARN", redirect_stdouts=False, quiet=True)
    try:
        worker.execute_from_commandline()
    except SystemExit as stop:
        failure = next((runner.failure for runner in runners if runner.failure), None)
        if failure:
            raise failure from None
        return int(stop.code or 0)
    return 0
