"""The sink says whether ClickHouse answers, and keeps its place in the topics while it does not."""

import threading
from collections.abc import Sequence

import httpx

from schemas.errors import UnavailableError
from sinks.clickhouse.health import Health, served
from sinks.consumer import Pace, Partition, Patience, Positions, Record, run_consumer
from tests.sinks.topics_on_broker import committed, make_topics, produce
from tests.support.ports import free_port

HOST = "127.0.0.1"


def test_health_and_metrics_say_that_clickhouse_is_away_and_since_when() -> None:
    health, port = Health(), free_port()
    with served(health, HOST, port):
        url = f"http://{HOST}:{port}"
        assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
        health.went_away("no answer", 1000)
        health.went_away("still none", 2000)
        answer = httpx.get(f"{url}/healthz")
        assert (answer.status_code, answer.json()["since_ms"], answer.json()["reason"]) == (503, 1000, "still none")
        assert "readbrief_clickhouse_away 1.0" in httpx.get(f"{url}/metrics").text
        health.came_back()
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert "readbrief_clickhouse_away 0.0" in httpx.get(f"{url}/metrics").text
        assert httpx.get(f"{url}/other").status_code == 404


def test_what_can_not_be_handled_is_tried_again_with_longer_pauses_and_committed_then(embedded_broker: str) -> None:
    topic = "held-while-away"
    make_topics(embedded_broker, {topic: 1})
    produce(embedded_broker, topic, [(0, None, b"one"), (0, None, b"two")])
    stop, back = threading.Event(), threading.Event()
    pauses: list[float] = []
    seen: list[list[bytes | None]] = []

    def handle(records: Sequence[Record], _: Positions) -> dict[Partition, int]:
        if back.is_set():
            stop.set()
        if records:
            seen.append([record.value for record in records])
            if len(seen) < 4:
                assert not committed(embedded_broker, "g-away", topic)
                raise UnavailableError("away")
        return {}

    patience = Patience(lambda _, pause_s: pauses.append(pause_s), back.set, first_pause_s=0.05, longest_pause_s=0.1)
    run_consumer(embedded_broker, "g-away", [topic], handle, stop, pace=Pace(linger_s=0.1), patience=patience)
    assert seen == [[b"one", b"two"]] * 4
    assert pauses == [0.05, 0.1, 0.1]
    assert committed(embedded_broker, "g-away", topic) == 2
