"""The job in bytewax: one worker, keyed state in memory; with recovery, snapshots of it in SQLite, as documented.

Batches as bytewax forms them: an account's totals go out once for each.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from benchmarks.streams.job import Job, announce_ready, told

Progress = tuple[str, str, int]  # page view, URL, active milliseconds


class Account(StatefulBatchLogic[Progress, bytes, Any]):  # type: ignore[misc]
    """Joins the reads of one account and keeps its totals."""

    def __init__(self, contents: dict[str, list[str]], resumed: Any) -> None:
        """Go on from a snapshot, or begin."""
        self._contents = contents
        self._reads: dict[str, int]
        self._totals: dict[str, Any]
        self._reads, self._totals = resumed or ({}, {"active_ms": 0, "reads": 0, "topics": {}})

    def on_batch(self, values: list[Progress]) -> tuple[list[bytes], bool]:
        """Join a batch; the totals go out if it changed anything."""
        changed = False
        for page_view_id, url, active_ms in values:
            before = self._reads.get(page_view_id, 0)
            if active_ms <= before:
                continue
            changed = True
            self._reads[page_view_id] = active_ms
            gained = active_ms - before
            self._totals["active_ms"] += gained
            self._totals["reads"] += before == 0
            topics = self._totals["topics"]
            for topic in self._contents.get(url, ()):
                topics[topic] = topics.get(topic, 0) + gained
        return ([orjson.dumps(self._totals)] if changed else []), StatefulBatchLogic.RETAIN

    def snapshot(self) -> Any:
        """Return what recovery keeps."""
        return dict(self._reads), {**self._totals, "topics": dict(self._totals["topics"])}


def build(job: Job) -> Dataflow:
    """Return the dataflow."""
    contacts, contents = job.read_tables()

    def decode(message: Any) -> tuple[str, dict[str, Any]]:
        envelope = orjson.loads(message.value)
        return envelope["visitor_id"], envelope["event"]

    def resolve(account: str | None, event: dict[str, Any]) -> tuple[str | None, list[tuple[str, Progress]]]:
        if event["type"] == "identify":
            return contacts[event["contact_id"]], []
        if account is None or event["type"] != "page_progress":
            return account, []  # no state is kept of who is not known
        return account, [(account, (event["page_view_id"], event["url"], event["active_ms"]))]

    flow = Dataflow("streams")
    source: KafkaSource[Any, Any] = KafkaSource([job.bootstrap], [job.events_topic], tail=True, batch_size=5000)
    decoded = op.map("decode", op.input("events", flow, source), decode)
    resolved = op.stateful_flat_map("visitors", decoded, resolve)
    progress = op.map("by-account", resolved, lambda pair: pair[1])
    totals = op.stateful_batch("accounts", progress, lambda resumed: Account(contents, resumed))
    messages = op.map("message", totals, lambda pair: KafkaSinkMessage(key=pair[0].encode(), value=pair[1]))
    sink = KafkaSink([job.bootstrap], job.totals_topic, {"compression.type": job.compression, "linger.ms": "20"})
    op.output("totals", messages, sink)
    return flow


def run(job: Job, *, recovering: bool) -> None:
    """Run until the process is ended."""
    recovery = None
    if recovering:
        path = Path(job.state_dir)
        path.mkdir(parents=True, exist_ok=True)
        init_db_dir(path, 1)
        recovery = RecoveryConfig(path)
    flow = build(job)
    announce_ready()
    cli_main(flow, epoch_interval=timedelta(seconds=10), recovery_config=recovery)


if __name__ == "__main__":
    run(told(), recovering="--without-recovery" not in sys.argv[2:])
    os._exit(0)
