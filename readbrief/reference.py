"""The reference tables of the docs, made from the code: `python -m readbrief.reference docs/reference.md`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from producers.metrics import collector_metrics
from readbrief.playbook_watch import FAULTS
from schemas.settings import Settings
from schemas.topics import DAY_MS, TOPICS
from sinks.clickhouse.metrics import sink_metrics
from streams.metrics import TOO_LATE


def reference() -> str:
    """Return the page with the tables of topics and settings, in Markdown."""
    return "\n".join(
        [
            "# Reference",
            "",
            "Made from the code by `python -m readbrief.reference docs/reference.md`; a test checks it.",
            "",
            "## Topics",
            "",
            "Declared in `schemas/topics.py`. Keyed topics have `READBRIEF_KAFKA_PARTITIONS` partitions, others one.",
            "",
            *_topics(),
            "",
            "## Settings",
            "",
            "Environment variables; lists and maps as JSON. A wrong one is named by the process that reads it.",
            "",
            *_settings(),
            "",
            "## Metrics of the collector",
            "",
            "Declared in `producers/metrics.py`; at `/metrics` on `READBRIEF_COLLECTOR_METRICS_PORT`.",
            "",
            *_metrics(),
            "",
            "## Metrics of the ClickHouse sink",
            "",
            "Declared in `sinks/clickhouse/metrics.py`; at `/metrics` on `READBRIEF_CLICKHOUSE_METRICS_PORT`,",
            "which also has `/healthz`.",
            "",
            *_rows(sink_metrics()),
            "",
            "## Metrics of the stream worker",
            "",
            "At `/metrics` on `READBRIEF_STREAMS_METRICS_PORT`.",
            "",
            "| metric | type | meaning |",
            "| --- | --- | --- |",
            *(
                f"| `{each.name}{'_total' * (each.type == 'counter')}` | {each.type} | {each.documentation} |"
                for metric in (FAULTS, TOO_LATE)
                for each in metric.collect()
            ),
            "",
        ]
    )


def _topics() -> list[str]:
    rows = ["| topic | key | value | written by | read by | kept |", "| --- | --- | --- | --- | --- | --- |"]
    for topic in TOPICS:
        days = topic.retention_ms // DAY_MS if topic.retention_ms else 0
        kept = f"{days} day{'s' if days > 1 else ''}" if topic.retention_ms else "compacted"
        rows.append(f"| `{topic.name}` | {topic.key} | `{topic.value}` | {topic.writers} | {topic.readers} | {kept} |")
    return rows


def _settings() -> list[str]:
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        if field.is_required():
            default = "must be set"
        else:
            value = field.get_default(call_default_factory=True)
            default = f"`{value}`" if str(value) and value != {} else "empty"
        rows.append(f"| `READBRIEF_{name.upper()}` | {default} | {field.description} |")
    return rows


def _metrics() -> list[str]:
    return _rows([(each.name, each.type, each.meaning) for each in collector_metrics()])


def _rows(metrics: Sequence[tuple[str, str, str]]) -> list[str]:
    rows = ["| metric | type | meaning |", "| --- | --- | --- |"]
    return rows + [f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in metrics]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
