import asyncio

import httpx
from structlog.testing import capture_logs

from producers.bundling import Bundler
from producers.collector.app import build_app
from producers.collector.dead_letters import DeadLetters
from producers.collector.state import Collector
from schemas.settings import Settings, Site
from tests.producers.counters import answered
from tests.producers.reports import SENT, body, report


def test_a_fault_of_our_own_is_logged_and_answered_500_like_any_answer() -> None:
    def broken(*_: object) -> asyncio.Future[None]:
        raise RuntimeError("a fault of our own")

    settings = Settings(secret="a secret for tests", sites={"www": Site(origins=("https://www.example.com",))})
    app = build_app(
        Collector(settings, Bundler(broken, 0), DeadLetters(broken), broken, lambda: True, lambda: SENT, b"script")
    )

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector") as client:
            return await client.post("/v1/events", content=body(report()), headers={"content-type": "text/plain"})

    before = answered(500)
    with capture_logs() as logs:
        answer = asyncio.run(post())
    assert answer.status_code == 500
    assert answered(500) == before + 1
    assert answer.json() == {"error": {"field": "", "message": "this request could not be served"}}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [(log["event"], log["path"]) for log in logs] == [("request_failed", "/v1/events")]
