"""How the sink is: for an orchestrator at /healthz, for Prometheus at /metrics."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from sinks.clickhouse import metrics


@dataclass
class Health:
    """Whether ClickHouse answers, and if not why not, and since when in Unix milliseconds."""

    away_since_ms: int | None = None
    reason: str = ""

    def went_away(self, reason: str, now_ms: int) -> None:
        """Note that ClickHouse does not answer; the first time counts."""
        if self.away_since_ms is None:
            self.away_since_ms = now_ms
        self.reason = reason
        metrics.AWAY.set(1)
        metrics.WAITS.inc()

    def came_back(self) -> None:
        """Note that ClickHouse answers again."""
        self.away_since_ms, self.reason = None, ""
        metrics.AWAY.set(0)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        if self.away_since_ms is None:
            return {"status": "ok"}
        return {"status": "clickhouse_away", "since_ms": self.away_since_ms, "reason": self.reason}


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the log is for what the sink does."""


class _Server(WSGIServer):
    daemon_threads = True


@contextmanager
def served(health: Health, host: str, port: int) -> Iterator[None]:
    """Serve /healthz and /metrics while the block runs; nothing if the port is 0.

    Raises:
        OSError: the port can't be listened on.
    """
    if not port:
        yield
        return
    with make_server(host, port, _application(health), _Server, _QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="health", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _application(health: Health) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    prometheus = make_wsgi_app()

    def answer(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        match environment["PATH_INFO"]:
            case "/metrics":
                metrics_page: Iterable[bytes] = prometheus(environment, start_response)
                return metrics_page
            case "/healthz":
                said = health.as_json()
                status = "200 OK" if said["status"] == "ok" else "503 Service Unavailable"
                start_response(status, [("Content-Type", "application/json")])
                return [json.dumps(said).encode()]
            case _:
                start_response("404 Not Found", [("Content-Type", "text/plain")])
                return [b"there are /healthz and /metrics\n"]

    return answer
