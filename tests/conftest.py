"""Fixtures of the whole suite."""

import gc

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
