"""The whole system on one machine: embedded broker and ClickHouse, and the production processes over them."""

import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from producers.publisher import Publisher
from readbrief.broker_topics import create_topics
from readbrief.child import Child
from readbrief.embedded import broker, clickhouse
from readbrief.embedded.draining import wait_until_stored
from readbrief.embedded.lifetime import require_free_port
from readbrief.embedded.ports import HOST, free_port, listens
from readbrief.replay import replay
from readbrief.supervisor import Supervisor
from readbrief.workers import as_environment, worker_children
from schemas.errors import InputError
from schemas.settings import Settings, load_settings
from sinks.clickhouse.migrate import migrate

START_TIMEOUT_S = 30
WORKERS_START_S = 40  # what remains for them if replaying much history took long
DRAIN_S = 5
WATCH_PERIOD_S = 0.25
SETTINGS_FILE = "settings.json"
MAX_PORT = 65_535


class EmbeddedStack:
    """Everything that `readbrief up` runs; what it keeps is in one directory.

    The embedded broker forgets all when it stops. So it restarts together with whatever holds its state, and what the
    streams know is replayed from ClickHouse.
    """

    def __init__(self, data: Path, say: Callable[[str], None], **overrides: Any) -> None:
        """Lock a data directory and choose the ports.

        Raises:
            InputError: the directory is in use, or a setting is wrong.
        """
        self._say = say
        self._data = data
        data.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(data)
        (data / "logs").mkdir(exist_ok=True)
        self.settings = _settings(data, overrides)
        self._supervisor = Supervisor(say)
        broker_port = int(self.settings.kafka_bootstrap.rpartition(":")[2])
        clickhouse_port = self.settings.clickhouse_port
        self._clickhouse = self._server(
            "ClickHouse", clickhouse.command(clickhouse_port, data / "clickhouse"), clickhouse_port
        )
        self._broker = self._server("broker", broker.command(broker_port), broker_port)
        self._workers = worker_children(self.settings, data / "logs")

    def start(self) -> None:
        """Start everything, and return once all of it is ready.

        Raises:
            EmbeddedServerError: another program has the collector's port.
            ReadbriefError: something did not start; the message names it and ends with its log.
        """
        deadline_s = time.monotonic() + START_TIMEOUT_S
        try:
            require_free_port(self.settings.collector_port)  # said before seconds of starting, and not out of a log
            self._say("starting ClickHouse and the broker")
            self._supervisor.start([self._clickhouse, self._broker], deadline_s)
            migrate(self.settings)
            self._start_over_broker(deadline_s)
        except BaseException:
            self.stop()
            raise
        _write_private(self._data / SETTINGS_FILE, json.dumps(as_environment(self.settings), indent=1))

    def watch(self, stop: threading.Event) -> None:
        """Restart what dies until told to stop.

        Raises:
            ReadbriefError: something dies again and again; everything has been stopped by then.
        """
        try:
            while not stop.wait(WATCH_PERIOD_S):
                self.mend()
        except BaseException:
            self.stop()
            raise

    def mend(self) -> None:
        """Start again whatever has ended.

        The collector, delivery and the ClickHouse sink stand alone; the broker and the stream worker, whose state the
        broker holds, restart with everything that is tied to the broker.
        """
        dead = self._supervisor.dead()
        deadline_s = time.monotonic() + START_TIMEOUT_S
        if any(child is self._broker or child.name == "streams" for child in dead):
            self._stop_what_holds_the_brokers_state()
            self._supervisor.start([self._broker, *(child for child in dead if child is self._clickhouse)], deadline_s)
            self._start_over_broker(deadline_s)
        elif dead:
            self._supervisor.start(dead, deadline_s)

    def stop(self) -> None:
        """Stop everything, once ClickHouse has what was accepted, and let go of the data directory."""
        self._stop_what_holds_the_brokers_state()
        self._supervisor.stop()
        (self._data / SETTINGS_FILE).unlink(missing_ok=True)
        self._lock.close()

    def _stop_what_holds_the_brokers_state(self) -> None:
        """Stop the collector first, the broker last, and in between wait until ClickHouse has stored everything."""
        collector, *others = self._workers
        self._supervisor.stop([collector])
        needed = (self._clickhouse, self._broker, *others)
        stores = all(child.is_running() for child in needed)
        if stores and not wait_until_stored(self.settings.kafka_bootstrap, DRAIN_S):
            self._say(f"ClickHouse has not stored everything within {DRAIN_S} s: the last events may be lost")
        self._supervisor.stop([*others, self._broker])

    def processes(self) -> dict[str, int]:
        """Return the process ids by name."""
        children = [self._clickhouse, self._broker, *self._workers]
        return {child.name: child.pid for child in children if child.pid is not None}

    def _start_over_broker(self, deadline_s: float) -> None:
        create_topics(self.settings)
        publisher = Publisher(self.settings.kafka_bootstrap, delivery_timeout_s=START_TIMEOUT_S)
        try:
            replay(self.settings, publisher, self._say)
        finally:
            publisher.close()
        self._say("starting collector, streams and sinks")
        self._supervisor.start(self._workers, max(deadline_s, time.monotonic() + WORKERS_START_S))

    def _server(self, name: str, command: list[str], port: int) -> Child:
        return Child(name, command, self._data / "logs" / f"{name.lower()}.log", {}, lambda: listens(port))


def stack_environment(data: Path) -> dict[str, str]:
    """Return the environment of the stack that runs on a data directory, for commands that talk to it.

    Raises:
        InputError: none runs there.
    """
    try:
        found: dict[str, str] = json.loads((data / SETTINGS_FILE).read_text())
    except OSError as error:
        raise InputError(f"{data}: no stack is running on this directory; start it with `readbrief up`") from error
    return found


def _settings(data: Path, overrides: dict[str, Any]) -> Settings:
    defaults = {
        "kafka_bootstrap": f"{HOST}:{free_port()}",
        "kafka_partitions": 4,
        "kafka_session_timeout_s": 10,
        "kafka_rebalance_timeout_s": 3,
        "kafka_fetch_wait_ms": 100,  # the broker looks for news only so often, the more seldom the longer it may wait
        "clickhouse_host": HOST,
        "clickhouse_port": free_port(),
        "secret": _secret(data / "secret"),
        "spool_dir": data / "spool",
    }
    return with_web(load_settings(**{**defaults, **overrides}))


def with_web(settings: Settings) -> Settings:
    """Return the settings with a port for the pages: the one after the collector's, or another one that is free."""
    if "READBRIEF_WEB_PORT" in os.environ:
        return settings
    near = settings.collector_port + 1
    port = near if settings.collector_port and near < MAX_PORT and not listens(near) else free_port()
    there = {} if "READBRIEF_WEB_URL" in os.environ else {"web_url": f"http://{HOST}:{port}"}
    return settings.model_copy(update={"web_port": port, **there})


def _secret(path: Path) -> str:
    """Return the signing secret of a data directory; it outlives restarts, so links in sent mails stay good."""
    if not path.exists():
        _write_private(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _lock(data: Path) -> IO[str]:
    file = (data / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise InputError(
            f"{data}: another readbrief is running on this directory; stop it, or choose another"
        ) from error
    return file
