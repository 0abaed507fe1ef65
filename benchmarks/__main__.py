"""`python -m benchmarks NAME`: runs one benchmark, or all of them."""

import importlib
import sys

BENCHMARKS = {
    "collector": "benchmarks.collector",
}


def main(name: str) -> int:
    """Run the benchmark of a name, or `all`; returns 1 if any missed a target."""
    if name != "all" and name not in BENCHMARKS:
        return 2
    names = list(BENCHMARKS) if name == "all" else [name]
    results = [importlib.import_module(BENCHMARKS[each]).main() for each in names]
    return int(max(results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
