"""The structs read what the models read: nothing that breaks a rule of the contract gets by them."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from producers.report_reading import EVENT_TYPES, _checked, report_of
from schemas.envelope import Report
from tests.producers.reports import SENT, body, report

PAGE = {"event_id": "e1", "occurred_ms": SENT, "page_view_id": "pv1", "url": "https://www.example.com/pricing"}
EVENTS: dict[str, dict[str, Any]] = {
    "page_view": {**PAGE, "title": "Prices", "referrer": "", "viewport": "tablet", "lang": "de"},
    "page_progress": {
        **PAGE, "title": "", "active_ms": 1, "depth_pct": 2, "bands": [3] * 10, "left": True,
        "sections": [{"key": "a", "title": "A", "active_ms": 4}],
    },
    "click": {
        **PAGE, "element": "a", "text": "Go", "href": "/x", "element_x": 0, "element_y": 0.5, "page_x": 1,
        "page_y": 0.1, "viewport": "mobile", "download": False, "outbound": True, "rage": True, "dead": False,
    },
    "copy": {**PAGE, "chars": 3},
    "form_submit": {**PAGE, "form": "f", "fields": {"role": "buyer"}},
    "identify": {"event_id": "e1", "occurred_ms": SENT, "token": "t"},
}  # fmt: skip

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([0, 1, -1, 100, 101, 86_400_000, 86_400_001, 4_102_444_800_000, 4_102_444_800_001])
    | st.floats()
    | st.sampled_from([0.0, 1.0, 1.5, "1", "true", "desktop", "a\n", "a b", "", "x" * 129, "y" * 501, "z" * 2001])
    | st.sampled_from(["https://a\n", "https://a/ b", "HTTPS://a", "https://\x1f", "https://\u2028", "\ud800"])
    | st.text(),
    lambda inner: st.lists(inner, max_size=11) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


def read(data: bytes) -> Report | None:
    """Give what the structs come to, in the contract's own words."""
    try:
        found = report_of(data)
    except ValidationError:
        return None
    return Report.model_validate_json(msgspec.json.encode(found))


def expected(data: bytes) -> Report | None:
    try:
        return Report.model_validate_json(data)
    except ValidationError:
        return None


def test_there_is_an_event_of_every_kind_here() -> None:
    assert {model.model_fields["type"].default for model in EVENT_TYPES.values()} == EVENTS.keys()


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_with_all_its_fields_needs_no_model(kind: str) -> None:
    model = next(each for each in EVENT_TYPES.values() if each.model_fields["type"].default == kind)
    assert EVENTS[kind].keys() == model.model_fields.keys() - {"type"}
    data = body(report({"type": kind, **EVENTS[kind]}))
    assert Report.model_validate_json(msgspec.json.encode(_checked(data))) == expected(data)


@given(st.data(), st.sampled_from(sorted(EVENTS)), values)
def test_any_value_in_any_field_is_read_as_the_models_read_it(data: st.DataObject, kind: str, value: object) -> None:
    said = {"type": kind, **EVENTS[kind]}
    name = data.draw(st.sampled_from(sorted(said)))
    sent = json.dumps(report({**said, name: value})).encode()
    assert read(sent) == expected(sent)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("page_view", "event_id", "e1\n"),
        ("page_view", "page_view_id", "a b"),
        ("click", "url", "https://www.example.com/\n"),
        ("click", "url", "https://www.example.com/\x1f"),  # which only Python takes for a space
        ("copy", "url", "ftp://www.example.com/"),
        ("page_progress", "bands", [1] * 9),
        ("page_progress", "bands", ["1"] * 10),
        ("page_progress", "active_ms", 86_400_001),
        ("page_progress", "depth_pct", 7.0),
        ("form_submit", "fields", {str(number): "" for number in range(31)}),
    ],
)
def test_what_a_struct_alone_would_take_or_refuse_is_read_as_the_models_read_it(
    kind: str, name: str, value: object
) -> None:
    sent = json.dumps(report({"type": kind, **EVENTS[kind], name: value})).encode()
    assert read(sent) == expected(sent)


@given(st.sampled_from(sorted(report())), values)
def test_so_is_any_value_in_any_field_of_the_report(name: str, value: object) -> None:
    sent = json.dumps(report(**{name: value})).encode()
    assert read(sent) == expected(sent)


@given(st.sampled_from(["sections", "bands", "fields"]), values)
def test_so_is_any_value_within_a_list(name: str, value: object) -> None:
    inner = {"sections": [{"key": value, "active_ms": 1}], "bands": [0] * 9 + [value], "fields": {"a": value}}[name]
    kind = "form_submit" if name == "fields" else "page_progress"
    sent = json.dumps(report({"type": kind, **EVENTS[kind], name: inner})).encode()
    assert read(sent) == expected(sent)


@pytest.mark.parametrize("kind", EVENTS)
def test_what_the_contract_does_not_know_goes_no_further(kind: str) -> None:
    sent = body({**report({"type": kind, **EVENTS[kind], "secret": "s3"}), "more": "s3"})
    assert b"s3" not in msgspec.json.encode(report_of(sent))
