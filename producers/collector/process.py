"""The collector as a process: serves until SIGTERM, alone or as the parent of several workers on one port.

The workers share the parent's listening socket, so none of them loses what another has been sent when it dies.
"""

import logging
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import structlog

from producers.collector.listening import listen
from producers.collector.workers import run_workers
from schemas.settings import Settings

_log = structlog.get_logger()

_WORKERS_LEAVE_S = 3.0


def run(settings: Settings, overlay: Callable[[str], bytes] | None = None) -> None:
    """Serve until the process is told to end; returns once everything accepted is kept for good.

    Kafka may be away, at the start too: with a spool reports are accepted all the same, without one they are
    answered 503 until it is back. `overlay` tells, by a signed token, what is drawn over a
    page; without it there is none.

    Raises:
        InputError: an address can't be listened on, or the spool's directory can't be used.
        ReadbriefError: workers die again and again.
    """
    for client in ("kafka", "aiokafka"):
        logging.getLogger(client).setLevel(logging.CRITICAL)  # the publisher says what matters, in one line
    several = settings.collector_workers > 1
    listeners = _listeners(settings, _WORKERS_LEAVE_S if several else 0)
    try:
        port = listeners[0].getsockname()[1]
        _log.info("collector_starts", host=settings.collector_host, port=port, workers=settings.collector_workers)
        if several:
            with tempfile.TemporaryDirectory(prefix="readbrief-metrics-") as metrics:
                # Read when prometheus-client is first imported, which is after the fork.
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
                run_workers(
                    settings.collector_workers,
                    lambda parent_gone: _serve(settings, listeners, parent_gone, overlay),
                    lambda pid: _forget_worker(Path(metrics), pid),
                )
        else:
            _serve(settings, listeners, None, overlay)
    finally:
        for listener in listeners:
            listener.close()
    _log.info("collector_stopped")


def _serve(
    settings: Settings,
    listeners: list[socket.socket],
    parent_gone: int | None,
    overlay: Callable[[str], bytes] | None,
) -> None:
    from producers.collector.worker import serve

    serve(settings, listeners, parent_gone, overlay)


def _listeners(settings: Settings, patience_s: float) -> list[socket.socket]:
    first = listen(settings.collector_host, settings.collector_port, "READBRIEF_COLLECTOR_HOST and _PORT", patience_s)
    if not settings.collector_metrics_port:
        return [first]
    try:
        second = listen(
            settings.collector_metrics_host,
            settings.collector_metrics_port,
            "READBRIEF_COLLECTOR_METRICS_HOST and _PORT",
            patience_s,
        )
    except BaseException:
        first.close()
        raise
    return [first, second]


def _forget_worker(metrics: Path, pid: int) -> None:
    """Take a dead worker's gauges out of the sum; its counters stay."""
    for file in metrics.glob(f"gauge_live*_{pid}.db"):
        file.unlink(missing_ok=True)
