"""Figures over the live page: by a signed link, under a strict policy, and whoever looks is no reader."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from producers.bundling import Bundler
from producers.collector.app import build_app
from producers.collector.dead_letters import DeadLetters
from producers.collector.state import Collector
from producers.links import email_link
from producers.snippet import script, tag
from readbrief.demo.local_server import LocalServer
from readbrief.screenshot import take_pictures
from readbrief.workers import as_environment
from schemas.errors import InputError
from schemas.settings import Settings, Site
from sinks.clickhouse import content_queries
from sinks.clickhouse.client import connect
from sinks.clickhouse.content_queries import Audience, Scope
from sinks.web.overlay import overlay_link, overlay_of, read_claims
from sinks.web.pictures import marks, picture_bytes, picture_for, pictures_of
from tests.sinks.clickhouse_store import migrated_database
from tests.sinks.content_store import CLICKS, HOSTILE, READERS, STAFF, fill
from tests.sinks.store_samples import NOW_MS
from tests.sinks.web_world import MARKETER, Pages, served_pages
from tests.support.artifacts import kept
from tests.support.browser import chromium
from tests.support.clickhouse import ClickHouseAddress

SLOWLY_S = 0.6
DAY = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
MONTH = (DAY - timedelta(days=29), DAY)
ARTICLE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Prices</title>
<link rel="stylesheet" href="/site.css">{tag}
<header><b>Nordhaven</b><a class="button" id="buy" href="/quote#terms">Ask for a quote</a></header>
<main><h1>One price per machine, and what it holds</h1>
<p>Unplanned standstill costs more than the sensor that would have foretold it. Here is what each plan holds.</p>
<h2 id="plans">Plans</h2>
<div class="plans"><a class="more" href="/large">Plan &lt;Large&gt;</a>
<a class="more" href="/pricing?plan=small">Plan Small</a></div>
<h2 id="terms">Terms</h2>{text}</main></html>"""
SHEET = """body { font: 17px/1.6 Georgia, serif; margin: 0; color: #22303c; }
header { display: flex; justify-content: space-between; align-items: center; padding: 18px 40px; background: #16324f; color: #fff; }
main { max-width: 760px; margin: 0 auto; padding: 30px 20px; } h1 { font-size: 34px; line-height: 1.2; }
a { display: inline-block; color: #16324f; background: #e0b528; padding: 10px 18px; border-radius: 6px; }
.plans { display: flex; justify-content: space-between; margin: 160px 0; } .more { background: #dfe8ef; padding: 30px 60px; }"""  # noqa: E501


@dataclass
class World:
    settings: Settings
    site: str
    collector: str
    posted: list[str]

    def link(self, **whose: object) -> str:
        audience = replace(Audience(), **whose)  # type: ignore[arg-type]
        link = overlay_link(self.settings, Scope(f"{self.site}/pricing", *MONTH, audience), "en", now_ms=NOW_MS)
        assert link
        return link


@pytest.fixture(scope="module")
def world(clickhouse: ClickHouseAddress) -> Iterator[World]:
    with migrated_database(clickhouse) as base:
        site, collector = LocalServer("site"), LocalServer("collector")
        settings = base.model_copy(
            update={"sites": {"docs": Site(origins=(site.origin,))}, "collector_url": collector.origin,
                    "own_accounts": (STAFF,)}
        )  # fmt: skip
        with connect(settings) as client:
            fill(client, f"{site.origin}/pricing")
        posted: list[str] = []
        site.start(_site(collector.origin))
        collector.start(build_app(_collector(settings, posted)))
        try:
            yield World(settings, site.origin, collector.origin, posted)
        finally:
            collector.stop()
            site.stop()


def _collector(settings: Settings, posted: list[str]) -> Collector:
    def keep(*_: object) -> asyncio.Future[None]:
        posted.append("something was told")
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        kept.set_result(None)
        return kept

    return Collector(
        settings, Bundler(keep, 0.01), DeadLetters(keep), lambda _visitor: 0, lambda: True,
        lambda: NOW_MS, script(), overlay=lambda token: overlay_of(settings, token, NOW_MS),
    )  # fmt: skip


async def _in_two(html: str, pause_s: float) -> AsyncIterator[str]:
    """Give a page as a slow server does: its scripts have run when its second half comes."""
    begun, goal, rest = html.partition('<h2 id="terms">')
    yield begun
    await asyncio.sleep(pause_s)
    yield goal + rest


def _site(collector: str) -> Starlette:
    policy = f"default-src 'none'; script-src {collector}; connect-src {collector}; style-src 'self'"

    async def article(request: Request) -> Response:
        text = "<p>Twelve months, then monthly. Spare parts are in. Travel is not.</p>" * 40
        html = ARTICLE.format(tag=tag(collector, "docs"), text=text)
        pace = SLOWLY_S if request.url.path == "/quote" else 0
        return StreamingResponse(
            _in_two(html, pace), media_type="text/html", headers={"content-security-policy": policy}
        )

    async def sheet(_request: Request) -> Response:
        return Response(SHEET, media_type="text/css")

    return Starlette(routes=[Route("/pricing", article), Route("/quote", article), Route("/site.css", sheet)])


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    shown = context.new_page()
    faults: list[str] = []
    shown.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    shown.on("pageerror", lambda error: faults.append(str(error)))
    yield shown
    context.close()
    assert [each for each in faults if "favicon" not in each and "403" not in each] == []


def test_figures_stand_on_their_elements_and_whoever_looks_is_no_reader(world: World, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(world.link())
    meant = [one for one in READERS if one[2] != STAFF]
    legend = page.get_by_role("dialog", name="What readers did here")
    expect(legend).to_contain_text(f"{len(meant)} reads")
    hostile = sum(CLICKS[3][5] * 100 < one[4] for one in meant)
    expect(legend).to_contain_text(f"{hostile} clicks were on elements that are not on the page now")
    page.wait_for_timeout(200)
    page.screenshot(path=kept("content") / "overlay-desktop.png")
    for name in ("buy", "more"):
        box = page.locator("#buy" if name == "buy" else ".more").first.bounding_box()
        assert box
        share = 0.55 if name == "buy" else 0.25
        x, y = box["x"] + box["width"] * share, box["y"] + box["height"] * (0.45 if name == "buy" else 0.55)
        assert _is_drawn(page, x, y), name
    assert not _is_drawn(page, 640, 30)
    page.mouse.move(300, 300)
    page.mouse.wheel(0, 900)
    page.get_by_text("Plan Small").click(force=True)
    assert page.url.startswith(f"{world.site}/pricing#rb-overlay=")
    legend.get_by_role("button", name="Mobile").click()
    expect(legend).to_contain_text("1 reads")
    expect(legend).to_contain_text("another layout")
    page.keyboard.press("Escape")
    expect(legend).to_have_count(0)
    page.get_by_text("Ask for a quote").hover()
    assert _was_silent(world, page, asked)


def _was_silent(world: World, page: Page, asked: list[str]) -> bool:
    told = [url for url in asked if url.endswith("/v1/events")]
    return (world.posted, told, page.evaluate("localStorage.length")) == ([], [], 0)


def test_whoever_closed_the_overlay_is_no_reader_of_this_page_or_of_those_it_leads_to(world: World, page: Page) -> None:
    world.posted.clear()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(world.link())
    legend = page.get_by_role("dialog", name="What readers did here")
    expect(legend).to_be_visible()
    page.keyboard.press("Escape")
    expect(legend).to_have_count(0)
    page.mouse.wheel(0, 900)
    page.locator("h2").first.click()
    page.evaluate("location.hash = '#plans'")
    # As a page does that puts its scripts in anew, and one that speaks to the snippet.
    page.evaluate(
        """src => new Promise(done => {
          const made = Object.assign(document.createElement("script"), { src, onload: done });
          made.dataset.site = "docs";
          document.head.append(made);
        })""",
        f"{world.collector}/rb.js",
    )
    page.evaluate("readbrief('identify', 'x'); readbrief('consent', 'granted')")
    assert _was_silent(world, page, asked)
    page.set_viewport_size({"width": 1280, "height": 300})
    page.get_by_text("Ask for a quote").click()
    expect(page).to_have_url(f"{world.site}/quote#rb-off&terms")
    expect(page.locator("#terms")).to_be_in_viewport()  # where the link led to
    page.mouse.wheel(0, 300)
    page.locator("h1").click()
    page.get_by_text("Plan Small").click()
    expect(page).to_have_url(f"{world.site}/pricing?plan=small#rb-off&")
    assert _was_silent(world, page, asked)


def _is_drawn(page: Page, x: float, y: float) -> bool:
    """Say whether the overlay's canvas has anything near a point of the window."""
    return bool(
        page.evaluate(
            """([x, y]) => {
              const host = [...document.body.children].find(each => each.shadowRoot);
              const pen = host.shadowRoot.querySelector("canvas").getContext("2d");
              return pen.getImageData(x - 2, y - 2, 4, 4).data.some((value, n) => n % 4 === 3 && value > 200);
            }""",
            [x, y],
        )
    )


def test_an_overlay_on_a_phone_fits(world: World, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 780})
    try:
        page = context.new_page()
        page.goto(world.link(account_id="acme"))
        legend = page.get_by_role("dialog")
        expect(legend).to_contain_text("2 reads")
        box = legend.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        page.wait_for_timeout(200)
        page.screenshot(path=kept("content") / "overlay-phone.png")
    finally:
        context.close()


def test_a_link_shows_its_audience_and_no_other(world: World) -> None:
    for whose, views in (
        (dict[str, object](), 15),
        ({"reps": ("ann",)}, 2),
        ({"reps": ("ann",), "account_id": "bolt"}, 0),
    ):
        token = world.link(**whose).partition("#rb-overlay=")[2]
        answer = httpx.post(f"{world.collector}/v1/overlay", content=token, headers={"origin": world.site})
        assert answer.headers["access-control-allow-origin"] == world.site
        assert answer.json()["curves"][""]["views"] == views
    elsewhere = httpx.post(f"{world.collector}/v1/overlay", content=token, headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in elsewhere.headers


def test_forged_and_expired_tokens_are_refused(world: World, page: Page) -> None:
    token = world.link(reps=("ann",)).partition("#rb-overlay=")[2]
    other = world.settings.model_copy(update={"secret": type(world.settings.secret)("another secret, long enough")})
    mail = email_link(world.settings, "docs", "ada", "spring", f"{world.site}/pricing", now_ms=NOW_MS)
    forged = overlay_link(other, Scope(f"{world.site}/pricing", *MONTH), "en", now_ms=NOW_MS)
    assert forged
    for bad in (token[:-2], token + "x", "", "\x00" * 20, forged.partition("overlay=")[2], mail.rpartition("/l/")[2]):
        assert httpx.post(f"{world.collector}/v1/overlay", content=bad).status_code == 403
    assert httpx.post(f"{world.collector}/v1/overlay", content="x" * 10_000).status_code == 413
    claims = read_claims(world.settings, token, now_ms=NOW_MS + 8 * 3_600_000)
    assert claims.reps == ("ann",)
    assert claims.until_ms <= NOW_MS + 9 * 3_600_000
    with pytest.raises(InputError, match="expired"):
        read_claims(world.settings, token, now_ms=claims.until_ms)
    page.goto(f"{world.site}/pricing#rb-overlay=made-up")
    expect(page.get_by_text("not valid any more")).to_be_visible()


def test_a_stored_picture_has_the_clicks_on_its_elements_and_taking_it_is_no_reading(
    world: World, browser: Browser
) -> None:
    world.posted.clear()
    url = f"{world.site}/pricing"
    output = subprocess.run(
        [sys.executable, "-m", "readbrief", "screenshot", url, "--width", "1280", "--width", "390",
         "--browser", chromium()],
        env={**os.environ, **as_environment(world.settings)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert output.returncode == 0, output.stderr
    assert world.posted == []
    with connect(world.settings) as client:
        wide, narrow = pictures_of(client, url)
        spots = content_queries.clicks(client, Scope(url, *MONTH, Audience(own=(STAFF,))))
        picture = picture_bytes(client, url, 1280)
    assert (wide.device, narrow.device, picture_for((wide, narrow), "mobile")) == ("desktop", "mobile", narrow)
    assert picture
    assert picture[:2] == b"\xff\xd8"
    made = marks(wide, spots)
    (buy,) = (box for box in wide.boxes if box.element == "a.button#buy")
    assert any(
        (round(mark.x), round(mark.y)) == (round(buy.x + buy.width * 0.55), round(buy.y + buy.height * 0.45))
        for mark in made
    )
    large, small = sorted((box for box in wide.boxes if box.element == "a.more"), key=lambda box: box.x)
    for box in (large, small):
        assert any(box.x < mark.x < box.x + box.width and box.y < mark.y < box.y + box.height for mark in made)
    assert made[-1].share == 1
    with served_pages(world.settings) as pages, pages.client(MARKETER) as reader:
        shown = reader.get("/content/page", params={"url": url})
        assert shown.text.count('<circle class="dot') == len(made)
        assert reader.get("/content/picture", params={"url": url, "width": "1280"}).content == picture
        _look(browser, pages, url)
        for bad in ("", "7", "x", "99999999", "-1"):
            assert reader.get("/content/picture", params={"url": url, "width": bad}).status_code == 404
    with pytest.raises(InputError, match="no origin"):
        take_pictures(world.settings, "https://evil.example/")


def _look(browser: Browser, pages: Pages, url: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": "readbrief", "value": pages.cookie(MARKETER), "url": pages.url}])
    try:
        tab = context.new_page()
        tab.goto(f"{pages.url}/content/page?{urlencode({'url': url})}")
        loaded = "fetch(document.querySelector('.shot image').href.baseVal).then(answer => answer.ok)"
        assert tab.evaluate(loaded)
        tab.screenshot(path=kept("content") / "picture.png", full_page=True)
    finally:
        context.close()


def test_no_link_leads_to_a_page_that_is_none_of_ours(world: World) -> None:
    for url in ("https://evil.example/pricing", "javascript:alert(1)", HOSTILE):
        assert overlay_link(world.settings, Scope(url, *MONTH), "en", now_ms=NOW_MS) is None


def test_a_page_without_the_link_is_read_as_ever(world: World, page: Page, figure: Callable[[str], None]) -> None:
    with page.expect_response("**/v1/events") as told:
        page.goto(f"{world.site}/pricing#plans")
    assert told.value.status == 204
    world.posted.clear()
    figure(f"overlay: {len(httpx.get(f'{world.collector}/overlay.js').content)} bytes before compression")
