import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.intake import (
    OLDEST_EVENT_MS,
    Client,
    corrected_ms,
    read_report,
)
from producers.links import landing_token, site_token
from producers.refusal import RefusedError
from schemas.events import Identify, IdentifyMethod, PageProgress
from schemas.message import MAX_UNIX_MS
from schemas.settings import Settings, Site
from tests.producers.reports import SENT, body, envelopes_of, identify, progress, report

SITES = {"www": Site(origins=("https://www.example.com",)), "shop": Site(origins=("https://shop.example.com",))}
SETTINGS = Settings(secret="0123456789abcdef", sites=SITES)
NOW = SENT + 5_000_000

times = st.integers(0, MAX_UNIX_MS)


@given(occurred=times, sent=times, received=times)
def test_an_event_is_never_later_than_its_receipt_nor_older_than_thirty_days(
    occurred: int, sent: int, received: int
) -> None:
    corrected = corrected_ms(occurred, sent, received)
    assert max(received - OLDEST_EVENT_MS, 0) <= corrected <= received


@given(age=st.integers(0, OLDEST_EVENT_MS), skew=st.integers(-(10**11), 10**11))
def test_a_wrong_clock_of_the_client_changes_nothing(age: int, skew: int) -> None:
    assert corrected_ms(SENT + skew - age, SENT + skew, NOW) == NOW - age


@given(st.lists(times, min_size=2, max_size=5), times)
def test_the_order_of_events_is_kept(occurred: list[int], sent: int) -> None:
    corrected = [corrected_ms(each, sent, NOW) for each in sorted(occurred)]
    assert corrected == sorted(corrected)


@pytest.mark.parametrize("client", [Client(), Client("203.0.113.0/24", automated=True), Client("2001:db8::/48")])
def test_an_envelope_holds_the_event_as_it_was_sent_and_what_is_kept_of_the_client(client: Client) -> None:
    sent = progress("e1", title='"quoted" \\ € \x00', sections=[{"key": "a", "active_ms": 5}], left=True, more="?")
    (envelope,) = envelopes_of(body(report(sent)), NOW, SETTINGS, client)
    assert envelope.event == PageProgress.model_validate(sent)
    assert (envelope.automated, envelope.client_network) == (client.automated, client.network)


def test_every_event_becomes_one_envelope_in_its_order() -> None:
    events = [progress(f"e{number}", active_ms=number) for number in range(5)]
    envelopes = envelopes_of(body(report(*events)), NOW, SETTINGS)
    assert [envelope.event.event_id for envelope in envelopes] == ["e0", "e1", "e2", "e3", "e4"]
    assert {(each.site, each.visitor_id, each.sent_ms, each.received_ms) for each in envelopes} == {
        ("www", "v-1", SENT, NOW)
    }
    assert envelopes[0].occurred_ms == NOW - 1000
    assert envelopes[0].event.occurred_ms == SENT - 1000


def test_a_landing_token_becomes_the_contact_it_was_made_for() -> None:
    token = landing_token(SETTINGS, "www", "c1", "spring", now_ms=NOW)
    (envelope,) = envelopes_of(body(report(identify(token))), NOW, SETTINGS)
    assert envelope.event == Identify(
        event_id="i1", occurred_ms=SENT, contact_id="c1", method=IdentifyMethod.email_link, campaign_id="spring"
    )
    assert token not in envelope.model_dump_json()


def test_a_site_token_becomes_the_contact_it_was_made_for() -> None:
    token = site_token(SETTINGS, "www", "c2", now_ms=NOW)
    (envelope,) = envelopes_of(body(report(identify(token))), NOW, SETTINGS)
    assert isinstance(envelope.event, Identify)
    assert (envelope.event.contact_id, envelope.event.method) == ("c2", IdentifyMethod.site_token)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("rubbish", "forged"),
        ("", "forged"),
        (landing_token(SETTINGS, "www", "c1", "x", now_ms=NOW - 3_600_000), "expired"),
        (site_token(SETTINGS, "www", "c1", now_ms=NOW - 2 * 86_400_000), "expired"),
        (landing_token(SETTINGS, "shop", "c1", "x", now_ms=NOW), "another site"),
        (site_token(SETTINGS, "shop", "c1", now_ms=NOW), "another site"),
    ],
)
def test_a_bad_token_is_named_by_its_event(token: str, why: str) -> None:
    with pytest.raises(RefusedError) as caught:
        envelopes_of(body(report(progress(), identify(token))), NOW, SETTINGS)
    assert (caught.value.status, caught.value.field) == (400, "events.1.token")
    assert why in caught.value.message


@given(st.binary(max_size=300))
def test_bytes_that_are_no_report_are_refused_and_nothing_else(data: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        read_report(data)
    assert caught.value.status == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=4)
)


@given(st.sampled_from(sorted(progress())), json_values)
def test_any_value_in_any_field_is_read_or_refused_under_the_senders_name(name: str, value: object) -> None:
    try:
        read_report(json.dumps(report({**progress(), name: value})).encode("utf-8", "surrogatepass"))
    except RefusedError as refused:
        assert refused.status == 400  # noqa: PT017 - accepted is right too
        assert refused.field.startswith("events.0." + name) or refused.field == ""  # noqa: PT017 - empty: no JSON
