"""One address for one content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.urls import canonical_url, origin_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Example.com/A/", "https://example.com/A"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com:443/a#top", "https://example.com/a"),
        ("https://example.com/#/pricing", "https://example.com/#/pricing"),
        ("http://example.com:8080/a", "http://example.com:8080/a"),
        ("https://example.com/a?utm_source=x&b=2&a=1&gclid=z", "https://example.com/a?a=1&b=2"),
        ("https://example.com/docs/index.html", "https://example.com/docs"),
        ("https://example.com/a?q=", "https://example.com/a?q="),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
        ("https://example.com:99999/a", "https://example.com:99999/a"),
    ],
)
def test_spellings_of_one_page_become_one(url: str, expected: str) -> None:
    assert canonical_url(url) == expected


@given(st.text(max_size=60).map(lambda tail: f"https://example.com/{tail}"))
def test_what_is_canonical_stays_so(url: str) -> None:
    assert canonical_url(canonical_url(url)) == canonical_url(url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://www.example.com/a?b", "https://www.example.com"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("https://www.example.com@evil.example/", None),
        ("https://www.example.com\\@evil.example/", None),
        ("javascript:alert(1)", None),
        ("//evil.example/", None),
        ("https://example.com:port/", None),
    ],
)
def test_an_origin_is_read_as_a_browser_reads_it(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin
