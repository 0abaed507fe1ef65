"""Fixtures of the whole suite."""

import gc
from pathlib import Path

import pytest
from hypothesis import settings

# As the command does: what is imported and made for all tests stays, and walking it often takes a tenth of the time.
gc.set_threshold(100_000, 20, 100)

# How long an example takes says more of the machine than of the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

pytest_plugins = [
    "tests.support.brokers",
    "tests.support.clickhouse",
    "tests.support.fresh_brokers",
    "tests.support.browser",
    "tests.support.figures",
    "tests.support.pages",
]

# They take a minute or more each, so they begin first: nobody waits for one of them alone at the end.
LONG = [
    Path(__file__).parent / name
    for name in (
        "streams/test_exactness.py",
        "embedded/test_up.py",
        "producers/test_collector_spool.py",
        "readbrief/test_forget.py",
        "e2e/test_main_job.py",
        "streams/test_directory_while_running.py",
        "sinks/test_clickhouse_process.py",
        "producers/test_tracker_clients.py",
    )
]
assert all(path.exists() for path in LONG)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that take longest; the order within each stays."""
    items.sort(key=lambda item: LONG.index(item.path) if item.path in LONG else len(LONG))
