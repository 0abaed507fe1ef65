"""What this process has counted so far."""

from producers.collector.reports import PATH
from producers.metrics import REQUESTS


def answered(status: int) -> float:
    return float(REQUESTS.labels(PATH, str(status))._value.get())
