"""What is read of an envelope without the models is what they read, and what they refuse is refused."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from schemas.envelope import Envelope
from schemas.events import Identify, IdentifyMethod
from streams.envelope_heads import envelope_in
from tests.streams.journeys import START_MS, envelope, journeys

NAMED = envelope(
    "v",
    START_MS,
    Identify(
        event_id="i", occurred_ms=START_MS, contact_id="dana", method=IdentifyMethod.email_link, campaign_id="spring"
    ),
)
ODD: tuple[object, ...] = (
    None, True, -1, 0, 1.5, 5_000_000_000_000, [], {},
    "", "v\n", "a b", "x" * 129, "acme.example", "email_link", "203.0.113.0/24",
)  # fmt: skip
EVENT_FIELDS = ("event_id", "occurred_ms", "type", "contact_id", "method", "campaign_id", "domain", "reason")
FIELDS = ("site", "visitor_id", "sent_ms", "received_ms", "occurred_ms", "automated", "client_network", "unknown")


def read(data: bytes) -> Envelope | None:
    try:
        return envelope_in(msgspec.Raw(data))
    except ValidationError:
        return None


def read_by_models(data: bytes) -> Envelope | None:
    try:
        return Envelope.model_validate_json(data)
    except ValidationError:
        return None


@settings(max_examples=40, deadline=None)
@given(journeys())
def test_any_envelope_is_read_as_the_models_read_it(envelopes: list[Envelope]) -> None:
    for one in [*envelopes, NAMED]:
        assert envelope_in(msgspec.Raw(one.model_dump_json().encode())) == one


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_value_in_any_field_is_taken_or_refused_as_the_models_do(odd: object) -> None:
    for name in EVENT_FIELDS:
        said: dict[str, Any] = json.loads(NAMED.model_dump_json())
        said["event"][name] = odd
        assert read(json.dumps(said).encode()) == read_by_models(json.dumps(said).encode()), name
    for name in FIELDS:
        said = {**json.loads(NAMED.model_dump_json()), name: odd}
        assert read(json.dumps(said).encode()) == read_by_models(json.dumps(said).encode()), name


@pytest.mark.parametrize("name", ["event", *EVENT_FIELDS[:5], *FIELDS[:5]])
def test_a_field_that_is_missing_is_missed(name: str) -> None:
    said: dict[str, Any] = json.loads(NAMED.model_dump_json())
    inner = said["event"] if name in said["event"] else said
    del inner[name]
    assert read(json.dumps(said).encode()) is None
    assert read_by_models(json.dumps(said).encode()) is None
