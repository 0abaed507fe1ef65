"""The demo: the whole embedded stack, an invented company, its readers, and the briefs that come of it."""

import json
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from producers.links import email_link
from readbrief.demo.company_files import DEMO_CONTACT, PLAYBOOK, write_directory
from readbrief.demo.readers import Surroundings, demo_plan, run_readers
from readbrief.demo.receivers import Receivers
from readbrief.demo.screen import Screen
from readbrief.demo.sent_briefs import watch_sent_briefs
from readbrief.demo.site import CompanySite
from readbrief.embedded.ports import free_port
from readbrief.embedded.stack import EmbeddedStack
from readbrief.importing import import_directory
from schemas.errors import ReadbriefError
from schemas.settings import Settings

SITE_KEY = "demo"
MANAGER = "maya.collins@nordhaven.example"
CAMPAIGN = "spring-letter"
PAGE_FOR_YOU = "/route-or-continuous"
CHECK_PERIOD_S = 0.1


class _Tally:
    """Counts delivered briefs, each once though it goes out on several channels, and says when there are enough."""

    def __init__(self, screen: Screen, enough: int | None, began: float, *, machine: bool) -> None:
        self._screen = screen
        self._began = began
        self._enough = enough
        self._machine = machine
        self._seen: set[str] = set()
        self.reached = threading.Event()

    def take(self, summary: dict[str, Any]) -> None:
        new = [brief_id for brief_id in summary["brief_ids"] if brief_id not in self._seen]
        if not new or self.reached.is_set():
            return
        self._seen.update(new)
        if len(self._seen) == len(new):
            self._screen.note(f"first brief {time.monotonic() - self._began:.1f} s after the start")
        self._screen.show_brief(summary)
        if self._machine:
            print(json.dumps(summary, ensure_ascii=False), flush=True)  # noqa: T201 - the one thing on stdout
        if self._enough is not None and len(self._seen) >= self._enough:
            self.reached.set()


def run_demo(exit_after: int | None, stop: threading.Event, *, machine: bool) -> int:
    """Run until enough briefs are delivered, or until told to stop; return the exit code.

    Raises:
        ReadbriefError: something did not start, or the readers could not read.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="readbrief-demo-") as folder, Screen(machine_output=machine) as screen:
        receivers, site = Receivers(), CompanySite()
        stack = EmbeddedStack(Path(folder) / "data", screen.note, **_overrides(receivers, site))
        receivers.start()
        try:
            stack.start()
            files = write_directory(Path(folder) / "company", site.origin)
            import_directory(stack.settings, files, screen.note)
            site.start(stack.settings.collector_url, SITE_KEY)
            screen.note(f"the system is up after {time.monotonic() - began:.1f} s")
            tally = _Tally(screen, exit_after, began, machine=machine)
            _play(stack, site, receivers, screen, tally, stop)
        finally:
            stack.stop()
            site.stop()
            receivers.stop()
    return 0


def _overrides(receivers: Receivers, site: CompanySite) -> dict[str, object]:
    port = free_port()
    return {
        "collector_port": port,
        "collector_url": f"http://127.0.0.1:{port}",
        "sites": {SITE_KEY: {"origins": [site.origin]}},
        "playbook": PLAYBOOK,
        "smtp_port": receivers.smtp_port,
        "chat_targets": {"sales": receivers.chat_target},
        "mail_from": "readbrief <briefs@demo.example>",
    }


def _play(
    stack: EmbeddedStack,
    site: CompanySite,
    receivers: Receivers,
    screen: Screen,
    tally: _Tally,
    stop: threading.Event,
) -> None:
    link = _link_maker(stack.settings)
    with watch_sent_briefs(stack.settings.kafka_bootstrap, tally.take):
        screen.pin(f"read an article yourself: {link(DEMO_CONTACT, site.origin + PAGE_FOR_YOU)}")
        screen.pin(f"the reps' inbox: {receivers.inbox_url}   their chat: {receivers.chat_url}")
        screen.pin(f"their pages: {stack.settings.web_url}   sign in as {MANAGER}; the link comes to the inbox")
        surroundings = Surroundings(stack.settings.collector_url, SITE_KEY, site.origin, link)
        readers = threading.Thread(target=_read, args=(surroundings, screen), daemon=True)
        readers.start()
        while not (stop.is_set() or tally.reached.is_set()):
            stack.mend()
            time.sleep(CHECK_PERIOD_S)


def _read(surroundings: Surroundings, screen: Screen) -> None:
    def show(reader: Any, report: Any) -> None:
        for event in report.events:
            screen.show_event(event.type, reader.name, getattr(event, "title", ""))

    try:
        outcome = run_readers(demo_plan(), surroundings, show)
    except ReadbriefError as error:
        screen.problem(str(error))
        return
    for fault in outcome.faults:
        screen.problem(fault)
    screen.note("all readers have gone; Ctrl-C ends the demo")


def _link_maker(settings: Settings) -> Callable[[str, str], str]:
    def make(contact_id: str, url: str) -> str:
        return email_link(settings, SITE_KEY, contact_id, CAMPAIGN, url, now_ms=time.time_ns() // 1_000_000)

    return make
