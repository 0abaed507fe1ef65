"""Fixtures of the whole suite."""

from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

pytest_plugins = [
    "tests.support.brokers",
    "tests.support.clickhouse",
    "tests.support.fresh_brokers",
    "tests.support.browser",
]
