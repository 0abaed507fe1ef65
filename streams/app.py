"""The stream worker: Faust's worker with one service per stage. Nothing else in this wing imports Faust."""

import asyncio
import gc
import sys
from collections.abc import Callable
from typing import NamedTuple

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
PLAYBOOK_EVERY_S = 1.0

Renewed = Callable[[], Playbook | None]
"""Returns the playbook if it is another than before, and good."""

log = structlog.get_logger()


class Stages(NamedTuple):
    """The three stages of a worker."""

    visitors: VisitorStage
    accounts: AccountStage
    reps: RepStage

    def use(self, playbook: Playbook) -> None:
        """Decide by another playbook from the next batch on; only between batches, which a batch's own loop sees to."""
        self.accounts.use(playbook)
        self.reps.use(playbook)

    def runners(self, settings: Settings) -> tuple[StageRunner, ...]:
        """Return what runs them on Kafka, not yet connected."""
        return (
            StageRunner(DeadLetterStage.visitors, self.visitors, StageTopics(EVENTS, VISITOR_STATE), settings),
            StageRunner(DeadLetterStage.accounts, self.accounts, StageTopics(ACTIVITY, ACCOUNT_STATE), settings),
            StageRunner(DeadLetterStage.reps, self.reps, StageTopics(BRIEFS, REP_STATE, (OUTCOMES,)), settings),
        )


def stages_of(settings: Settings, playbook: Playbook, directory: Directory) -> Stages:
    """Return the three stages over one directory and playbook."""
    return Stages(
        VisitorStage(directory),
        AccountStage(directory, playbook, settings.history_days),
        RepStage(directory, playbook),
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


class _PlaybookRenewal(Service):  # type: ignore[misc]
    """Looks for a new playbook, and has the stages use it. It shares their loop, so no batch sees two."""

    def __init__(self, stages: Stages, renewed: Renewed) -> None:
        super().__init__()
        self._stages = stages
        self._renewed = renewed

    @Service.task  # type: ignore[untyped-decorator]
    async def _renew(self) -> None:
        while not self.should_stop:
            await self.sleep(PLAYBOOK_EVERY_S)
            playbook = await asyncio.to_thread(self._renewed)
            if playbook is not None:
                self._stages.use(playbook)


def _spare_collections() -> None:
    """Let the garbage collector come seldom: state lives long and has no cycles, and walking it all takes long.

    What there is by now is left out for good, unseen: some hundred of a hundred thousand objects are garbage.
    """
    gc.freeze()
    gc.set_threshold(200_000, 50, 1000)


def run_worker(
    settings: Settings,
    playbook: Playbook,
    directory: Directory,
    on_ready: Callable[[], None] = lambda: None,
    renewed: Renewed = lambda: None,
) -> int:
    """Run one stream worker until SIGTERM or SIGINT; return its exit code.

    `renewed` is asked now and then for a playbook to use from then on.

    Raises:
        ReadbriefError: so many messages in a row failed that the release must be at fault, or Kafka is away.
    """
    if sys.platform != "win32":
        mode.loop.use("uvloop")
    _spare_collections()
    app = _App(APP_ID, store="memory://", autodiscover=False, web_enabled=False)
    stages = stages_of(settings, playbook, directory)
    runners = stages.runners(settings)
    for service in (*runners, _Announcement(runners, on_ready), _PlaybookRenewal(stages, renewed)):
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
