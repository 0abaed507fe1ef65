"""The screen shows what came in and what went out, on a terminal and elsewhere."""

import io
from typing import Any

import pytest
from rich.console import Console

from readbrief.demo.screen import Screen, on_one_line

SUMMARY: dict[str, Any] = {
    "account": "Brenner Pumpenwerke",
    "rep": "Jonas Weber",
    "channel": "email",
    "language": "de",
    "headline": "Katrin Brenner hat die Preise gelesen",
    "reads": [
        {
            "title": "One price \x1b[2J[bold]per machine",
            "url": "http://127.0.0.1/pricing",
            "active_s": 132,
            "depth_pct": 93,
            "section": "Three examples",
        },
        {"title": "Home", "url": None, "active_s": 8, "depth_pct": 20, "section": ""},
    ],
    "trigger": "high_intent",
    "brief_ids": ["brief_1"],
    "temperature": "hot",
}


def shown(*, terminal: bool) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=110, color_system=None)
    with Screen(console=console) as screen:
        screen.note("the website is at http://127.0.0.1:1/")
        screen.show_event("page_view", "Katrin \x07Brenner", "One price [red]per machine")
        screen.show_event("identify", "Katrin Brenner", "")
        screen.show_brief({**SUMMARY, "say": ["Ein Preis je Maschine"]})
    return written.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_brief_is_shown_with_who_what_and_why(terminal: bool) -> None:
    text = shown(terminal=terminal)
    for part in (
        "Brenner Pumpenwerke",
        "Katrin Brenner hat die Preise gelesen",
        "to Jonas Weber by email, in German",
        "2 min 12 s",
        "93 %",
        "Three examples",
        "Ein Preis je Maschine",
        "1 briefs sent",
        "http://127.0.0.1:1/",
    ):
        assert part in text
    assert "[bold]per machine" in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text


def test_without_a_terminal_there_are_only_plain_lines() -> None:
    text = shown(terminal=False)
    assert "\x1b" not in text
    assert "│" not in text
    assert "  Katrin Brenner  page view  One price [red]per machine" in text.splitlines()
    assert text.splitlines()[-1] == "2 events  1 pages  1 recognised  1 briefs sent"


def test_machine_output_leaves_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen(machine_output=True) as screen:
        screen.note("hello")
        screen.show_brief(SUMMARY)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hello" in captured.err
    assert "Brenner Pumpenwerke" in captured.err


def test_control_and_formatting_characters_never_reach_the_terminal() -> None:
    assert on_one_line("a\x1b[31m\u202eb\n\u2028c\u200b  林") == "a [31m b c 林"
