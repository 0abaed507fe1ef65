"""Email: a sender's batch of 1,000 events, accepted durably, and the verdicts on the corpus of opens and clicks.

The batch is SendGrid's, signed, on Apache Kafka; the answer comes when all of it is acknowledged.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx

from benchmarks.reports import ORIGIN, SITE
from readbrief.broker_topics import create_topics
from schemas.emails import MailKind, Verdict
from schemas.settings import Settings
from streams.email_verdicts import judge
from tests.producers.sender_samples import CHROME, SENDGRID_KEY, sendgrid_body, sendgrid_event, sendgrid_headers
from tests.streams.email_cases import mailing
from tests.streams.email_corpus import CORPUS
from tests.support.kafka_server import KafkaServer
from tests.support.ports import free_port
from tests.support.processes import running

EVENTS = 1_000
ROUNDS = 7
TARGET_S = 1.0

_SECRET = "a secret for benchmarks"  # noqa: S105 - it guards nothing
_LETTERS = {Verdict.human: "H", Verdict.machine: "M", Verdict.unconfirmed: "U"}


def run() -> bool:
    """Measure everything; returns whether every target was met."""
    verdicts = _verdicts()
    with tempfile.TemporaryDirectory(prefix="readbrief-bench-") as made:
        directory = Path(made)
        kafka = KafkaServer(directory / "kafka")
        kafka.start()
        try:
            create_topics(Settings(kafka_bootstrap=kafka.bootstrap, secret=_SECRET))
            return _batches(kafka.bootstrap, directory) and verdicts
        finally:
            kafka.stop()


def _batches(bootstrap: str, directory: Path) -> bool:
    port = free_port()
    environment = {
        "READBRIEF_KAFKA_BOOTSTRAP": bootstrap,
        "READBRIEF_SECRET": _SECRET,
        "READBRIEF_SITES": json.dumps({SITE: {"origins": [ORIGIN]}}),
        "READBRIEF_SENDGRID_PUBLIC_KEY": SENDGRID_KEY,
        "READBRIEF_COLLECTOR_PORT": str(port),
    }
    with (
        running(
            [sys.executable, "-m", "readbrief", "run", "collector"],
            directory / "collector.log",
            ready=lambda: httpx.get(f"http://127.0.0.1:{port}/readyz").raise_for_status(),
            environment=environment,
        ),
        httpx.Client(timeout=30) as client,
    ):
        times = [_batch_s(client, port, number) for number in range(ROUNDS)]
    middle, worst = sorted(times)[ROUNDS // 2], max(times)
    return _line(f"batch of {EVENTS} events durable, s (worst of {ROUNDS})", worst, TARGET_S, f"median {middle:.3f}")


def _batch_s(client: httpx.Client, port: int, number: int) -> float:
    now_s = int(time.time())
    kinds = ("delivered", "open", "click", "bounce")
    body = sendgrid_body(
        *(
            sendgrid_event(
                kinds[each % len(kinds)],
                number * EVENTS + each,
                now_s=now_s,
                email=f"reader-{each}@company-{each % 97}.example",
                url=f"{ORIGIN}/pricing",
                useragent=CHROME,
                ip="203.0.113.9",
            )
            for each in range(EVENTS)
        )
    )
    headers = sendgrid_headers(body, now_s)
    begun = time.perf_counter()
    answer = client.post(f"http://127.0.0.1:{port}/v1/senders/sendgrid/{SITE}", content=body, headers=headers)
    took = time.perf_counter() - begun
    if answer.status_code != httpx.codes.NO_CONTENT:
        raise SystemExit(f"the batch was not accepted: {answer.status_code} {answer.text}")
    return took


def _verdicts() -> bool:
    found: Counter[tuple[str, str]] = Counter()
    for case in CORPUS:
        judged = judge(mailing(case), case.reads)
        hits = [fact for fact in case.facts if fact.kind in {MailKind.opened, MailKind.clicked}]
        ordered = sorted(hits, key=lambda fact: fact.at_ms)
        found.update(zip(case.verdicts, (_LETTERS[judged[fact.event_id].verdict] for fact in ordered), strict=True))
    wrong = sum(number for (right, given), number in found.items() if right != given)
    false_human = sum(number for (right, given), number in found.items() if given == "H" != right)
    detail = f"{sum(found.values())} verdicts on {len(CORPUS)} sequences"
    return all([_line("wrong verdicts", wrong, 0, detail), _line('false "human"', false_human, 0, detail)])


def _line(what: str, value: float, target: float, detail: str) -> bool:
    met = value <= target
    print(f"{'ok  ' if met else 'MISS'}  {what}: {value:.3f} (target <= {target:.3f})  {detail}", flush=True)
    return met
