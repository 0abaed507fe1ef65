"""What Segment's libraries say, as events of ours."""

import base64
from typing import Any

import pytest

from producers.refusal import RefusedError
from producers.segment import MAX_BATCH_BYTES, MAX_CALL_BYTES, MAX_CALLS, read_posting, translate
from producers.translation import Receipt, Translated, json_bytes
from schemas.addresses import address_id
from schemas.events import Custom, EmailClick, EmailOpen, Event, Identify, PageView, Viewport
from schemas.settings import Site

KEY = b"key of addresses"
NOW_MS = 1_790_000_100_000
TAKEN = Receipt("crm", Site(origins=("https://www.example.com",), trust_identify=True), NOW_MS, KEY)
NOT_TAKEN = Receipt("www", Site(origins=("https://www.example.com",)), NOW_MS, KEY)
URL = "https://www.example.com/pricing"
DANA = address_id(KEY, "dana@acme.example")


def call(kind: str, **said: Any) -> dict[str, Any]:
    return {"type": kind, "userId": "u-1", "anonymousId": "browser-1", "messageId": f"m-{kind}", **said}


def taken(*calls: Any, receipt: Receipt = TAKEN, **outer: Any) -> Translated:
    body = json_bytes({"batch": list(calls), **outer})
    return translate(read_posting("batch", body, ""), receipt)


def events(*calls: Any, receipt: Receipt = TAKEN, **outer: Any) -> list[Event]:
    translated = taken(*calls, receipt=receipt, **outer)
    assert not translated.refused
    return [one.event for one in translated.envelopes]


def basic(name: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:".encode()).decode()


def test_a_page_call_is_a_page_view_under_its_own_message_id() -> None:
    context = {"page": {"url": "https://other.example/", "referrer": "https://mail.example/"}, "screen": {"width": 390}}
    (view,) = events(call("page", properties={"url": URL, "title": "Pricing"}, context=context), receipt=NOT_TAKEN)
    assert isinstance(view, PageView)
    assert (view.event_id, view.page_view_id, view.url, view.title) == ("m-page", "m-page", URL, "Pricing")
    assert (view.referrer, view.viewport) == ("https://mail.example/", Viewport.mobile)


def test_the_context_of_a_batch_is_each_calls_own_unless_it_says_otherwise() -> None:
    outer = {"page": {"url": URL}}
    views = events(
        call("page", messageId="a"),
        call("page", messageId="b", context={"page": {"url": URL + "/team"}}),
        receipt=NOT_TAKEN,
        context=outer,
    )
    assert [view.url for view in views if isinstance(view, PageView)] == [URL, URL + "/team"]


def test_times_are_corrected_by_the_senders_own_clock() -> None:
    said = call("track", event="x", timestamp="2020-01-01T00:00:01.500Z")
    (one,) = taken(said, sentAt="2020-01-01T00:00:03.000+00:00").envelopes
    assert (one.event.occurred_ms, one.sent_ms) == (1_577_836_801_500, 1_577_836_803_000)
    assert (one.received_ms, one.occurred_ms) == (NOW_MS, NOW_MS - 1500)


@pytest.mark.parametrize("stamp", ["yesterday", "", "9999-99-99T00:00:00Z", None, [], 5])
def test_a_time_that_is_none_is_the_time_of_sending(stamp: Any) -> None:
    (one,) = taken(call("track", event="x", timestamp=stamp)).envelopes
    assert one.occurred_ms == one.sent_ms == NOW_MS


@pytest.mark.parametrize(
    ("email", "domain"),
    [("dana@mail.acme.co.uk", "acme.co.uk"), ("dana@gmail.com", None), ("dana@co.uk", None)],
)
def test_an_address_tells_its_company_unless_anybody_can_have_one_there(email: str, domain: str | None) -> None:
    translated = taken(call("identify", userId="", traits={"email": email}))
    (said,) = [one.event for one in translated.envelopes]
    assert isinstance(said, Identify)
    assert said.domain == domain


def test_identify_names_the_user_and_the_address_but_carries_no_address() -> None:
    translated = taken(call("identify", traits={"email": " Dana@Acme.example", "name": "Dana Doe"}))
    assert [one.event.contact_id for one in translated.envelopes if isinstance(one.event, Identify)] == ["u-1", DANA]
    assert len({one.event.event_id for one in translated.envelopes}) == 2
    for one in translated.envelopes:
        assert one.visitor_id == "browser-1"
        assert not any(word in one.model_dump_json().lower() for word in ("@", "dana"))


def test_a_user_id_that_is_an_address_is_carried_as_its_id_wherever_it_stands() -> None:
    said = call("page", userId="dana@acme.example", properties={"url": URL})
    del said["anonymousId"]
    translated = taken(said)
    assert {one.visitor_id for one in translated.envelopes} == {DANA}
    assert [one.event.contact_id for one in translated.envelopes if isinstance(one.event, Identify)] == [DANA]
    assert "@" not in "".join(one.model_dump_json() for one in translated.envelopes)


def test_the_word_of_a_site_that_is_not_trusted_identifies_nobody() -> None:
    calls = [
        call("identify", traits={"email": "dana@acme.example"}),
        call("alias", previousId="browser-0"),
        call("page", properties={"url": URL}),
        call("track", event="Email Opened", properties={"campaign_id": "spring"}),
    ]
    told = events(*calls, receipt=NOT_TAKEN)
    assert not [event for event in told if isinstance(event, Identify | EmailOpen | EmailClick)]
    assert [event.name for event in told if isinstance(event, Custom)] == ["identify", "alias", "Email Opened"]


def test_an_alias_says_who_the_previous_visitor_was() -> None:
    (one,) = taken(call("alias", previousId="browser-0")).envelopes
    assert isinstance(one.event, Identify)
    assert (one.visitor_id, one.event.contact_id) == ("browser-0", "u-1")


def test_the_email_specs_events_are_opens_and_clicks_of_their_recipient() -> None:
    by_address = call("track", event="Email Opened", userId="", context={"traits": {"email": "dana@acme.example"}})
    by_address["properties"] = {"email_id": "mail-7"}
    clicked = call("track", event="Email Link Clicked", properties={"campaign_id": "spring", "link_url": URL})
    opened, click = events(by_address, clicked)
    assert isinstance(opened, EmailOpen)
    assert (opened.contact_id, opened.campaign_id) == (DANA, "mail-7")
    assert isinstance(click, EmailClick)
    assert (click.contact_id, click.campaign_id, click.url) == ("u-1", "spring", URL)


def test_of_any_other_call_only_its_name_is_kept() -> None:
    told = events(
        call("track", event="Trial Started", properties={"card": "4111", "email": "x@y.example"}),
        call("group", groupId="acme"),
        call("screen", name="Settings"),
    )
    assert [event.name for event in told if isinstance(event, Custom)] == ["Trial Started", "group", "screen Settings"]


def test_the_same_call_twice_is_the_same_event_with_or_without_a_message_id() -> None:
    said = call("track", event="x")
    for one in (said, {**said, "messageId": None}, {**said, "messageId": "spaced id"}):
        first, again = taken(one, sentAt="2026-01-01T00:00:00Z"), taken(one, sentAt="2026-01-01T00:00:09Z")
        assert first.envelopes[0].event.event_id == again.envelopes[0].event.event_id


def test_a_call_that_cannot_be_used_leaves_the_others_of_its_batch() -> None:
    translated = taken(call("page", properties={"url": URL}), "rubbish", call("track", event="x"), receipt=NOT_TAKEN)
    assert len(translated.envelopes) == 2
    assert [one.payload for one in translated.refused] == [b'"rubbish"']


REFUSED: dict[str, tuple[Any, str]] = {
    "no call": (None, ""),
    "a list": ([], ""),
    "no type": ({"userId": "u"}, "type"),
    "an unknown type": (call("delete"), "type"),
    "a type that is a list": (call("page") | {"type": ["page"]}, "type"),
    "neither user nor anonymous": (call("page", userId=None, anonymousId=""), "userId"),
    "a user that is an object": (call("page", userId={"id": 1}, anonymousId=None), "userId"),
    "a user that is true": (call("page", userId=True, anonymousId=None), "userId"),
    "a user too large for a number": (call("page", userId=10**30, anonymousId=None), "userId"),
    "a page without address": (call("page"), "url"),
    "a page whose address is code": (call("page", properties={"url": "javascript:alert(1)"}), "url"),
    "a page whose address is a file": (call("page", properties={"url": "file:///etc/passwd"}), "url"),
    "a page whose address has markup": (call("page", properties={"url": "https://e.example/<script>"}), "url"),
    "a page whose address is too long": (call("page", properties={"url": "https://e.example/" + "a" * 2000}), "url"),
    "a page whose address is a number": (call("page", properties={"url": 7}), "url"),
    "properties that are a text": (call("page", properties="url"), "url"),
    "a track without name": (call("track"), "event"),
    "a track whose name is an object": (call("track", event={}), "event"),
    "an alias of nobody": (call("alias"), "previousId"),
    "a mail without campaign": (call("track", event="Email Opened"), "properties.campaign_id"),
    "a mail click that leads nowhere": (
        call("track", event="Email Link Clicked", properties={"campaign_id": "spring"}),
        "url",
    ),
    "a mail to nobody": (
        call("track", event="Email Opened", userId="", properties={"campaign_id": "spring"}),
        "userId",
    ),
    "a call over the limit": (call("track", event="x", properties={"a": "b" * MAX_CALL_BYTES}), ""),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "-"))
def test_what_cannot_be_used_is_refused_with_its_field(case: str) -> None:
    said, field = REFUSED[case]
    translated = taken(said, call("track", event="good", messageId="good"))
    assert [one.event.event_id for one in translated.envelopes] == ["good"]
    assert [one.error.field for one in translated.refused] == [field]
    assert translated.refused[0].payload == json_bytes(said)


UNREADABLE = {
    "nothing": b"",
    "no JSON": b"hello",
    "cut off": b'{"batch":[{"type":"pa',
    "a list": b"[]",
    "null": b"null",
    "a number": b"1e999",
    "NaN": b'{"batch":[{"type":"page","properties":{"a":NaN}}]}',
    "no UTF-8": b'{"batch":["\xff\xfe"]}',
    "half a surrogate pair": b'{"batch":["\\ud800"]}',
    "a tower of lists": b'{"batch":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "no batch": b"{}",
    "a batch that is an object": b'{"batch":{}}',
    "too many calls": b'{"batch":[' + b",".join([b"0"] * (MAX_CALLS + 1)) + b"]}",
    "too many bytes": b'{"batch":[]' + b" " * MAX_BATCH_BYTES + b"}",
}


@pytest.mark.parametrize("case", UNREADABLE, ids=lambda case: case.replace(" ", "-"))
def test_a_request_without_calls_is_refused_whole(case: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_posting("batch", UNREADABLE[case], "")
    assert refused.value.status == 400


def test_a_single_call_has_the_limit_of_one() -> None:
    with pytest.raises(RefusedError):
        read_posting("page", b'{"a":"' + b"b" * MAX_CALL_BYTES + b'"}', "")


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (basic("crm"), "crm"),
        ("", "in-body"),
        ("Bearer crm", "in-body"),
        ("Basic", "in-body"),
        ("Basic %%%", "in-body"),
        ("Basic /////w==", "in-body"),
        ("basic " + base64.b64encode(b"crm:secret").decode(), "crm"),
    ],
)
def test_the_write_key_stands_in_basic_authorization_or_in_the_body(authorization: str, expected: str) -> None:
    assert read_posting("page", b'{"writeKey":"in-body"}', authorization).write_key == expected
