"""What Snowplow's trackers say, as events of ours."""

import base64
import json
from typing import Any

import pytest

from producers.refusal import RefusedError
from producers.snowplow import MAX_BYTES, MAX_EVENTS, read_payload, translate
from producers.translation import Translated, json_bytes
from schemas.addresses import address_id
from schemas.events import Custom, Event, FormSubmit, Identify, PagePing, PageView, Viewport
from schemas.settings import Site

KEY = b"key of addresses"
NOW_MS = 1_790_000_100_000
ORIGIN = "https://www.example.com"
SITES = {"crm": Site(origins=(ORIGIN,), trust_identify=True, heartbeat_s=15), "www": Site(origins=(ORIGIN,))}
URL = "https://www.example.com/pricing"
SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"


def context(*entities: tuple[str, Any]) -> dict[str, Any]:
    data = [{"schema": f"{SNOWPLOW}/{name}/jsonschema/1-0-0", "data": data} for name, data in entities]
    return {"schema": f"{SNOWPLOW}/contexts/jsonschema/1-0-0", "data": data}


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


PAGE = encoded(context(("web_page", {"id": "view-1"})))


def hit(kind: str, **said: Any) -> dict[str, Any]:
    return {
        "e": kind,
        "eid": f"id-{kind}",
        "aid": "crm",
        "duid": "browser-1",
        "url": URL,
        "dtm": "1577836801500",
        "stm": "1577836803000",
        "vp": "1280x800",
        "ds": "1280x4000",
        "cx": PAGE,
        **said,
    }


def described(name: str, data: Any) -> dict[str, Any]:
    inner = {"schema": f"{SNOWPLOW}/{name}/jsonschema/1-0-0", "data": data}
    return {"schema": f"{SNOWPLOW}/unstruct_event/jsonschema/1-0-0", "data": inner}


def taken(*hits: Any, origin: str | None = None) -> Translated:
    return translate(hits, SITES, origin, NOW_MS, KEY)


def events(*hits: Any) -> list[Event]:
    translated = taken(*hits)
    assert not translated.refused
    return [one.event for one in translated.envelopes]


def only(kind: str, **said: Any) -> Any:
    (event,) = events(hit(kind, **said))
    return event


def test_a_page_view_has_the_id_of_its_web_page_context() -> None:
    view = only("pv", page="Pricing", refr="https://mail.example/", lang="de-CH", vp="700x900")
    assert isinstance(view, PageView)
    assert (view.event_id, view.page_view_id, view.url, view.title) == ("id-pv", "view-1", URL, "Pricing")
    assert (view.referrer, view.lang, view.viewport) == ("https://mail.example/", "de-CH", Viewport.tablet)


def test_a_page_ping_stands_for_one_heartbeat_of_its_site() -> None:
    assert only("pp").beat_ms == 15_000
    assert only("pp", aid="www").beat_ms == 10_000


@pytest.mark.parametrize(
    ("offset", "view", "document", "depth_pct"),
    [
        ("1200", "1280x800", "1280x4000", 50),
        (None, "1280x800", "1280x4000", 20),  # a tracker leaves out what is 0
        ("3200", "1280x800", "1280x4000", 100),
        ("9999", "1280x800", "1280x4000", 100),
        ("0", "1280x800", "1280x600", 100),
        ("1200", "1280x800", "1280x0", 0),
        ("1200", "1280x800", None, 0),
        ("-5", "1280x800", "1280x4000", 20),
        ("1e9", "axb", "1280x4000", 0),
        ("٣", "1280x800", "1280x4000", 20),
        ("9" * 5000, "1280x800", "1280x4000", 20),
    ],
)
def test_depth_is_the_lowest_offset_and_the_window_of_the_document(
    offset: str | None, view: str | None, document: str | None, depth_pct: int
) -> None:
    assert only("pp", pp_may=offset, vp=view, ds=document).depth_pct == depth_pct


def test_a_context_is_read_in_base64_and_as_it_is() -> None:
    plain = json.dumps(context(("performance", {}), ("web_page", {"id": "view-2"})))
    assert only("pp", cx=None, co=plain).page_view_id == "view-2"


def test_without_a_web_page_a_sessions_views_of_a_page_are_one() -> None:
    view, ping, tracked = events(
        hit("pv", cx=None, sid="s-1"),
        hit("pp", cx=None, sid="s-1"),
        hit("pp", cx=None, sid="s-1", url=URL + "?utm_source=mail"),
    )
    assert isinstance(view, PageView)
    assert isinstance(ping, PagePing)
    assert isinstance(tracked, PagePing)
    assert view.page_view_id == ping.page_view_id == tracked.page_view_id
    assert only("pp", cx=None, sid="s-2").page_view_id != view.page_view_id


def test_times_are_corrected_by_the_trackers_own_clock_unless_it_knows_the_true_time() -> None:
    corrected, true = taken(hit("pp"), hit("pp", ttm=str(NOW_MS - 7000))).envelopes
    assert (corrected.event.occurred_ms, corrected.sent_ms) == (1_577_836_801_500, 1_577_836_803_000)
    assert corrected.occurred_ms == NOW_MS - 1500
    assert true.occurred_ms == true.event.occurred_ms == NOW_MS - 7000


@pytest.mark.parametrize("names", [("duid",), ("tnuid",), ("nuid",), ("uid",)])
def test_a_visitor_is_a_browser_or_else_a_user(names: tuple[str, ...]) -> None:
    said = hit("pp", duid=None) | dict.fromkeys(names, "browser-9")
    assert [one.visitor_id for one in taken(said).envelopes] == ["browser-9"]


def test_a_page_views_user_is_evidence_where_the_sites_word_is_taken() -> None:
    sign, _ = events(hit("pv", uid="dana"))
    assert isinstance(sign, Identify)
    assert (sign.contact_id, sign.method) == ("dana", "snowplow")
    assert isinstance(only("pv", uid="dana", aid="www"), PageView)
    assert isinstance(only("pp", uid="dana"), PagePing)


def test_no_address_is_carried() -> None:
    translated = taken(hit("pv", uid="Dana@acme.example", duid=None))
    name = address_id(KEY, "dana@acme.example")
    assert {one.visitor_id for one in translated.envelopes} == {name}
    assert "@" not in "".join(one.model_dump_json() for one in translated.envelopes)


def test_a_submitted_form_is_one_without_its_fields() -> None:
    data = {"formId": "contact", "elements": [{"name": "email", "value": "dana@acme.example"}]}
    (form,) = events(hit("ue", ue_px=encoded(described("submit_form", data))))
    assert form == FormSubmit(
        event_id="id-ue", occurred_ms=form.occurred_ms, page_view_id="view-1", url=URL, form="contact"
    )


def test_of_any_other_event_only_its_name_is_kept() -> None:
    told = events(
        hit("ue", ue_pr=json.dumps(described("link_click", {"targetUrl": "https://e.example/"}))),
        hit("se", se_ca="video", se_ac="play", se_la="dana@acme.example"),
        hit("tr"),
        hit("ti"),
    )
    names = ["com.snowplowanalytics.snowplow/link_click", "video play", "transaction", "transaction item"]
    assert [event.name for event in told if isinstance(event, Custom)] == names
    assert {event.url for event in told if isinstance(event, Custom)} == {URL}


def test_the_same_hit_sent_again_is_the_same_event() -> None:
    for eid in ("id-1", "", "no id at all"):
        first, again = taken(hit("pp", eid=eid, stm="1"), hit("pp", eid=eid, stm="2")).envelopes
        assert first.event.event_id == again.event.event_id


def test_a_page_of_another_origin_is_refused() -> None:
    assert [one.error.field for one in taken(hit("pp"), origin="https://evil.example").refused] == ["aid"]
    assert taken(hit("pp"), origin=ORIGIN).envelopes


REFUSED: dict[str, tuple[Any, str]] = {
    "no event": (None, "aid"),
    "a text": ("e=pv", "aid"),
    "an empty event": ({}, "aid"),
    "an unknown site": (hit("pv", aid="nobody"), "aid"),
    "a site that is a list": (hit("pv", aid=["crm"]), "aid"),
    "no type": (hit("pv", e=None), "e"),
    "an unknown type": (hit("ad"), "e"),
    "no visitor": (hit("pv", duid=None), "duid"),
    "a visitor that is an object": (hit("pv", duid={}), "duid"),
    "no address": (hit("pv", url=None), "url"),
    "an address that is code": (hit("pv", url="javascript:alert(1)"), "url"),
    "an address with markup": (hit("pv", url='https://e.example/"><script>'), "url"),
    "an address of 10,000 characters": (hit("pv", url="https://e.example/" + "a" * 9_982), "url"),
    "a ping without address": (hit("pp", url=""), "url"),
    "a ping of no page view": (hit("pp", cx=None), "cx"),
    "a context that is no base64": (hit("pp", cx="%%%"), "cx"),
    "a context of a wrong length": (hit("pp", cx="abcde"), "cx"),
    "a context that is no JSON": (hit("pp", cx=base64.b64encode(b"hello").decode()), "cx"),
    "a context that is a tower": (hit("pp", cx=base64.b64encode(b"[" * 50_000).decode()), "cx"),
    "a plain context that is no JSON": (hit("pp", cx=None, co="{"), ""),
    "an event without schema": (hit("ue"), "ue_pr"),
    "an event with a foreign schema": (hit("ue", ue_pr='{"data":{"schema":"https://e.example/x"}}'), "ue_pr"),
    "an event that is a list": (hit("ue", ue_pr="[]"), "ue_pr"),
    "a structured event without action": (hit("se", se_ca="video"), "se_ca"),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "-"))
def test_what_cannot_be_used_is_refused_with_its_field(case: str) -> None:
    said, field = REFUSED[case]
    translated = taken(said, hit("pp", eid="good"))
    assert [one.event.event_id for one in translated.envelopes] == ["good"]
    assert [one.error.field for one in translated.refused] == [field]
    assert translated.refused[0].payload == json_bytes(said)


PAYLOAD = f'"schema":"{SNOWPLOW}/payload_data/jsonschema/1-0-4"'.encode()
UNREADABLE = {
    "nothing": (b"", 400),
    "no JSON": (b"e=pv", 400),
    "cut off": (b"{" + PAYLOAD + b',"data":[{"e":"pv"', 400),
    "a list": (b"[]", 400),
    "no schema": (b'{"data":[{"e":"pv"}]}', 400),
    "another schema": (b'{"schema":"iglu:com.example/payload/jsonschema/1-0-0","data":[{}]}', 400),
    "no data": (b"{" + PAYLOAD + b"}", 400),
    "data that is an object": (b"{" + PAYLOAD + b',"data":{}}', 400),
    "empty data": (b"{" + PAYLOAD + b',"data":[]}', 400),
    "too many events": (b"{" + PAYLOAD + b',"data":[' + b",".join([b"0"] * (MAX_EVENTS + 1)) + b"]}", 400),
    "NaN": (b"{" + PAYLOAD + b',"data":[NaN]}', 400),
    "no UTF-8": (b"{" + PAYLOAD + b',"data":["\xff"]}', 400),
    "a tower of lists": (b"{" + PAYLOAD + b',"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "too many bytes": (b" " * (MAX_BYTES + 1), 413),
}


@pytest.mark.parametrize("case", UNREADABLE, ids=lambda case: case.replace(" ", "-"))
def test_a_request_without_events_is_refused_whole(case: str) -> None:
    body, status = UNREADABLE[case]
    with pytest.raises(RefusedError) as refused:
        read_payload(body)
    assert refused.value.status == status


@pytest.mark.parametrize("minor", range(5))
def test_every_version_of_the_payload_is_read(minor: int) -> None:
    body = {"schema": f"{SNOWPLOW}/payload_data/jsonschema/1-0-{minor}", "data": [{"e": "pv"}]}
    assert read_payload(json_bytes(body)) == ({"e": "pv"},)
