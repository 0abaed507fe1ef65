"""The production processes over a given broker, and an embedded ClickHouse, as a test wants them."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from readbrief.supervisor import Supervisor
from readbrief.workers import as_environment, worker_children
from schemas.settings import Settings
from tests.support.migrated import make_migrated

START_S = 45


@contextmanager
def running_system(settings: Settings, directory: Path) -> Iterator[Supervisor]:
    """Run collector, streams and sinks, but no pages, until the block ends; all of them are ready when it begins."""
    make_migrated(settings)
    supervisor = Supervisor(lambda _: None)
    children = [child for child in worker_children(settings, directory) if child.name != "web"]
    try:
        supervisor.start(children, time.monotonic() + START_S)
        yield supervisor
        assert not supervisor.dead(), "a process ended during the test"
    finally:
        supervisor.stop()


def readbrief(settings: Settings, *arguments: str) -> str:
    """Run the command with settings as its environment, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "readbrief", *arguments],
        env={"PATH": "/usr/bin:/bin", **as_environment(settings)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, f"readbrief {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()
