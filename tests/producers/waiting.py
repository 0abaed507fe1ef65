"""Waits for a collector to be ready, or not to be."""

import time

import httpx


def wait_ready(url: str, timeout_s: float = 40, *, ready: bool = True) -> None:
    deadline = time.monotonic() + timeout_s
    while (httpx.get(f"{url}/readyz", timeout=10).status_code == 200) is not ready:
        assert time.monotonic() < deadline, f"/readyz did not become {ready} in time"
        time.sleep(0.1)
