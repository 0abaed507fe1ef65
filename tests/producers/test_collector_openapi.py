"""The HTTP interface keeps what its own OpenAPI document says, whatever is sent."""

from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from producers.collector.openapi import openapi
from tests.producers.collector_process import RunningCollector

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

schema = schemathesis.openapi.from_dict(openapi())


@schema.parametrize()
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_the_document_names(
    case: "schemathesis.Case[Any]", running_collector: RunningCollector
) -> None:
    case.call_and_validate(base_url=running_collector.url, checks=CHECKS)


def test_the_document_is_served(running_collector: RunningCollector) -> None:
    answer = httpx.get(f"{running_collector.url}/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == openapi()
