"""The Content pages: what each viewer may see of a page's readers, in every language, and text of others stays text."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal
from urllib.parse import quote, urlencode

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, ViewportSize

from schemas.channel import ChannelKind
from schemas.directory import Channel, Directory, Rep
from schemas.settings import Site
from sinks.clickhouse.client import connect
from sinks.clickhouse.content_queries import Curve
from sinks.web.content import QUESTIONS as ASKED
from sinks.web.content import Tenth, tenths_of
from sinks.web.overlay import read_claims
from tests.sinks.clickhouse_store import migrated_database
from tests.sinks.content_store import HOSTILE, STAFF, URL, entities, fill
from tests.sinks.test_report_page import CONTRAST, Tags
from tests.sinks.web_world import MARKETER, Pages, address, served_pages
from tests.support.artifacts import kept
from tests.support.clickhouse import ClickHouseAddress
from tests.support.tracker_clients import axe_script

QUESTIONS = ("content", "content-curve", "content-sections", "content-clicks", "content-readers", "content-moves")


@pytest.fixture(scope="module")
def pages(clickhouse: ClickHouseAddress) -> Iterator[Pages]:
    with migrated_database(clickhouse) as base:
        settings = base.model_copy(
            update={"own_accounts": (STAFF,), "sites": {"www": Site(origins=("https://www.example.com",))}}
        )
        with connect(settings) as client:
            fill(client)
        with served_pages(settings) as served:
            served.web.directory = _directory()
            yield served


def _directory() -> Directory:
    made = Directory()
    for entity in entities():
        if isinstance(entity, Rep):
            own = Channel(kind=ChannelKind.email, target=address(entity.rep_id))
            made.put(entity.model_copy(update={"channels": (own,)}))
        else:
            made.put(entity)
    return made


def _note(faults: list[str], said: ConsoleMessage) -> None:
    if said.type == "error":
        faults.append(said.text)


def shown(pages: Pages, who: str, path: str = "/content/page", **asked: str) -> httpx.Response:
    with pages.client(who) as client:
        return client.get(f"{path}?{urlencode({'url': URL, **asked})}")


def test_marketing_sees_all_readers_and_the_own_staff_in_no_number(pages: Pages) -> None:
    page = shown(pages, MARKETER).text
    for said in ("Bolt &amp; Sons", "Acme &lt;b&gt;Pumps", "Most often they stop between", "Ask for a quote", "Terms"):
        assert said in page, said
    assert "Nordhaven" not in page
    assert ">warmer<" in page
    assert ">cooler<" not in page
    assert "<b>15</b>" in page
    listed = shown(pages, MARKETER, "/content").text
    assert f"/content/page?url={quote(URL, safe='')}" in listed


def test_a_rep_sees_the_own_accounts_readers_whatever_the_filters_say(pages: Pages) -> None:
    own = shown(pages, address("ann")).text
    assert "<b>2</b>" in own
    assert "Bolt" not in own
    for path in ("/content", "/content/page", *(f"/queries/{name}" for name in QUESTIONS)):
        assert shown(pages, address("ann"), path, account="bolt").status_code == 404
        assert shown(pages, address("ann"), path, account="acme").status_code == 200
        assert shown(pages, "", path).status_code == 303
    assert "<b>2</b>" in shown(pages, address("ann"), function="", device="", reps="bo", everything="1").text
    assert "<b>1</b>" in shown(pages, address("ann"), function="technician").text
    assert "<b>1</b>" in shown(pages, address("ann"), device="mobile").text


def test_the_link_over_the_page_shows_no_more_than_its_viewer_may_see(pages: Pages) -> None:
    for who, reps in ((MARKETER, None), (address("ann"), ("ann",))):
        page = shown(pages, who).text
        token = page.partition("#rb-overlay=")[2].partition('"')[0]
        assert read_claims(pages.web.settings, token, now_ms=pages.web.now_ms()).reps == reps


def test_every_number_names_its_query_which_runs_as_shown(pages: Pages) -> None:
    page = shown(pages, MARKETER, account="acme", function="executive").text
    for name in QUESTIONS[1:]:
        assert f'href="/queries/{name}?' in page, name
        query = shown(pages, MARKETER, f"/queries/{name}", account="acme", function="executive")
        assert "&#39;acme&#39;" in query.text
    with pages.web.store.client() as client:
        given = {"url": URL, "first": "2026-10-24", "last": "2026-11-22", "viewport": "", "own": [STAFF], "reps": [],
                 "account_id": "acme", "function": "executive", "everything": 1}  # fmt: skip
        for question in ASKED:
            assert client.execute(question.as_run(given)), question.name


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "https://www.example.com/no", "x" * 3000, HOSTILE, "\x00"])
def test_a_page_that_nobody_read_says_nothing_and_breaks_nothing(pages: Pages, url: str) -> None:
    with pages.client(MARKETER) as client:
        answer = client.get(f"/content/page?{urlencode({'url': url})}")
    assert answer.status_code in (200, 404)
    tags = Tags()
    tags.feed(answer.text)
    assert "img" not in tags.found


def test_text_from_outside_stays_text(pages: Pages) -> None:
    tags = Tags()
    tags.feed(shown(pages, MARKETER).text)
    assert "img" not in tags.found
    assert tags.found.count("script") == 1
    assert HOSTILE in tags.text


def test_who_came_to_the_end_stopped_nowhere_before_it() -> None:
    reached = (4, 4, 4, 4, 2, 2, 2, 2, 2, 2, 1)
    made = tenths_of(Curve(4, 4, 0, 0, reached, (5,) * 10))
    assert made[3] == Tenth(30, 1.0, 0.5, 5)
    assert made[9].stopped == 0.25
    assert tenths_of(Curve(0, 0, 0, 0, (0,) * 11, (0,) * 10)) == []


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_the_pages_fit_desktop_and_phone_in_light_and_dark(
    language: str, pages: Pages, browser: Browser, figure: Callable[[str], None]
) -> None:
    looks: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (390, "light"), (1280, "dark"))
    for width, scheme in looks:
        context = browser.new_context(viewport=ViewportSize(width=width, height=900), color_scheme=scheme)
        context.add_cookies([{"name": "readbrief", "value": pages.cookie(MARKETER), "url": pages.url}])
        try:
            tab = context.new_page()
            faults: list[str] = []
            tab.on("console", partial(_note, faults))
            for path in ("/content", f"/content/page?{urlencode({'url': URL})}"):
                tab.goto(f"{pages.url}{path}{'&' if '?' in path else '?'}lang={language}")
                assert tab.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
                assert tab.evaluate(CONTRAST) == [], (path, width, scheme)
                name = "page" if "page" in path else "list"
                tab.screenshot(path=kept("content") / f"{name}-{language}-{width}-{scheme}.png", full_page=True)
            assert faults == []
        finally:
            context.close()
    figure(f"content page in {language}: {len(shown(pages, MARKETER, lang=language).content) / 1000:.0f} kB")


@pytest.mark.parametrize("path", ["/content", f"/content/page?{urlencode({'url': URL})}"])
def test_axe_finds_nothing_serious(path: str, pages: Pages, browser: Browser) -> None:
    context = browser.new_context(viewport=ViewportSize(width=390, height=800), bypass_csp=True)
    context.add_cookies([{"name": "readbrief", "value": pages.cookie(MARKETER), "url": pages.url}])
    try:
        tab = context.new_page()
        tab.goto(pages.url + path)
        tab.evaluate(axe_script())
        found = tab.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [one["id"] for one in found["violations"] if one["impact"] in ("serious", "critical")] == []
        assert len(found["passes"]) > 10
    finally:
        context.close()
