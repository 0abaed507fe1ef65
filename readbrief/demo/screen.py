"""What the person watching the demo sees: who reads what, and each brief as it goes out.

On a terminal it is a live picture; elsewhere it is plain lines. Whatever came from outside is stripped of control
characters, since a page's title could otherwise paint over the terminal.
"""

import threading
import unicodedata
from collections import Counter, deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_RECENT = 6
_READS_SHOWN = 5
_MINUTE_S = 60
_COLOURS = {"hot": "bold red", "warm": "yellow", "cold": "cyan"}
_LANGUAGES = {"en": "English", "de": "German", "zh": "Chinese"}
_WHY = {"session_end": "has finished reading", "high_intent": "is reading about price or contract"}


def on_one_line(value: object) -> str:
    """Return a value as one line of text without control and formatting characters."""
    flat = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in str(value))
    return " ".join(flat.split())


class Screen:
    """The demo's display; use it as a context manager, and call it from any thread."""

    def __init__(self, *, machine_output: bool = False, console: Console | None = None) -> None:
        """Show on stdout, or on stderr if stdout is wanted for machines."""
        self._console = console or Console(stderr=machine_output, highlight=False)
        self._counts: Counter[str] = Counter()
        self._recent: deque[tuple[str, str, str, str]] = deque(maxlen=_RECENT)
        self._pinned: list[str] = []
        self._live: Live | None = None
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        """Begin the live picture, if there is a terminal for it."""
        if self._console.is_terminal:
            self._live = Live(self._picture(), console=self._console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the live picture, and leave the totals."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._counts:
            self._print(self._totals())

    def note(self, text: str) -> None:
        """Say one line about how the demo goes on."""
        self._print(Text.assemble(("· ", "dim"), on_one_line(text)))

    def pin(self, text: str) -> None:
        """Say one line that stays in sight as long as the picture lives."""
        with self._lock:
            self._pinned.append(on_one_line(text))
            if self._live is not None:
                self._live.update(self._picture())
                return
        self.note(text)

    def problem(self, text: str) -> None:
        """Say what went wrong."""
        self._print(Text.assemble(("! ", "bold red"), on_one_line(text)))

    def show_event(self, kind: str, reader: str, page: str, detail: str = "") -> None:
        """Count one event, and show who did what on which page."""
        with self._lock:
            self._counts["events"] += 1
            self._counts[kind] += 1
            self._recent.append(
                (on_one_line(reader), on_one_line(kind).replace("_", " "), on_one_line(page), on_one_line(detail))
            )
            if self._live is not None:
                self._live.update(self._picture())
            else:
                self._console.print(Text("  " + "  ".join(part for part in self._recent[-1] if part)), soft_wrap=True)

    def show_brief(self, summary: Mapping[str, Any]) -> None:
        """Show one brief as it goes out; `say`, if it is there, holds what the rep is told to stress and to say."""
        with self._lock:
            self._counts["briefs"] += 1
            if self._live is not None:
                self._print(_panel(summary))
                self._live.update(self._picture())
                return
            for line in _lines(summary):
                self._console.print(Text(line), soft_wrap=True)

    def _print(self, what: RenderableType) -> None:
        self._console.print(what, soft_wrap=isinstance(what, Text))

    def _picture(self) -> RenderableType:
        table = Table(box=None, show_header=False, padding=(0, 1), expand=True)
        for column, style in (("who", "bold"), ("what", "dim"), ("page", ""), ("detail", "dim")):
            table.add_column(column, style=style, no_wrap=True, overflow="ellipsis", ratio=3 if column == "page" else 2)
        for row in self._recent:
            table.add_row(*(Text(cell) for cell in row))
        pinned = [Text(text, style="cyan", overflow="fold") for text in self._pinned]
        return Panel(
            Group(table, self._totals(), *pinned),
            title="coming in",
            title_align="left",
            border_style="dim",
            box=box.ROUNDED,
        )

    def _totals(self) -> Text:
        counts = self._counts
        text = Text.assemble(
            (f"{counts['events']}", "bold"), " events  ", (f"{counts['page_view']}", "bold"), " pages  "
        )
        text.append_text(Text.assemble((f"{counts['identify']}", "bold"), " recognised  "))
        return text.append_text(Text.assemble((f"{counts['briefs']}", "bold green"), " briefs sent"))


def _panel(summary: Mapping[str, Any]) -> Panel:
    temperature = on_one_line(summary["temperature"])
    reads = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    reads.add_column(overflow="fold")
    reads.add_column(justify="right", no_wrap=True)
    reads.add_column(justify="right", no_wrap=True)
    reads.add_column(style="dim", overflow="fold")
    for read in summary["reads"][:_READS_SHOWN]:
        reads.add_row(*(Text(cell) for cell in _read_cells(read)))
    parts: list[RenderableType] = [
        Text(on_one_line(summary["headline"]), style="bold"),
        Text(_route(summary), "dim"),
        Text(),
    ]
    parts.append(reads)
    if (more := len(summary["reads"]) - _READS_SHOWN) > 0:
        parts.append(Text(f"and {more} more", "dim"))
    says = [on_one_line(each) for each in summary.get("say", ())]
    if says:
        parts += [Text(), *(Text.assemble(("→ ", "green"), each) for each in says)]
    title = Text.assemble(
        " ", (on_one_line(summary["account"]), "bold"), "  ", (temperature, _COLOURS.get(temperature, "")), " "
    )
    return Panel(Group(*parts), title=title, title_align="left", border_style="green", box=box.ROUNDED, padding=(1, 2))


def _lines(summary: Mapping[str, Any]) -> list[str]:
    account, temperature, headline = (on_one_line(summary[key]) for key in ("account", "temperature", "headline"))
    reads = (", ".join(cell for cell in _read_cells(read) if cell) for read in summary["reads"])
    return [
        f"BRIEF {account} ({temperature}): {headline}",
        f"  {_route(summary)}",
        *(f"  - {read}" for read in reads),
        *(f"  > {on_one_line(each)}" for each in summary.get("say", ())),
    ]


def _route(summary: Mapping[str, Any]) -> str:
    language = on_one_line(summary["language"])
    trigger = on_one_line(summary["trigger"])
    return (
        f"to {on_one_line(summary['rep'])} by {on_one_line(summary['channel'])}, "
        f"in {_LANGUAGES.get(language, language)}: {_WHY.get(trigger, trigger.replace('_', ' '))}"
    )


def _read_cells(read: Mapping[str, Any]) -> tuple[str, str, str, str]:
    section = on_one_line(read["section"])
    return (
        on_one_line(read["title"]),
        _duration(int(read["active_s"])),
        f"{int(read['depth_pct'])} %",
        f"longest at “{section}”" if section else "",
    )


def _duration(seconds: int) -> str:
    return f"{seconds // _MINUTE_S} min {seconds % _MINUTE_S:02} s" if seconds >= _MINUTE_S else f"{seconds} s"
