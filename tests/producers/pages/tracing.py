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


@dataclass(frozen=True)
class Cost:
    """Milliseconds that one script took in each task it ran in, and the layouts that it made the browser work out."""

    task_ms: list[float]
    forced: list[tuple[str, str]]  # what was worked out, in which kind of event


@dataclass
class Trace:
    """What happened in the page, in the order of Chromium's trace."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def cost(self, script: str) -> Cost:
        """Return what a script cost, by the end of its address."""
        calls = _outermost([each for each in self.events if each["name"] in _SCRIPTS and _url(each).endswith(script)])
        return Cost(sorted(self._by_task(calls).values()), list(self._forced(calls)))

    def _by_task(self, calls: list[dict[str, Any]]) -> dict[tuple[int, float], float]:
        tasks = [event for event in self.events if event["name"] in {"RunTask", "ThreadControllerImpl::RunTask"}]
        by_task: dict[tuple[int, float], float] = {}
        for call in calls:
            around = [each for each in tasks if _within(call, each)]
            task = around[0] if around else call
            place = (task["tid"], task["ts"])
            # Time on the CPU, where Chromium tells it: what other programs take is not the script's.
            by_task[place] = by_task.get(place, 0) + call.get("tdur", call["dur"]) / 1000
        return by_task

    def _forced(self, calls: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        dispatches = [event for event in self.events if event["name"] == "EventDispatch"]
        for event in self.events:
            for call in (each for each in calls if event["name"] in _LAYOUTS and _within(event, each)):
                kinds = [each["args"]["data"]["type"] for each in dispatches if _within(call, each)]
                yield event["name"], kinds[0] if kinds else ""


@contextmanager
def traced(page: Page) -> Iterator[Trace]:
    """Trace a page; the trace is there when the block ends."""
    trace = Trace()
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=CATEGORIES)
    try:
        yield trace
    finally:
        recorded = json.loads(browser.stop_tracing())
    trace.events = [event for event in recorded["traceEvents"] if event.get("ph") == "X"]


def _url(event: dict[str, Any]) -> str:
    data = event.get("args", {}).get("data", {})
    return str(data.get("url", "")) if isinstance(data, dict) else ""


def _outermost(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if not any(_within(event, other) for other in events if other is not event)]


def _within(inner: dict[str, Any], outer: dict[str, Any]) -> bool:
    same_thread = bool(inner["tid"] == outer["tid"])
    return same_thread and bool(outer["ts"] <= inner["ts"] <= inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"])
