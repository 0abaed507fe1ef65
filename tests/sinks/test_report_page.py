"""The weekly page as people see it: complete in every language, and text of others stays text."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ViewportSize

from schemas.playbook import Playbook, TopicPlay, load_playbook
from sinks.report.page import Page, colleague_page, queries_of, weekly_page
from sinks.report.week import week_named
from sinks.report.weekly import ContentLine, Heard, MoverLine, OwnerlessLine, RepLine, TopicLine, Weekly
from tests.sinks.report_store import BERLIN, HOSTILE, MONDAY_MS, SITE

WEEK = week_named("2026-W47", BERLIN)
PLAYBOOK = Playbook(company="Nordhaven", topics={"pricing": TopicPlay(name={"en": "Price", "zh": "价格"})})
LONG = "White paper: vibration analysis for rotating machines"
REACHED = (1.0, 0.9, 0.8, 0.35, 0.3, 0.25, 0.2, 0.2, 0.1, 0.05)
FULL = Weekly(
    week=WEEK.name, monday=WEEK.monday.isoformat(), since_ms=WEEK.since_ms, until_ms=WEEK.until_ms, reads=1234,
    movers=(MoverLine(f"{SITE}/case", HOSTILE, 3, 7, ("Acme Pumps", "Coil <Works>", "Bolt & Sons")),),
    left=(ContentLine(f"{SITE}/paper", LONG, 120, 80, 44, 70, REACHED, 4),),
    stops=(ContentLine(f"{SITE}/paper", LONG, 120, 80, 44, 70, REACHED, 4),
           ContentLine(f"{SITE}/price", "Prices", 40, 30, 150, 2, (1.0,) * 9 + (0.8,), 10)),
    objections=(TopicLine("pricing", (Heard(HOSTILE, "ann", MONDAY_MS),), ("Prices",)),
                TopicLine("installation", (Heard("Who fits it?", "bo", MONDAY_MS),), ())),
    uncovered=("installation",),
    reps=(RepLine("ann", "Ann Meyer", 12, 9, 6, 1, 8, 1800), RepLine("bo", "Bo Li 李波", 4, 1, 0, 0, 0, None)),
    ownerless=(OwnerlessLine("coil", "Coil <Works>", "lead", "hot"), OwnerlessLine("drum", "Drum", "lead", "cold")),
)  # fmt: skip
EMPTY = Weekly(
    week=WEEK.name, monday=WEEK.monday.isoformat(), since_ms=WEEK.since_ms, until_ms=WEEK.until_ms, reads=0,
    movers=(), left=(), stops=(), objections=(), uncovered=(), reps=(), ownerless=(),
)  # fmt: skip


def rendered(page: Weekly, language: str, *, with_queries: bool = True) -> Page:
    return weekly_page(page, language, PLAYBOOK, with_queries=with_queries)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser's signature
        self.found.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
@pytest.mark.parametrize("page", [FULL, EMPTY])
def test_text_from_outside_stays_text(page: Weekly, language: str) -> None:
    shown = rendered(page, language)
    tags = Tags()
    tags.feed(shown.html)
    assert "script" not in tags.found
    assert (HOSTILE in tags.text) == (page is FULL)
    assert "{{" not in shown.html + shown.text


def test_every_number_stands_with_its_query_on_the_web_and_none_in_a_mail() -> None:
    shown = rendered(FULL, "en").html
    for name in ("movers", "contents", "objections", "topics", "reps", "owners"):
        first_line = queries_of(FULL)[name].splitlines()[-2].strip()
        assert first_line.replace("'", "&#39;").replace("<", "&lt;").replace(">", "&gt;") in shown, name
    assert shown.count("<details") == 7
    assert "<details" not in rendered(FULL, "en", with_queries=False).html


def test_the_text_part_says_the_same() -> None:
    text = rendered(FULL, "en").text
    for said in ("Acme Pumps", "58%", "30\u201340 %", "Who fits it?", "Price (1)", "30 min", "Coil <Works> (hot)"):
        assert said in text, said
    assert re.search(r"Week 2026-W47", text)


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_the_page_fits_desktop_and_phone_in_light_and_dark(
    language: str, browser: Browser, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    file = tmp_path / "week.html"
    file.write_text(rendered(FULL, language).html)
    looks: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1000, "light"), (390, "light"), (1000, "dark"))
    for width, scheme in looks:
        context = browser.new_context(viewport=ViewportSize(width=width, height=900), color_scheme=scheme)
        try:
            shown = context.new_page()
            shown.goto(file.as_uri())
            assert shown.evaluate("document.documentElement.scrollWidth") <= width
            assert shown.locator("h2").count() == 7
            low = shown.evaluate(CONTRAST)
            assert low == [], (language, width, scheme, low)
        finally:
            context.close()
    figure(f"weekly page in {language}: {len(file.read_bytes()) / 1000:.0f} kB with its queries")


DEMO = load_playbook(Path(__file__).parents[2] / "readbrief" / "demo" / "company" / "playbook.yaml")


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_a_new_colleagues_page_says_all_that_the_playbook_has_in_their_language(language: str) -> None:
    page = colleague_page(DEMO, language)
    wanted = [*DEMO.in_30_seconds, *DEMO.company_page.public, *DEMO.company_page.internal, *DEMO.company_page.reach]
    wanted += [text for product in DEMO.products.values() for text in (product.name, product.does, *product.suits)]
    wanted += [text for texts in DEMO.references.values() for text in texts]
    wanted += [DEMO.company_page.industries[slug] for slug in DEMO.references]
    wanted += [text for expert in DEMO.experts.values() for text in (expert.name, expert.reach, *expert.knows)]
    tags = Tags()
    tags.feed(page.html)
    for text in wanted:
        assert DEMO.say(text, language) in tags.text, text
        assert DEMO.say(text, language) in page.text, text


def test_a_new_colleagues_page_leaves_out_what_the_playbook_does_not_have() -> None:
    page = colleague_page(Playbook(company="Nordhaven <b>"), "en")
    assert "<h2" not in page.html
    assert "Nordhaven &lt;b&gt;" in page.html


# Texts whose colour stands out too little from what is behind it (WCAG AA: 4.5 to 1, large ones 3 to 1).
CONTRAST = """() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')].filter(each =>
    each.offsetParent && [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim())
  ).map(each => {
    const style = getComputedStyle(each), pair = [light(parse(style.color)), light(behind(each))].sort((a, b) => b - a);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    return [(pair[0] + 0.05) / (pair[1] + 0.05), large ? 3 : 4.5, each.textContent.trim().slice(0, 40), style.color];
  }).filter(([ratio, needed]) => ratio < needed);
}"""
