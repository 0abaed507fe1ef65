"""Every metric of the collector, declared once. With several workers, prometheus-client adds them up."""

from functools import cache
from typing import NamedTuple

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

PREFIX = "readbrief_collector_"

REQUESTS = Counter("readbrief_collector_requests_total", "Answers by path and status", ("path", "status"))
ANSWER_SECONDS = Histogram(
    "readbrief_collector_answer_seconds",
    "Time from a report's last header to its answer, the wait for Kafka or the disk included",
    buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
EVENTS_ACCEPTED = Counter("readbrief_collector_events_accepted_total", "Events answered 2xx", ("site",))
EVENTS_AUTOMATED = Counter("readbrief_collector_events_automated_total", "Accepted events marked as a machine's")
REFUSED = Counter("readbrief_collector_refused_total", "Requests refused, by status", ("status",))
DEAD_LETTERS_WITHHELD = Counter(
    "readbrief_collector_dead_letters_withheld_total", "Refused requests counted only, beyond 50 each second"
)
RATE_LIMITED = Counter("readbrief_collector_rate_limited_total", "Requests answered 429, by what was over", ("kind",))
CONNECTIONS_REFUSED = Counter(
    "readbrief_collector_connections_refused_total", "Requests answered 503 because too many were under way"
)
SPOOLED = Counter("readbrief_collector_spooled_total", "Messages put on disk because Kafka did not take them in time")
UNSPOOLED = Counter("readbrief_collector_unspooled_total", "Messages brought from the disk to Kafka")
SPOOL_REFUSED = Counter("readbrief_collector_spool_refused_total", "Messages the spool had no room for")
SPOOL_BYTES = Gauge("readbrief_collector_spool_bytes", "Bytes that wait on disk for Kafka", multiprocess_mode="livesum")
SPOOL_FULL = Gauge("readbrief_collector_spool_full", "1 while the spool has no room", multiprocess_mode="livemax")
KAFKA_AWAY = Gauge("readbrief_collector_kafka_away", "1 while messages go to the spool", multiprocess_mode="livemax")


@cache
def counter_of(counter: Counter, *labels: str) -> Counter:
    """Return a counter's child for labels of which there are few, looked up once."""
    return counter.labels(*labels)


class Declared(NamedTuple):
    """A metric as the reference page tells it."""

    name: str
    type: str
    meaning: str


def collector_metrics() -> list[Declared]:
    """Return every metric declared here, by name."""
    found = [metric for metric in REGISTRY.collect() if metric.name.startswith(PREFIX)]
    return sorted(
        Declared(f"{each.name}_total" if each.type == "counter" else each.name, each.type, each.documentation)
        for each in found
    )
