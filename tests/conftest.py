"""Fixtures of the whole suite."""

pytest_plugins = [
    "tests.support.brokers",
    "tests.support.clickhouse",
    "tests.support.fresh_brokers",
    "tests.support.browser",
    "tests.support.figures",
]
