"""Run benchmarks by name: `python -m benchmarks [NAME ...]`; all of them without a name."""

import sys
from importlib import import_module

BENCHMARKS = {
    "clickhouse": "benchmarks.clickhouse",
    "collector": "benchmarks.collector",
    "email": "benchmarks.email",
    "reading": "benchmarks.reading",
    "snippet": "benchmarks.snippet",
    "streams": "benchmarks.streams.comparison",
}


def main(names: list[str]) -> int:
    """Run the named benchmarks; returns 0 if all reach their targets, 1 if one does not, 2 if there is no such one."""
    chosen = list(BENCHMARKS) if names in ([], ["all"]) else names
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"no such benchmark: {', '.join(unknown)}; there are: all, {', '.join(BENCHMARKS)}\n")
        return 2
    reached = [bool(import_module(BENCHMARKS[name]).run()) for name in chosen]
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
