"""Figures that tests measure: printed at the end of every run, also where tests run side by side."""

from collections.abc import Callable, Iterator

import pytest

_PROPERTY = "figure"


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Have a line of text printed at the end of the run."""
    return lambda text: record_property(_PROPERTY, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    lines = list(_lines(terminalreporter))
    if lines:
        terminalreporter.section("figures")
    for line in lines:
        terminalreporter.line(line)


def _lines(reporter: pytest.TerminalReporter) -> Iterator[str]:
    for outcome in ("passed", "failed"):
        for report in reporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", ()):
                if name == _PROPERTY and report.when == "call":
                    yield f"{value}   ({report.nodeid.rpartition('/')[2]})"
