"""A reader accepts every older version: a stored sample of each message of each version is read back."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.catalogue import CATALOGUE, json_schemas
from schemas.message import Message

SAMPLES = sorted((Path(__file__).parent / "samples").glob("v*/*.json"))
SET_BY_ENVIRONMENT = {"Settings"}


def holds(value: Any, stored: Any) -> bool:
    """Whether a value has all that was stored; fields that came later may stand beside it."""
    if isinstance(stored, dict):
        return all(key in value and holds(value[key], held) for key, held in stored.items())
    if isinstance(stored, list):
        return len(value) == len(stored) and all(map(holds, value, stored))
    return bool(value == stored)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_stored_sample_is_read_and_nothing_of_it_is_lost(path: Path) -> None:
    adapter = CATALOGUE[path.name.split(".")[0]]
    stored = json.loads(path.read_text())
    read = adapter.validate_json(path.read_bytes())
    again = adapter.dump_python(read, mode="json", exclude_unset=True)  # what was added later has its default
    if "url" in stored and stored.get("kind") == "content":  # kept canonical
        assert again.pop("url") == "https://www.example.com/pricing"
        stored.pop("url")
    assert holds(again, stored)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_stored_sample_satisfies_the_exported_json_schema(path: Path) -> None:
    _validator(path.name.split(".")[0]).validate(json.loads(path.read_text()))


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = _schemas()[name]
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


_schemas = cache(json_schemas)


def test_every_message_has_a_sample() -> None:
    assert {path.name.split(".")[0] for path in SAMPLES} == set(CATALOGUE) - SET_BY_ENVIRONMENT


def test_a_newer_version_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"v\n.*Input should be 1"):
        CATALOGUE["DeadLetter"].validate_json(b'{"v":2}')


def test_a_field_that_a_newer_writer_added_is_no_obstacle() -> None:
    mail = CATALOGUE["RepMail"].validate_json(b'{"v":1,"rep_id":"rita","colour":"red"}')
    assert isinstance(mail, Message)
    assert type(mail).from_bytes(mail.to_bytes()) == mail
