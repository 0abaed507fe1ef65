"""Every metric of the ClickHouse sink, declared once."""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

PREFIX = "readbrief_clickhouse_"

ROWS = Counter("readbrief_clickhouse_rows_total", "Rows written, by table", ("table",))
DEAD_LETTERS = Counter("readbrief_clickhouse_dead_letters_total", "Records and rows set aside as dead letters")
WRITE_SECONDS = Histogram(
    "readbrief_clickhouse_write_seconds",
    "Time to read a batch of records and to insert its rows",
    buckets=(0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
AWAY = Gauge("readbrief_clickhouse_away", "1 while ClickHouse does not answer, and the sink waits and holds its place")
WAITS = Counter("readbrief_clickhouse_waits_total", "Pauses made because ClickHouse did not take a batch")


def sink_metrics() -> list[tuple[str, str, str]]:
    """Return name, type and meaning of every metric declared here, by name."""
    found = [metric for metric in REGISTRY.collect() if metric.name.startswith(PREFIX)]
    return sorted(
        (f"{each.name}_total" if each.type == "counter" else each.name, each.type, each.documentation) for each in found
    )
