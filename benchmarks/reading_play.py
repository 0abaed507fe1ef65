"""One scripted reading under way, and the truth about it."""

from dataclasses import dataclass, field

from playwright.async_api import Page

from tests.producers.pages.reader import HIDE

_LONGEST_STILL_S = 20.0  # less than what the snippet takes for idle


@dataclass
class Truth:
    """When what was read in one page view, by the page's clock; a section of None is time that must not count."""

    marks: list[tuple[int, str | None]] = field(default_factory=list)

    def _spans(self, opened_ms: int) -> list[tuple[int, str]]:
        """Return how long each piece of reading lasted: nothing is owed from before the snippet was there."""
        ends = [at for at, _ in self.marks[1:]]
        spans = zip(self.marks, ends, strict=False)
        return [
            (max(0, end - max(start, opened_ms)), section) for (start, section), end in spans if section is not None
        ]

    def active_ms(self, opened_ms: int) -> int:
        """Return how long it was really read."""
        return sum(ms for ms, _ in self._spans(opened_ms))

    def longest(self, opened_ms: int) -> str:
        """Return the key of the section that was really read longest."""
        total: dict[str, int] = {}
        for ms, section in self._spans(opened_ms):
            total[section] = total.get(section, 0) + ms
        return max(total, key=lambda section: total[section], default="")


class Play:
    """What a reader does, and the truth of each page view it makes."""

    def __init__(self, page: Page, url: str) -> None:
        """Begin with nothing opened."""
        self.page = page
        self._url = url
        self._x = 300
        self.truths: list[Truth] = []

    async def open(self, path: str, section: str | None) -> None:
        """Open a page and begin to read its section, or nothing of it yet."""
        await self.page.goto(self._url + path)
        await self.page.wait_for_function("() => window.readbrief && window.readbrief.loaded")
        opened_ms = int(await self.page.evaluate("Date.now() - performance.now()"))
        self.truths.append(Truth([(opened_ms, section)]))
        await self.stir()

    async def stir(self) -> None:
        """Move the mouse a little: a sign of use."""
        self._x += 3
        await self.page.mouse.move(self._x, 300)

    async def act(self, script: str, section: str | None) -> None:
        """Do something in the page; from that moment on this section is read."""
        at = await self.page.evaluate("script => { const at = Date.now(); (0, eval)(script); return at; }", script)
        self.truths[-1].marks.append((int(at), section))

    async def new_view(self, script: str, section: str) -> None:
        """Do something that ends the page view and begins another in the same document."""
        await self.act(script, None)
        self.truths.append(Truth([(self.truths[-1].marks[-1][0], section)]))

    async def read(self, section: str, seconds: float, y: int | None = None) -> None:
        """Scroll to a place, if one is given, and read for so long."""
        if y is not None:
            await self.act(f"(document.querySelector('main.scrolls') || window).scrollTo(0, {y})", section)
        await self.stir()
        assert seconds < _LONGEST_STILL_S  # noqa: S101 - a script's own mistake
        await self.page.wait_for_timeout(seconds * 1000)

    async def still(self, seconds: float) -> None:
        """Let time pass without a sign of use."""
        await self.page.wait_for_timeout(seconds * 1000)

    async def hide(self, hidden: bool, section: str | None) -> None:
        """Go to another tab, or come back."""
        await self.act(f"({HIDE})({str(hidden).lower()})", section)

    async def away(self, seconds: float, back_to: str) -> None:
        """Be in another tab for so long."""
        await self.hide(True, None)
        await self.still(seconds)
        await self.hide(False, back_to)

    async def end(self) -> None:
        """Leave the page for good."""
        await self.hide(True, None)
        await self.page.goto("about:blank")
