"""The invented company's website serves every page with the snippet, and needs nothing from elsewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest

from readbrief.demo.pages import load_pages
from readbrief.demo.site import CompanySite
from schemas.errors import UnavailableError

COLLECTOR = "http://127.0.0.1:9"
TAG = f'<script async src="{COLLECTOR}/rb.js" data-site="nordhaven"></script>'
PATHS = sorted(load_pages())


@pytest.fixture(scope="module")
def site() -> Iterator[CompanySite]:
    served = CompanySite()
    served.start(COLLECTOR, "nordhaven")
    yield served
    served.stop()


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"href", "src", "action"} and value]


@pytest.mark.parametrize("path", PATHS)
def test_every_page_renders_with_its_title_and_the_snippet(site: CompanySite, path: str) -> None:
    answer = httpx.get(site.origin + path)
    assert answer.status_code == 200
    page = load_pages()[path]
    assert f"<title>{page.title}</title>" in answer.text
    assert answer.text.count(TAG) == 1
    for section in page.sections:
        assert section.title in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_a_page_links_only_to_what_is_there_and_loads_nothing_from_elsewhere(site: CompanySite, path: str) -> None:
    addresses = _Addresses()
    addresses.feed(httpx.get(site.origin + path).text)
    assert len(addresses.found) > 8
    for address in addresses.found:
        if address == f"{COLLECTOR}/rb.js":
            continue
        assert address.startswith(("/", "#")), address
        target, _, anchor = address.partition("#")
        answer = httpx.get(site.origin + (target or path))
        assert answer.status_code == 200, address
        assert not anchor or f'id="{anchor}"' in answer.text, address


def test_the_design_is_one_file_without_foreign_addresses(site: CompanySite) -> None:
    css = httpx.get(f"{site.origin}/site.css").text
    assert "prefers-color-scheme: dark" in css
    assert not re.search(r"https?:|@import|url\(", css)


def test_a_form_is_answered_on_its_own_page(site: CompanySite) -> None:
    answer = httpx.post(f"{site.origin}/pricing", data={"machines": "26"})
    assert answer.status_code == 200
    assert "Thank you" in answer.text
    assert "Thank you" not in httpx.get(f"{site.origin}/pricing").text


def test_unknown_pages_are_404(site: CompanySite) -> None:
    assert httpx.get(f"{site.origin}/no-such-page").status_code == 404
    assert httpx.get(f"{site.origin}/../playbook.yaml").status_code == 404


def test_the_origin_is_known_before_the_start_and_the_port_is_given_back() -> None:
    site = CompanySite()
    with pytest.raises(httpx.ConnectError):
        httpx.get(site.origin)
    site.start(COLLECTOR, "k")
    assert httpx.get(site.origin).status_code == 200
    site.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(site.origin)


def test_a_taken_port_is_said_clearly(site: CompanySite) -> None:
    port = int(site.origin.rpartition(":")[2])
    with pytest.raises(UnavailableError, match=f"port {port} is taken"):
        CompanySite(port)
