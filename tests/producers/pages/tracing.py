"""What scripts cost a page, by Chromium's own tracing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel", "blink.user_timing"]
_SCRIPTS = {"FunctionCall", "EvaluateScript", "v8.compile", "v8.evaluateModule"}
_LAYOUTS = {"Layout", "UpdateLayoutTree"}


@dataclass
class Cost:
    """Milliseconds that one script took in each task it ran in, and the layouts that it made the browser work out."""

    task_ms: list[float] = field(default_factory=list)
    forced: list[tuple[str, str]] = field(default_factory=list)  # what was worked out, in which kind of event
    calls: int = 0


@contextmanager
def traced(page: Page, script: str, slowdown: int) -> Iterator[Cost]:
    """Measure a script, by the end of its address, while the page runs on a CPU so many times slower."""
    cost = Cost()
    browser = page.context.browser
    assert browser is not None
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    browser.start_tracing(page=page, categories=CATEGORIES)
    try:
        yield cost
    finally:
        trace = json.loads(browser.stop_tracing())
        session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        session.detach()
    _measure([event for event in trace["traceEvents"] if event.get("ph") == "X"], script, cost)


def _measure(events: list[dict[str, Any]], script: str, cost: Cost) -> None:
    calls = _outermost([event for event in events if event["name"] in _SCRIPTS and _url(event).endswith(script)])
    tasks = [event for event in events if event["name"] in {"RunTask", "ThreadControllerImpl::RunTask"}]
    by_task: dict[tuple[int, float], float] = {}
    for call in calls:
        around = [each for each in tasks if _within(call, each)]
        task = around[0] if around else call
        place = (task["tid"], task["ts"])
        # Time on the CPU, where Chromium tells it: what other programs take is not the script's.
        by_task[place] = by_task.get(place, 0) + call.get("tdur", call["dur"]) / 1000
    cost.calls = len(calls)
    cost.task_ms = sorted(by_task.values())
    dispatches = [event for event in events if event["name"] == "EventDispatch"]
    for event in events:
        if event["name"] in _LAYOUTS:
            for call in (each for each in calls if _within(event, each)):
                kinds = [each["args"]["data"]["type"] for each in dispatches if _within(call, each)]
                cost.forced.append((event["name"], kinds[0] if kinds else ""))


def _url(event: dict[str, Any]) -> str:
    data = event.get("args", {}).get("data", {})
    return str(data.get("url", "")) if isinstance(data, dict) else ""


def _outermost(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if not any(_within(event, other) for other in events if other is not event)]


def _within(inner: dict[str, Any], outer: dict[str, Any]) -> bool:
    same_thread = bool(inner["tid"] == outer["tid"])
    return same_thread and bool(outer["ts"] <= inner["ts"] <= inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"])
