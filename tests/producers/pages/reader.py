"""A person who reads in a real browser."""

from playwright.sync_api import BrowserContext, Page

from tests.producers.pages.site import Recorder

# No headless browser ever hides a page that is still open, so the page is told that it is hidden.
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => hidden ? "hidden" : "visible" });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""


class Reader:
    """One person with one open page; `errors` holds whatever the page complained of."""

    def __init__(self, context: BrowserContext, recorder: Recorder) -> None:
        self.context = context
        self.recorder = recorder
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self._x = 300

    def open(self, path: str) -> None:
        """Open a page of the site, and wait until the snippet is there."""
        self.page.goto(self.recorder.url + path)
        self.page.wait_for_function("() => window.readbrief && window.readbrief.loaded")

    def stir(self) -> None:
        """Move the mouse a little: a sign of use."""
        self._x += 3
        self.page.mouse.move(self._x, 300)

    def scroll_to(self, y: int) -> None:
        """Turn the wheel until the page is there."""
        here = self.page.evaluate("scrollY")
        self.stir()
        self.page.mouse.wheel(0, y - here)
        self.page.wait_for_function("y => Math.abs(scrollY - y) < 2", arg=y)

    def clock_ms(self) -> int:
        """Return the time by the page's clock, the one that its events are stamped with."""
        return int(self.page.evaluate("Date.now()"))

    def stay(self, seconds: float) -> None:
        """Read on without touching anything."""
        self.page.wait_for_timeout(seconds * 1000)

    def hide(self, hidden: bool = True) -> None:
        """Go to another tab, or come back."""
        self.page.evaluate(HIDE, hidden)

    def leave(self) -> None:
        """Close the page as a reader does who follows a link to elsewhere."""
        self.page.goto("about:blank")
