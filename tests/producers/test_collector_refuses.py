"""Every way a report can be wrong: the answer, the field it names, and the dead letter that keeps it."""

import gzip
import json
import time
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import pytest

from producers.links import landing_token, site_token
from schemas.dead_letter import DeadLetter, DeadLetterStage
from schemas.settings import Settings
from tests.producers.collector_process import SECRET, SITES, RunningCollector, post
from tests.producers.kafka_topics import TopicReader
from tests.producers.reports import body, identify, progress, report

NOW = time.time_ns() // 1_000_000
SETTINGS = Settings(secret=SECRET, sites=SITES)
FORGER = Settings(secret="another-secret-16", sites=SITES)
JSON = {"content-type": "application/json"}
GZIP = {"content-encoding": "gzip"}


class Case(NamedTuple):
    law: str
    data: bytes
    status: int
    field: str
    headers: Mapping[str, str] = MappingProxyType({})


def raw(**changes: str) -> bytes:
    """Give a report with raw JSON put in place of an event's values."""
    text = json.dumps(report(progress(**{name: f"@{name}@" for name in changes})))
    for name, value in changes.items():
        text = text.replace(f'"@{name}@"', value)
    return text.encode("utf-8", "surrogatepass")


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in progress().items() if name != field}


def click(**changes: Any) -> dict[str, Any]:
    keep = {name: progress()[name] for name in ("event_id", "occurred_ms", "page_view_id", "url")}
    return {"type": "click", **keep, "element": "a.buy", "page_x": 0.5, "page_y": 0.5, **changes}


DEEP = b'{"v":1,"site":"www","visitor_id":"v","sent_ms":1,"events":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
DEEP_EXTRA = raw(title='{"a":' * 9000 + "1" + "}" * 9000)

CASES = [
    Case("an empty body", b"", 400, ""),
    Case("no JSON", b"hello", 400, ""),
    Case("JSON cut off", body(report())[:-10], 400, ""),
    Case("two JSON values", body(report()) * 2, 400, ""),
    Case("JSON with a trailing comma", body(report())[:-1] + b",}", 400, ""),
    Case("a JSON list", b"[]", 400, ""),
    Case("a JSON null", b"null", 400, ""),
    Case("a JSON number", b"1e999", 400, ""),
    Case("bytes that are no UTF-8", raw(title='"@"').replace(b'"@"', b'"\xff\xfe"'), 400, ""),
    Case("UTF-16", json.dumps(report()).encode("utf-16"), 400, ""),
    Case("a lone surrogate, escaped", raw(title=r'"\ud800"'), 400, ""),
    Case("a lone surrogate, encoded", raw(title='"\ud800"'), 400, ""),
    Case("NUL bytes", b"\0" * 100, 400, ""),
    Case("deep nesting in place of events", DEEP, 400, ""),
    Case("deep nesting in a field", DEEP_EXTRA, 400, ""),
    Case("NaN in an integer", raw(active_ms="NaN"), 400, "events.0.active_ms"),
    Case("infinity in an integer", raw(active_ms="-Infinity"), 400, "events.0.active_ms"),
    Case("a number beyond all floats", raw(active_ms="1e999"), 400, "events.0.active_ms"),
    Case("a huge integer", raw(active_ms="9" * 4000), 400, "events.0.active_ms"),
    Case("an integer of too many digits", raw(active_ms="9" * 20_000), 400, ""),
    Case("a negative duration", body(report(progress(active_ms=-1))), 400, "events.0.active_ms"),
    Case("a fraction of a millisecond", body(report(progress(active_ms=1.5))), 400, "events.0.active_ms"),
    Case("a duration over a day", body(report(progress(active_ms=86_400_001))), 400, "events.0.active_ms"),
    Case("a depth over 100", body(report(progress(depth_pct=101))), 400, "events.0.depth_pct"),
    Case("nine bands", body(report(progress(bands=[1] * 9))), 400, "events.0.bands"),
    Case("a negative band", body(report(progress(bands=[1] * 9 + [-1]))), 400, "events.0.bands.9"),
    Case("no active time", body(report(without("active_ms"))), 400, "events.0.active_ms"),
    Case("no event type", body(report(without("type"))), 400, "events.0.type"),
    Case("an unknown event type", body(report(progress(type="purchase"))), 400, "events.0.type"),
    Case("an event of another source", body(report(progress(type="email_open"))), 400, "events.0.type"),
    Case("a second event that is wrong", body(report(progress(), progress(url="x"))), 400, "events.1.url"),
    Case("a page that is no web page", body(report(progress(url="file:///etc/passwd"))), 400, "events.0.url"),
    Case("a URL with markup", body(report(progress(url="https://a/<script>"))), 400, "events.0.url"),
    Case("a title over 500", body(report(progress(title="x" * 501))), 400, "events.0.title"),
    Case("NaN in the version", raw().replace(b'"v": 1', b'"v": NaN'), 400, "v"),
    Case("a click beside the page", body(report(click(page_x=1.2))), 400, "events.0.page_x"),
    Case(
        "a section without a key", body(report(progress(sections=[{"active_ms": 1}]))), 400, "events.0.sections.0.key"
    ),
    Case("no events", body(report(events=[])), 400, "events"),
    Case("101 events", body(report(*[click(event_id=f"e{n}") for n in range(101)])), 400, "events"),
    Case("an event that is a string", body(report(events=["x"])), 400, "events.0"),
    Case("no visitor", body({k: v for k, v in report().items() if k != "visitor_id"}), 400, "visitor_id"),
    Case("a visitor with a space", body(report(visitor_id="a b")), 400, "visitor_id"),
    Case("a visitor with a line break", body(report(visitor_id="a\n")), 400, "visitor_id"),
    Case("a clock before 1970", body(report(sent_ms=-1)), 400, "sent_ms"),
    Case("a clock after 2100", body(report(sent_ms=4_102_444_800_001)), 400, "sent_ms"),
    Case("a newer version", body(report(v=2)), 400, "v"),
    Case("a forged token", body(report(progress(), identify("x.y.z"))), 400, "events.1.token"),
    Case(
        "a token of another secret",
        body(report(identify(landing_token(FORGER, "www", "c1", "k", now_ms=NOW)))),
        400,
        "events.0.token",
    ),
    Case(
        "an expired token",
        body(report(identify(landing_token(SETTINGS, "www", "c1", "k", now_ms=NOW - 86_400_000)))),
        400,
        "events.0.token",
    ),
    Case(
        "a token of another site",
        body(report(identify(site_token(SETTINGS, "shop", "c1", now_ms=NOW)))),
        400,
        "events.0.token",
    ),
    Case("a token over 2000", body(report(identify("x" * 2001))), 400, "events.0.token"),
    Case("an unknown site", body(report(site="blog")), 403, "site"),
    Case("another site's page", body(report()), 403, "site", {"origin": "https://shop.example.com"}),
    Case("a stranger's page", body(report(sent_ms=2)), 403, "site", {"origin": "https://evil.example"}),
    Case("a page without origin", body(report(sent_ms=3)), 403, "site", {"origin": "null"}),
    Case(
        "another content type", body(report(sent_ms=4)), 415, "", {"content-type": "application/x-www-form-urlencoded"}
    ),
    Case("one byte over 64 KB", body(report()).ljust(65_537), 413, ""),
    Case("a title with a NUL and no quote", raw(title='"\0'), 400, ""),
    Case("a JSON comment", b"/* x */" + body(report()), 400, ""),
    Case("single quotes", body(report()).replace(b'"', b"'"), 400, ""),
    Case("a byte order mark", b"\xef\xbb\xbf" + body(report()), 400, ""),
    Case("an escape that JSON has not", raw(title=r'"\x41"'), 400, ""),
    Case("a number with a leading zero", raw(active_ms="007"), 400, ""),
    Case("a text in place of a number", raw(active_ms='"many"'), 400, "events.0.active_ms"),
    Case("an object in place of a title", raw(title="{}"), 400, "events.0.title"),
    Case("a list in place of an id", raw(event_id="[]"), 400, "events.0.event_id"),
    Case("an event in the far future", raw(occurred_ms="99999999999999"), 400, "events.0.occurred_ms"),
    Case("an event before all time", raw(occurred_ms="-99999999999999"), 400, "events.0.occurred_ms"),
    Case("an event id with a line break", body(report(progress("a\r\nSet-Cookie: x"))), 400, "events.0.event_id"),
    Case("an event id with markup", body(report(progress("<script>"))), 400, "events.0.event_id"),
    Case("a page by a script's address", body(report(progress(url="javascript:alert(1)"))), 400, "events.0.url"),
    Case("a visitor over 128", body(report(visitor_id="v" * 129)), 400, "visitor_id"),
    Case("a visitor that is a path", body(report(visitor_id="../../etc/passwd")), 400, "visitor_id"),
    Case("a site that is SQL", body(report(site="www' OR '1'='1")), 400, "site"),
    Case(
        "an origin with another port", body(report(sent_ms=5)), 403, "site", {"origin": "https://www.example.com:444"}
    ),
    Case("an origin with another scheme", body(report(sent_ms=6)), 403, "site", {"origin": "http://www.example.com"}),
    Case(
        "an origin that begins like ours",
        body(report(sent_ms=7)),
        403,
        "site",
        {"origin": "https://www.example.com.evil.example"},
    ),
    Case("an origin with a path", body(report(sent_ms=8)), 403, "site", {"origin": "https://www.example.com/"}),
    Case("no content type", body(report(sent_ms=9)), 415, "", {"content-type": ""}),
    Case("XML", b"<report/>", 415, "", {"content-type": "application/xml"}),
    Case("gzip that is none", body(report(sent_ms=10)), 400, "", GZIP),
    Case("gzip cut off", gzip.compress(body(report()))[:-9], 400, "", GZIP),
    Case("gzip with a wrong checksum", gzip.compress(body(report()))[:-8] + b"\0" * 8, 400, "", GZIP),
    Case("gzip with something behind it", gzip.compress(body(report())) + b"x", 400, "", GZIP),
    Case("two gzips in one", gzip.compress(body(report())) * 2, 400, "", GZIP),
    Case("an empty gzip", gzip.compress(b""), 400, "", GZIP),
    Case("a zlib stream in place of gzip", zlib.compress(body(report())), 400, "", GZIP),
    Case("gzip that nobody announced", gzip.compress(body(report()), mtime=1), 400, ""),
    Case("a gzip in a gzip", gzip.compress(gzip.compress(body(report()))), 400, "", GZIP),
    Case("a gzip bomb", gzip.compress(b"\0" * 50_000_000), 413, "", GZIP),
    Case("a gzip one byte too long", gzip.compress(body(report()).ljust(65_537)), 413, "", GZIP),
    Case("brotli", body(report(sent_ms=11)), 415, "", {"content-encoding": "br"}),
    Case("gzip twice", body(report(sent_ms=12)), 415, "", {"content-encoding": "gzip, gzip"}),
    Case("half a megabyte", b"[" + b"1," * 250_000 + b"1]", 413, "", JSON),
]


@pytest.mark.parametrize("case", CASES, ids=[case.law.replace(" ", "-") for case in CASES])
def test_a_wrong_report_is_answered_by_name_and_kept(
    case: Case, running_collector: RunningCollector, dead_letters: TopicReader
) -> None:
    answer = post(running_collector.url, case.data, case.headers)
    assert answer.status_code == case.status, answer.text
    error = answer.json()["error"]
    assert error["field"] == case.field
    assert error["message"]

    reason = f"{case.field or '(whole report)'}: {error['message']}"

    def is_it(_key: bytes | None, value: bytes | None) -> bool:
        letter = DeadLetter.from_bytes(value or b"")
        return (letter.payload_bytes(), letter.reason) == (case.data[:65_536], reason)

    letter = DeadLetter.from_bytes(dead_letters.find(is_it)[2] or b"")
    assert (letter.stage, letter.origin) == (DeadLetterStage.collector, "/v1/events")


def test_a_flood_of_rubbish_is_answered_but_not_kept_whole(
    running_collector: RunningCollector, dead_letters: TopicReader
) -> None:
    with httpx.Client(base_url=running_collector.url) as client:
        for number in range(400):
            answer = client.post("/v1/events", content=f"flood {number}", headers={"content-type": "text/plain"})
            assert answer.status_code == 400
    kept = [
        value
        for _, _, value in dead_letters.read_for(2)
        if b"flood " in DeadLetter.from_bytes(value or b"").payload_bytes()
    ]
    assert 0 < len(kept) < 400
    assert "dead_letters_withheld" in running_collector.running.output.read_text()
