"""The pages as people see them: in a browser, light and dark, at a desk and on a phone, and judged by axe-core."""

import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from sinks.web.question_list import QUESTIONS
from tests.sinks.web_world import MARKETER, MARKUP, Pages, Told, address, interest
from tests.support.artifacts import kept
from tests.support.tracker_clients import axe_script

SHOWN = {
    "accounts": (MARKETER, "/accounts"),
    "account": ("ann", "/accounts/anvil"),
    "rep": ("ann", "/me"),
    "reps": (MARKETER, "/me"),
    "week": (MARKETER, "/week/2026-W47"),
    "health": (MARKETER, "/health"),
    "query": ("ann", "/queries/account-sections?account=acme"),
    "sign-in": ("", "/sign-in"),
    "problem": ("ann", "/accounts/secret"),
}
LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = (
    (1240, "light"),
    (390, "light"),
    (1240, "dark"),
    (390, "dark"),
)


def opened(browser: Browser, pages: Pages, who: str, path: str, width: int = 1240, scheme: Any = "light") -> Page:
    context = browser.new_context(viewport=ViewportSize(width=width, height=900), color_scheme=scheme, bypass_csp=True)
    if who:
        known = who if "@" in who else address(who)
        context.add_cookies([{"name": "readbrief", "value": pages.cookie(known), "url": pages.url}])
    page = context.new_page()
    page.goto(pages.url + path)
    return page


@pytest.mark.parametrize("name", SHOWN)
def test_axe_finds_nothing_serious_and_the_page_fits(
    name: str, browser: Browser, pages: Pages, figure: Callable[[str], None]
) -> None:
    who, path = SHOWN[name]
    checked = 0
    for width, scheme in LOOKS:
        page = opened(browser, pages, who, path, width, scheme)
        try:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, scheme)
            page.screenshot(path=kept("pages") / f"{name}-{width}-{scheme}.png", full_page=True)
            page.evaluate(axe_script())
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            bad = [
                (each["id"], each["impact"], [node["html"][:200] for node in each["nodes"][:3]])
                for each in found["violations"]
                if each["impact"] in ("serious", "critical")
            ]
            assert bad == [], (width, scheme)
            checked += len(found["passes"])
        finally:
            page.context.close()
    assert checked > 0
    figure(f"{name}: axe-core finds nothing serious in {len(LOOKS)} looks; screenshots in {kept('pages')}")


@pytest.mark.parametrize("path", ["/accounts", "/accounts/anvil", "/me", "/week/2026-W47/page"])
def test_markup_from_outside_stays_text(path: str, browser: Browser, pages: Pages) -> None:
    page = opened(browser, pages, "ann", path)
    try:
        assert "<script>document.title=2" in page.inner_text("body")
        assert page.title() not in ("1", "2")
        assert page.locator("body img[src=x]").count() == 0
    finally:
        page.context.close()


def test_a_dead_letters_reason_and_what_is_searched_for_stay_text(browser: Browser, pages: Pages) -> None:
    page = opened(browser, pages, MARKETER, "/health")
    try:
        assert MARKUP.split("&")[0] in page.inner_text("main")
        page.goto(f"{pages.url}/accounts?q=%22%3E%3Cscript%3Edocument.title%3D3%3C/script%3E&temperature=%3Cb%3E")
        assert page.title().startswith("Accounts")
        assert page.locator("main script, main b:text('temperature')").count() == 0
    finally:
        page.context.close()


def test_accounts_are_sorted_filtered_and_searched_by_their_address(pages: Pages) -> None:
    def names(more: str) -> list[str]:
        with pages.client(MARKETER) as client:
            return re.findall(r'<a href="/accounts/(\w+)">', client.get(f"/accounts{more}").text)

    assert names("?sort=name") == ["acme", "anvil", "bolt", "dairy", "quarry", "secret"]
    assert names("?temperature=hot") == ["acme", "secret"]
    assert names("?trend=falling") == ["bolt"]
    assert names("?q=DAIRY.example") == ["dairy"]
    assert names("?rep=ann&sort=name") == ["acme", "anvil", "quarry"]
    assert names("?sort=trend")[0] == "acme"
    assert names("?q=nothing-fits") == []
    assert names("?page=999999999999999999999&days=99999") == []


def test_an_account_shows_who_read_what_and_who_is_missing_and_why_the_rep_was_told(pages: Pages) -> None:
    with pages.client(address("ann")) as client:
        shown = client.get("/accounts/acme").text
    for said in (
        "Acme Reader 1", "One price per machine", "opened a mail", "What a machine costs", "Purchaser",
        "Technical lead", "Unplanned downtime", "outside Ann Meyer&#39;s working hours", "called useful by Ann Meyer",
        "too little was read (triggers.min_session_active_s)",
    ):  # fmt: skip
        assert said in shown, said


def test_every_query_link_shows_its_query_which_runs_as_it_stands(pages: Pages) -> None:
    import html

    of_content = {name for name in QUESTIONS if name.startswith("content")}  # in test_web_content.py
    shown: set[str] = set()
    for who, paths in ((address("cleo"), ("/accounts", "/accounts/acme", "/me")), (MARKETER, ("/health",))):
        with pages.client(who) as client:
            for link in {
                link for path in paths for link in re.findall(r'href="(/queries/[^"]+)"', client.get(path).text)
            }:
                answer = client.get(html.unescape(link))
                assert answer.status_code == 200, link
                sql = html.unescape(re.findall(r"<pre[^>]*>(.*?)</pre>", answer.text, re.DOTALL)[0])
                with pages.web.store.client() as store:
                    store.execute(sql)
                shown.add(re.split(r"[/?]", link)[2])
    assert shown == set(QUESTIONS) - of_content - {"dead-letter"}


def test_a_page_that_has_not_changed_is_not_sent_again(pages: Pages) -> None:
    with pages.client(address("ann")) as client:
        first = client.get("/accounts/acme")
        again = client.get("/accounts/acme", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.text) == (304, "")
        another = client.get("/accounts/anvil", headers={"If-None-Match": first.headers["etag"]})
        assert another.status_code == 200


def test_an_open_page_shows_what_is_new_by_itself(browser: Browser, pages: Pages) -> None:
    from schemas.interest import Temperature, TrendWord
    from tests.sinks.web_world import NOW_MS

    page = opened(browser, pages, "dan", "/accounts?q=dairy")
    try:
        page.wait_for_selector(".pill.none")
        page.locator("tbody a").first.focus()
        with pages.web.store.client() as client:
            Told(client).message(
                "interest", "dairy", interest("dairy", "pricing", Temperature.hot, TrendWord.new, NOW_MS)
            )
        page.wait_for_selector("tbody .pill.hot", timeout=60_000)
        assert page.evaluate("document.activeElement.getAttribute('href')") == "/accounts/dairy"
    finally:
        page.context.close()


def test_a_dead_letter_goes_back_to_where_it_came_from_once_it_is_asked_for(pages: Pages) -> None:
    pages.published.clear()
    with pages.client(MARKETER) as client:
        shown = client.get("/health").text
        token = re.search(r'name="csrf" value="(\w+)"', shown)
        letter = re.search(r'name="dead_letter_id" value="([^"]+)"', shown)
        assert token
        assert letter
        fields = {"csrf": token[1], "dead_letter_id": letter[1]}
        assert client.post("/health/try-again", data={**fields, "csrf": ""}).status_code == 403
        assert client.post("/health/try-again", data={**fields, "dead_letter_id": "none"}).status_code == 404
        assert pages.published == []
        assert client.post("/health/try-again", data=fields).headers["location"] == "/health?again=sent"
    assert pages.published == [("events", None, b"{}", 2)]


def test_every_answer_forbids_scripts_that_are_not_ours(pages: Pages) -> None:
    with pages.client(address("ann")) as client:
        for path in ("/accounts", "/sign-in", "/nowhere", "/week/2026-W47/page"):
            policy = client.get(path).headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'unsafe-inline'" not in policy
            assert "unsafe-inline" not in policy.partition("script-src")[2].split(";")[0]
        assert not re.search(r"<script(?! src=)|\son\w+=|style=", client.get("/accounts/acme").text)
