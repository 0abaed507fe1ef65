"""Fixtures of the whole suite."""

from hypothesis import settings

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
