"""What the stream worker counts, declared in one place."""

from prometheus_client import Counter

TOO_LATE = Counter(
    "readbrief_streams_reads_too_late_total",
    "Reads that came after the account's history had passed them: they are in ClickHouse, and count for nothing",
)
