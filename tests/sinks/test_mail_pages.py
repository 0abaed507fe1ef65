"""The HTML mail as Chromium shows it: at a desk and on a phone, in light and dark."""

import base64

import pytest
from playwright.sync_api import Browser, Page

from tests.sinks.golden_briefs import golden_path, rendered
from tests.sinks.golden_situations import SITUATIONS
from tests.support.artifacts import kept

NAME = "turned hot, purchasing read the price twice"
READABLE = 4.5  # WCAG AA
LOOKS = (("en", "light", 700), ("zh-Hans", "dark", 700), ("zh-Hant", "light", 360), ("en", "dark", 360))
"""Language, colour scheme and width; of one situation all, of each other one of them in turn."""

CONTRASTS = """() => {
  const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("div, span, a, td, strong")].filter(each => each.offsetParent &&
    [...each.childNodes].some(node => node.nodeType === 3 && /[\\p{L}\\p{N}]/u.test(node.data)));
  return texts.map(each => {
    const [a, b] = [light(parse(getComputedStyle(each).color)), light(ground(each))];
    return [each.textContent, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
  });
}"""


def shown(browser: Browser, name: str, language: str, scheme: str, width: int) -> Page:
    message = rendered(name, language, buttons=True)
    html = message.html
    for picture in message.pictures:
        data = base64.b64encode(picture.png).decode()
        html = html.replace(f"cid:{picture.cid}", f"data:image/png;base64,{data}")
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_content(html)
    return page


@pytest.mark.parametrize(
    ("name", "language", "scheme", "width"),
    [*((NAME, *look) for look in LOOKS), *((name, *LOOKS[i % len(LOOKS)]) for i, name in enumerate(SITUATIONS))],
)
def test_a_mail_fits_its_window_and_every_text_can_be_read(
    browser: Browser, name: str, language: str, scheme: str, width: int
) -> None:
    page = shown(browser, name, language, scheme, width)
    page.screenshot(
        path=kept("mails") / f"{golden_path(name, language).stem}-{language}-{width}-{scheme}.png", full_page=True
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 10
    assert [(text, ratio) for text, ratio in contrasts if ratio < READABLE] == []
    assert page.evaluate("[...document.images].every(each => each.naturalWidth > 0)")
    is_dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(11, 17, 32)"
    assert is_dark == (scheme == "dark")
    page.close()
