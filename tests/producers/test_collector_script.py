"""The snippet as served: compressed as each browser takes it."""

import gzip

import brotli
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from producers.collector.script_file import accepted_encodings, serve_script
from producers.snippet import script


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(Starlette(routes=[Route("/rb.js", serve_script(script()))]))


@pytest.mark.parametrize(
    ("accepted", "served"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP;q=1.0, br;q=0", "gzip"),
        ("br; q=0.000, gzip; q=0", None),
        ("identity", None),
        ("", None),
        ("deflate, x;q=", None),
    ],
)
def test_a_browser_gets_the_smallest_form_it_takes(client: TestClient, accepted: str, served: str | None) -> None:
    with client.stream("GET", "/rb.js", headers={"accept-encoding": accepted}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == served
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(body)
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[served]
    assert unpack(body) == script()


def test_each_form_has_a_tag_of_its_own(client: TestClient) -> None:
    forms = ("br", "gzip", "identity")
    tags = [client.get("/rb.js", headers={"accept-encoding": form}).headers["etag"] for form in forms]
    assert len(set(tags)) == 3
    confirmed = client.get("/rb.js", headers={"accept-encoding": "br", "if-none-match": tags[0]})
    assert (confirmed.status_code, confirmed.headers["vary"]) == (304, "Accept-Encoding")
    assert client.get("/rb.js", headers={"accept-encoding": "br", "if-none-match": tags[1]}).status_code == 200


def test_an_encoding_of_no_weight_is_refused() -> None:
    assert accepted_encodings("br;q=0, gzip;q=0.5, Zstd") == {"gzip", "zstd"}
