"""Segment's and Snowplow's paths over HTTP: each answer as their clients expect it, and a dead letter of the rest."""

import base64
import gzip
import json
import time
import uuid
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from producers.segment import CALLS, MAX_CALLS, SHORT
from producers.snowplow import MAX_BYTES
from schemas.dead_letter import DeadLetter
from schemas.topics import EVENTS
from tests.producers.collector_process import RunningCollector, collector
from tests.producers.kafka_topics import TopicReader, reading
from tests.producers.tracker_sites import DOUBTED, TrackedSite, sites
from tests.producers.waiting import wait_ready
from tests.support.ports import free_port

TP2 = "/com.snowplowanalytics.snowplow/tp2"
URL = "https://www.example.com/pricing"
PAYLOAD = b'"schema":"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"'
JSON = {"content-type": "application/json"}
PACKED = {**JSON, "content-encoding": "gzip"}
BOMB, OTHER_BOMB = (gzip.compress(byte * 100_000_000, 9) for byte in (b" ", b"\n"))
FORGED = {**JSON, "origin": "https://evil.example"}


@pytest.fixture(scope="module")
def site(topics: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackedSite]:
    port = free_port()
    output = tmp_path_factory.mktemp("tracked") / "output.log"
    with collector(topics, output, sites=sites(port)) as started, reading(topics, EVENTS.name) as events:
        wait_ready(started.url)
        yield TrackedSite(started, port, events)


def post(started: RunningCollector, path: str, data: bytes, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.post(started.url + path, content=data, headers={**JSON, **(headers or {})}, timeout=20)


def page(visitor: str, **said: Any) -> bytes:
    return json.dumps(
        {"writeKey": DOUBTED, "anonymousId": visitor, "type": "page", "properties": {"url": URL}, **said}
    ).encode()


def hits(*data: Any) -> bytes:
    return b"{" + PAYLOAD + b',"data":' + json.dumps(data).encode() + b"}"


def hit(visitor: str, **said: Any) -> dict[str, Any]:
    return {"e": "pv", "aid": DOUBTED, "duid": visitor, "url": URL, "eid": str(uuid.uuid4()), **said}


def letter(reader: TopicReader, payload: bytes) -> DeadLetter:
    """Give the dead letter of a request's bytes, or of the one call in it as JSON without spaces."""
    kept = {base64.b64encode(form[:65_536]) for form in (payload, payload.replace(b": ", b":").replace(b", ", b","))}
    _, _, value = reader.find(lambda _, value: any(form in (value or b"") for form in kept))
    return DeadLetter.from_bytes(value or b"")


@pytest.mark.parametrize("name", [*CALLS, *SHORT])
def test_every_path_of_segments_takes_its_call_and_lets_a_page_of_the_site_read_the_answer(
    site: TrackedSite, name: str
) -> None:
    visitor = f"v-{uuid.uuid4()}"
    call = {"anonymousId": visitor, "event": "x", "previousId": "old", "userId": "u", "properties": {"url": URL}}
    batch = {"batch": [{**call, "type": "track"}]} if SHORT.get(name) == "batch" else {}
    body = json.dumps({"writeKey": DOUBTED, **call, **batch}).encode()
    answer = post(site.collector, f"/v1/{name}", body, {"content-type": "text/plain", "origin": site.page_origin})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert answer.headers["access-control-allow-origin"] == site.page_origin
    site.until(lambda all_: any(one.visitor_id == visitor for one in all_))


@pytest.mark.parametrize("path", ["/v1/page", "/v1/b", TP2, "/i"])
def test_a_preflight_is_answered_for_a_sites_page_and_no_other(site: TrackedSite, path: str) -> None:
    ours = httpx.options(site.collector.url + path, headers={"origin": site.page_origin})
    assert ours.status_code == 204
    assert ours.headers["access-control-allow-credentials"] == "true"
    assert {"content-type", "authorization"} <= set(ours.headers["access-control-allow-headers"].split(", "))
    others = httpx.options(site.collector.url + path, headers={"origin": "https://evil.example"})
    assert others.status_code == 403
    assert "access-control-allow-origin" not in others.headers


def test_snowplows_paths_answer_as_its_collector_does(site: TrackedSite) -> None:
    visitor = f"v-{uuid.uuid4()}"
    answer = post(site.collector, TP2, hits(hit(visitor)))
    assert (answer.status_code, answer.text) == (200, "ok")
    pixel = httpx.get(site.collector.url + "/i", params=hit(visitor))
    assert (pixel.status_code, pixel.headers["content-type"], pixel.content[:6]) == (200, "image/gif", b"GIF89a")
    site.until(lambda all_: sum(one.visitor_id == visitor for one in all_) == 2)


def test_a_pixel_asked_for_by_head_is_no_page_view(site: TrackedSite) -> None:
    asked, read = (f"v-{uuid.uuid4()}" for _ in range(2))
    answer = httpx.head(site.collector.url + "/i", params=hit(asked))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, OPTIONS")
    httpx.get(site.collector.url + "/i", params=hit(read))
    stored = site.until(lambda all_: any(one.visitor_id == read for one in all_))
    assert not [one for one in stored if one.visitor_id == asked]


@pytest.mark.parametrize("path", ["/v1/page", TP2])
def test_a_packed_body_is_unpacked(site: TrackedSite, path: str) -> None:
    visitor = f"v-{uuid.uuid4()}"
    body = page(visitor) if path == "/v1/page" else hits(hit(visitor))
    assert post(site.collector, path, gzip.compress(body), PACKED).status_code == 200
    site.until(lambda all_: any(one.visitor_id == visitor for one in all_))


class Case(NamedTuple):
    law: str
    path: str
    data: bytes
    status: int
    reason: str
    headers: Mapping[str, str] = JSON


CASES = [
    Case("an unknown write key", "/v1/page", page("v", writeKey="nobody"), 200, "writeKey: no such site"),
    Case("no write key", "/v1/page", page("v", writeKey=None), 200, "writeKey: no such site"),
    Case("a forged origin", "/v1/page", page("forged"), 200, "writeKey: the page's origin", FORGED),
    Case("no page address", "/v1/page", page("v", properties={}), 200, "url: String should match"),
    Case("no visitor", "/v1/page", page(""), 200, "userId: "),
    Case("no JSON", "/v1/page", b"hello page", 400, "not JSON"),
    Case("a list", "/v1/track", b'["page"]', 400, "the request must be a JSON object"),
    Case("no batch", "/v1/batch", b'{"writeKey":"www"}', 400, "batch: "),
    Case("a call over 32 KB", "/v1/page", page("v", extra="x" * 33_000), 400, "may have 32768 bytes"),
    Case("a batch over 500 KB", "/v1/batch", b'{"a":"' + b"b" * 600_000 + b'"}', 400, "may have 500000 bytes"),
    Case("broken gzip", "/v1/page", b"not gzip at all", 400, "the body is not gzip", PACKED),
    Case("gzip cut off", "/v1/page", gzip.compress(page("v"))[:-12], 400, "ends early", PACKED),
    Case("a gzip bomb", "/v1/batch", BOMB, 400, "may have 500000 bytes", PACKED),
    Case("zlib for gzip", "/v1/page", zlib.compress(page("v")), 400, "the body is not gzip", PACKED),
    Case("another encoding", "/v1/page", b"br-packed", 400, "content encoding", {**JSON, "content-encoding": "br"}),
    Case("a payload that is no JSON", TP2, b"hello payload", 200, "not JSON"),
    Case("a payload of another schema", TP2, b'{"schema":"iglu:x/y/jsonschema/1-0-0"}', 200, "schema: "),
    Case("a payload over 500 KB", TP2, b'{"b":"' + b"b" * MAX_BYTES + b'"}', 413, "may have 500000 bytes"),
    Case("a bomb of a payload", TP2, OTHER_BOMB, 413, "may have 500000 bytes", PACKED),
    Case("broken gzip for a payload", TP2, b"not gzip either", 200, "the body is not gzip", PACKED),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.law.replace(" ", "-"))
def test_what_cannot_be_used_has_its_answer_and_a_dead_letter(
    site: TrackedSite, dead_letters: TopicReader, case: Case
) -> None:
    time.sleep(0.03)  # no more than the dead letters of a second
    answer = post(site.collector, case.path, case.data, case.headers)
    assert answer.status_code == case.status
    if case.path != TP2:
        assert answer.json()["success"] is (case.status == 200)
    kept = letter(dead_letters, case.data)
    assert case.reason in kept.reason
    assert kept.origin == case.path
    assert httpx.get(f"{site.collector.url}/healthz").status_code == 200


def test_one_bad_event_of_a_payload_leaves_the_others(site: TrackedSite, dead_letters: TopicReader) -> None:
    visitor = f"v-{uuid.uuid4()}"
    bad = hit(visitor, url="javascript:alert(1)")
    assert post(site.collector, TP2, hits(bad, hit(visitor))).status_code == 200
    site.until(lambda all_: sum(one.visitor_id == visitor for one in all_) == 1)
    assert letter(dead_letters, json.dumps(bad, separators=(",", ":")).encode()).reason.startswith("url: ")


def test_a_full_batch_is_stored_whole(site: TrackedSite) -> None:
    visitor = f"v-{uuid.uuid4()}"
    ids = [f"{visitor}-{number}" for number in range(MAX_CALLS)]
    calls = [{"type": "track", "event": "x", "messageId": each, "anonymousId": visitor} for each in ids]
    context = {"page": {"url": URL + "?" + "q" * 1000}}  # so together the events are larger than a message may be
    body = json.dumps({"writeKey": DOUBTED, "batch": calls, "context": context}).encode()
    assert post(site.collector, "/v1/batch", body).json() == {"success": True}
    stored = site.until(lambda all_: sum(one.visitor_id == visitor for one in all_) >= len(ids))
    assert [one.event.event_id for one in stored if one.visitor_id == visitor] == ids


@pytest.mark.parametrize(("path", "body"), [("/v1/page", page("v")), (TP2, hits(hit("v"))), (TP2, b"rubbish")])
def test_while_nothing_can_be_stored_the_client_is_told_to_come_again(tmp_path: Path, path: str, body: bytes) -> None:
    with collector(f"127.0.0.1:{free_port()}", tmp_path / "output.log", sites=sites(1)) as started:
        answer = post(started, path, body)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
