import concurrent.futures
import gzip
import time
import uuid

import httpx
import pytest
from kafka.partitioner.default import murmur2

from producers.bundling import MAX_BYTES, MAX_ENVELOPES
from producers.links import landing_token
from schemas.envelope import Bundle, Envelope
from schemas.events import Identify, PageProgress
from tests.producers.collector_process import RunningCollector, post
from tests.producers.kafka_topics import PARTITIONS, TopicReader
from tests.producers.reports import SENT, body, identify, progress, report
from tests.support.browser import PERSON

ORIGIN = "https://www.example.com"


def envelopes_in(
    reader: TopicReader, *visitors: str, count: int = 1, timeout_s: float = 15
) -> list[tuple[int, bytes | None, Envelope]]:
    """Give partition, key and envelope of these visitors' events: so many, or what came in time."""
    found: list[tuple[int, bytes | None, Envelope]] = []
    wanted = set(visitors)
    deadline = time.monotonic() + timeout_s
    while len(found) < count and time.monotonic() < deadline:
        found = [
            (partition, key, envelope)
            for partition, key, value in reader.read_for(0.2)
            for envelope in Bundle.from_bytes(value or b"").envelopes
            if envelope.visitor_id in wanted
        ]
    return found


def new_visitor() -> str:
    return f"v-{uuid.uuid4()}"


@pytest.mark.parametrize("content_type", ["text/plain", "text/plain;charset=UTF-8", "application/json"])
def test_what_is_answered_204_can_be_read_from_kafka(
    running_collector: RunningCollector, events: TopicReader, content_type: str
) -> None:
    visitor = new_visitor()
    before_ms = time.time_ns() // 1_000_000
    data = body(report(progress("e1", title="Prices für alle €"), progress("e2"), visitor_id=visitor))
    answer = post(running_collector.url, data, {"content-type": content_type, "origin": ORIGIN})
    after_ms = time.time_ns() // 1_000_000
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    found = envelopes_in(events, visitor, count=2)
    assert [envelope.event.event_id for _, _, envelope in found] == ["e1", "e2"]
    for partition, key, envelope in found:
        assert key == str(partition).encode()
        assert envelope.sent_ms == SENT
        assert before_ms <= envelope.received_ms <= after_ms
        assert envelope.occurred_ms == envelope.received_ms - 1000
    event = found[0][2].event
    assert isinstance(event, PageProgress)
    assert event.title == "Prices für alle €"


def test_a_compressed_report_is_taken_and_markup_in_it_stays_a_text(
    running_collector: RunningCollector, events: TopicReader
) -> None:
    visitor = new_visitor()
    title = "<script>alert(1)</script>\r\nSet-Cookie: x\x00"
    data = gzip.compress(body(report(progress("e1", title=title), visitor_id=visitor)))
    assert post(running_collector.url, data, {"content-encoding": "gzip"}).status_code == 204
    ((_, _, envelope),) = envelopes_in(events, visitor)
    assert isinstance(envelope.event, PageProgress)
    assert envelope.event.title == title


def test_of_a_client_its_network_is_kept_and_whether_it_is_a_machine(
    running_collector: RunningCollector, events: TopicReader
) -> None:
    person, machine = new_visitor(), new_visitor()
    for visitor, agent in ((person, PERSON), (machine, "Googlebot/2.1")):
        said = {"x-forwarded-for": "203.0.113.77", "user-agent": agent}
        assert post(running_collector.url, body(report(visitor_id=visitor)), said).status_code == 204
    found = {each.visitor_id: each for _, _, each in envelopes_in(events, person, machine, count=2)}
    assert {each.client_network for each in found.values()} == {"203.0.113.0/24"}
    assert (found[person].automated, found[machine].automated) == (False, True)
    assert not any(b"203.0.113.77" in (value or b"") for _, _, value in events.read)


def test_a_visitor_always_goes_to_the_partition_that_its_key_would(
    running_collector: RunningCollector, events: TopicReader
) -> None:
    assert events.partition_count == PARTITIONS
    visitors = [new_visitor() for _ in range(12)]
    for visitor in visitors * 2:
        assert post(running_collector.url, body(report(visitor_id=visitor))).status_code == 204
    for visitor in visitors:
        expected = (murmur2(visitor.encode()) & 0x7FFFFFFF) % PARTITIONS
        found = envelopes_in(events, visitor, count=2)
        assert [partition for partition, _, _ in found] == [expected, expected]


def test_a_landing_token_arrives_as_a_contact(running_collector: RunningCollector, events: TopicReader) -> None:
    now_ms = time.time_ns() // 1_000_000
    visitor = new_visitor()
    token = landing_token(running_collector.settings, "www", "c-77", "spring", now_ms=now_ms)
    assert post(running_collector.url, body(report(identify(token), visitor_id=visitor))).status_code == 204
    ((_, _, envelope),) = envelopes_in(events, visitor)
    assert isinstance(envelope.event, Identify)
    assert envelope.event.contact_id == "c-77"


def test_many_at_once_are_bundled_and_none_is_lost(running_collector: RunningCollector, events: TopicReader) -> None:
    run = uuid.uuid4().hex
    ids = [f"{run}-{number}" for number in range(300)]
    with httpx.Client(base_url=running_collector.url) as client, concurrent.futures.ThreadPoolExecutor(30) as pool:
        answers = pool.map(
            lambda each: (
                client.post(
                    "/v1/events", content=body(report(visitor_id=each)), headers={"content-type": "text/plain"}
                ).status_code
            ),
            ids,
        )
        assert set(answers) == {204}
    arrived = [envelope.visitor_id for _, _, envelope in envelopes_in(events, *ids, count=len(ids))]
    assert sorted(arrived) == sorted(ids)
    assert sum(run.encode() in (value or b"") for _, _, value in events.read) < len(ids)


def test_the_largest_report_fits_a_bundle(running_collector: RunningCollector, events: TopicReader) -> None:
    visitor = new_visitor()
    wide = [progress(f"e{number}", title="x" * 360) for number in range(100)]
    data = body(report(*wide, visitor_id=visitor))
    assert 60_000 < len(data) <= 65_536
    assert post(running_collector.url, data).status_code == 204
    assert len(envelopes_in(events, visitor, count=100)) == 100
    assert all(len(value or b"") <= MAX_BYTES + 100 for _, _, value in events.read)
    assert all(len(Bundle.from_bytes(value or b"").envelopes) <= MAX_ENVELOPES for _, _, value in events.read)


def test_a_sites_own_page_may_ask_first_and_a_strangers_may_not(running_collector: RunningCollector) -> None:
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    answer = httpx.options(f"{running_collector.url}/v1/events", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["vary"] == "Origin"
    refused = httpx.options(f"{running_collector.url}/v1/events", headers={**asked, "origin": "https://evil.example"})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


def test_a_refusal_can_be_read_by_the_page_that_caused_it(running_collector: RunningCollector) -> None:
    answer = post(running_collector.url, b"{}", {"origin": ORIGIN})
    assert answer.status_code == 400
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    "path", ["/v1/events", "/l/x", "/rb.js", "/healthz", "/readyz", "/nowhere", "/l/%00", "/l/a/b"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_every_answer_is_safe_and_none_is_a_fault(running_collector: RunningCollector, path: str, method: str) -> None:
    answer = httpx.request(method, running_collector.url + path)
    assert answer.status_code < 500
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


def test_the_snippet_is_served_once_and_then_only_confirmed(running_collector: RunningCollector) -> None:
    first = httpx.get(f"{running_collector.url}/rb.js", headers={"accept-encoding": "identity"})
    assert first.status_code == 200
    assert first.content
    assert first.headers["content-type"].startswith("text/javascript")
    assert "max-age=3600" in first.headers["cache-control"]
    tag = first.headers["etag"]
    same = {"accept-encoding": "identity", "if-none-match": tag}
    again = httpx.get(f"{running_collector.url}/rb.js", headers=same)
    assert (again.status_code, again.content) == (304, b"")
    other = httpx.get(f"{running_collector.url}/rb.js", headers={"if-none-match": '"other"'})
    assert other.status_code == 200
