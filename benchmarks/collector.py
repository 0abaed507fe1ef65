"""The collector on Apache Kafka: how much of the bare server's rate is left when every answer means "kept for good".

All figures are ratios, or times at half of the rate found, so that they hold on any machine.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil

from benchmarks.reports import ORIGIN, SITE
from producers.collector.rates import MAX_KEYS
from readbrief.broker_topics import create_topics
from schemas.settings import Settings
from tests.support.kafka_server import KafkaServer
from tests.support.ports import free_port
from tests.support.processes import PROJECT, Running, running

CONNECTIONS = 512  # so many that waiting for Kafka does not bound the rate
ROUNDS = 5
SECONDS = 4.0
MEMORY_EVENTS = 1_000_000
FEW, MANY = 1_000, 1_000_000

_SECRET = "a secret for benchmarks"  # noqa: S105 - it guards nothing


def run() -> bool:
    """Measure everything; returns whether every target was met."""
    with tempfile.TemporaryDirectory(prefix="readbrief-bench-") as made:
        directory = Path(made)
        kafka = KafkaServer(directory / "kafka")
        kafka.start()
        try:
            create_topics(Settings(kafka_bootstrap=kafka.bootstrap, secret=_SECRET))
            return _measure(kafka.bootstrap, directory)
        finally:
            kafka.stop()


def _measure(bootstrap: str, directory: Path) -> bool:
    environment = {
        "READBRIEF_KAFKA_BOOTSTRAP": bootstrap,
        "READBRIEF_SECRET": _SECRET,
        "READBRIEF_SITES": json.dumps({SITE: {"origins": [ORIGIN]}}),
        "READBRIEF_COLLECTOR_CLIENT_PER_S": "1000000",  # all load comes from one address
        "READBRIEF_COLLECTOR_VISITOR_PER_S": "1000000",
        "READBRIEF_SPOOL_DIR": str(directory / "spool"),
    }
    bare_log, log = directory / "empty.log", directory / "collector.log"
    with (
        _serving(["-m", "benchmarks.empty_answer"], bare_log, environment, "healthz") as (bare_port, _),
        _serving(["-m", "readbrief", "run", "collector"], log, environment, "readyz") as (port, process),
    ):
        _load(port)
        # In turns, and each ratio that of its own round, the middle one: what else the machine does hits them alike.
        rounds = [_round(nth, bare_port, port) for nth in range(1, ROUNDS + 1)]
        durable = median(few / bare for bare, few, _ in rounds)
        many_to_few = median(many / few for _, few, many in rounds)
        fastest = max(few for _, few, _ in rounds)
        calm = min((_load(port, per_s=fastest / 2) for _ in range(ROUNDS)), key=lambda load: float(load["p99_ms"]))
        growth = _growth(port, process, fastest)
    met = [
        _line("accepted and durable, of the bare server's rate", durable, ">=", 0.40, f"{fastest:.0f}/s at best"),
        _line("p99 at half of the maximum rate, ms", calm["p99_ms"], "<=", 50, f"p50 {calm['p50_ms']:.1f} ms"),
        _line("rate with 1,000,000 visitors, of that with 1,000", many_to_few, ">=", 0.80, ""),
        _line("memory after a million events, of that before", growth, "<=", 1.10, ""),
    ]
    return all(met)


def _round(nth: int, bare_port: int, port: int) -> tuple[float, float, float]:
    bare, few, many = (load["per_s"] for load in (_load(bare_port), _load(port), _load(port, visitors=MANY)))
    print(f"      round {nth} of {ROUNDS}: {bare:.0f}/s bare, {few:.0f}/s, {many:.0f}/s of many visitors", flush=True)
    return bare, few, many


def _growth(port: int, process: Running, per_s: float) -> float:
    _load(port, seconds=MAX_KEYS * 1.2 / per_s, visitors=MANY)  # what is bounded by number is full before it counts
    before = psutil.Process(process.process.pid).memory_info().rss
    _load(port, seconds=MEMORY_EVENTS / 10 / per_s, visitors=MANY)
    return float(psutil.Process(process.process.pid).memory_info().rss / before)


def _load(port: int, *, seconds: float = SECONDS, visitors: int = FEW, per_s: float = 0) -> dict[str, Any]:
    given = {"port": port, "connections": CONNECTIONS, "seconds": seconds, "visitors": visitors, "per_s": per_s}
    command = [sys.executable, "-m", "benchmarks.http_load", json.dumps(given)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT)  # noqa: S603 - our own
    result: dict[str, Any] = json.loads(done.stdout)
    if set(result["statuses"]) != {"204"}:
        raise SystemExit(f"not everything was accepted: {result['statuses']}")
    return result


@contextmanager
def _serving(
    command: list[str], output: Path, environment: dict[str, str], ready: str
) -> Iterator[tuple[int, Running]]:
    port = free_port()
    arguments = [str(port)] if ready == "healthz" else []
    with running(
        [sys.executable, *command, *arguments],
        output,
        ready=lambda: httpx.get(f"http://127.0.0.1:{port}/{ready}").raise_for_status(),
        environment={**environment, "READBRIEF_COLLECTOR_PORT": str(port)},
    ) as process:
        yield port, process


def _line(what: str, value: float, relation: str, target: float, detail: str) -> bool:
    met = value >= target if relation == ">=" else value <= target
    print(f"{'ok  ' if met else 'MISS'}  {what}: {value:.2f} (target {relation} {target:.2f})  {detail}", flush=True)
    return met
