"""A form's opted-in address tells who the visitor is, and stays out of every event."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.form_addresses import without_addresses
from schemas.addresses import ADDRESS_PURPOSE, address_id
from schemas.domains import company_domain, registrable
from schemas.events import FormSubmit, Identify, IdentifyMethod
from schemas.settings import Settings, Site
from tests.producers.reports import SENT, body, envelopes_of, report

SETTINGS = Settings(secret="0123456789abcdef", sites={"www": Site(origins=("https://www.example.com",))})
KEY = SETTINGS.signing_key(ADDRESS_PURPOSE)


def form(**fields: str) -> FormSubmit:
    said: dict[str, Any] = {"event_id": "f1", "occurred_ms": SENT, "page_view_id": "pv", "form": "demo"}
    return FormSubmit(url="https://www.example.com/demo", fields=fields, **said)


def test_the_address_becomes_an_identification_and_the_other_fields_stay() -> None:
    said = report(form(email=" Dana@Mail.Acme.co.uk", size="50").model_dump(mode="json"))
    identify, left = (one.event for one in envelopes_of(body(said), SENT, SETTINGS))
    assert isinstance(identify, Identify)
    assert isinstance(left, FormSubmit)
    assert left.fields == {"size": "50"}
    assert (identify.contact_id, identify.method) == (address_id(KEY, "dana@mail.acme.co.uk"), IdentifyMethod.form)
    assert identify.domain == "acme.co.uk"
    assert identify.event_id != left.event_id


def test_a_form_sent_again_is_the_same_evidence() -> None:
    first, again = (without_addresses(form(email="dana@acme.example"), KEY)[1] for _ in range(2))
    assert first == again


def test_a_form_that_opted_in_no_address_identifies_nobody() -> None:
    assert without_addresses(form(size="50"), KEY) == (form(size="50"), None)
    assert without_addresses(form(email="none of yours"), KEY) == (form(), None)


@pytest.mark.parametrize(
    ("name", "value"),
    [("Email", "not one"), ("message", "write to dana@acme.example, please"), ("dana@acme.example", "x")],
)
def test_other_fields_with_an_address_are_left_out_and_tell_nothing(name: str, value: str) -> None:
    assert without_addresses(form(**{name: value, "size": "50"}), KEY) == (form(size="50"), None)


@given(st.dictionaries(st.text(max_size=20), st.one_of(st.text(max_size=50), st.emails()), max_size=5))
def test_no_address_gets_into_an_event(fields: dict[str, str]) -> None:
    clean, said = without_addresses(form().model_copy(update={"fields": fields}), KEY)
    written = " ".join([*clean.fields, *clean.fields.values(), said.model_dump_json() if said else ""])
    for value in fields.values():
        local, _, domain = value.partition("@")
        if local.isascii() and local.isalnum() and "." in domain:
            assert value not in written


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("a@acme.example", "acme.example"),
        ("a@eu.mail.acme.com.au", "acme.com.au"),
        ("a@gmail.com", None),
        ("a@GMX.de", None),
        ("a@qq.com", None),
        ("a@tuta.io", None),
        ("a@com.au", None),
        ("a@localhost", None),
        ("a@müller.de", "xn--mller-kva.de"),
        ("a@foo_bar.de", None),
        ("a@" + "x" * 300 + ".de", None),
    ],
)
def test_a_company_is_known_by_the_registrable_domain_and_free_mail_by_none(address: str, domain: str | None) -> None:
    assert company_domain(address) == domain


@given(st.text(max_size=300))
def test_whatever_is_typed_is_a_domain_or_is_not(text: str) -> None:
    owned = registrable(text)
    assert owned is None or registrable(owned) == owned
