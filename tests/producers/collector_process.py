"""A collector as it runs in production: a process of its own, driven over HTTP and ended by SIGTERM."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from schemas.settings import Settings, Site
from tests.support.ports import free_port
from tests.support.processes import Running, running

SECRET = "0123456789abcdef"
SITES = {
    "www": Site(origins=("https://www.example.com",)),
    "shop": Site(origins=("https://shop.example.com",)),
}
_MAIN = "from producers.collector.process import run; from schemas.settings import load_settings; run(load_settings())"


@dataclass
class RunningCollector:
    url: str
    settings: Settings
    running: Running


@contextmanager
def collector(
    bootstrap: str,
    output: Path,
    *,
    linger_ms: int = 20,
    sites: Mapping[str, Site] = SITES,
    more: Mapping[str, str] | None = None,
) -> Iterator[RunningCollector]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "READBRIEF_KAFKA_BOOTSTRAP": bootstrap,
        "READBRIEF_COLLECTOR_PORT": str(port),
        "READBRIEF_COLLECTOR_URL": url,
        "READBRIEF_COLLECTOR_LINGER_MS": str(linger_ms),
        "READBRIEF_SECRET": SECRET,
        "READBRIEF_SITES": json.dumps({name: site.model_dump() for name, site in sites.items()}),
        **(more or {}),
    }
    settings = Settings(secret=SECRET, sites=dict(sites), collector_url=url, kafka_bootstrap=bootstrap)
    with running(
        [sys.executable, "-c", _MAIN],
        output,
        ready=lambda: httpx.get(f"{url}/healthz").raise_for_status(),
        environment=environment,
    ) as process:
        yield RunningCollector(url, settings, process)


def post(url: str, data: bytes, headers: Mapping[str, str] | None = None) -> httpx.Response:
    every = {"content-type": "text/plain", **(headers or {})}
    return httpx.post(f"{url}/v1/events", content=data, headers=every, timeout=20)  # longer than Kafka is waited for
