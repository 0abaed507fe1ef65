"""`readbrief up`: the whole system on one machine, stopped and started again, and with processes dying."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest
from clickhouse_driver import Client

from tests.support.browser import PERSON
from tests.support.ports import free_port
from tests.support.processes import Running, start
from tests.support.receivers import HOST, Mailbox, receiving_chat, receiving_mail, wait_until

COMPANY = Path(__file__).parents[2] / "docs" / "example"
SITE = "https://www.vendor.example"
MAX_MEMORY_BYTES = 1_500_000_000
pytestmark = pytest.mark.timeout(240)


@dataclass
class Stack:
    """A running `readbrief up`, and how to talk to it."""

    running: Running
    data: Path
    port: int

    def settings(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.data / "settings.json").read_text())
        return found

    def query(self, query: str) -> list[tuple[object, ...]]:
        with Client(HOST, port=int(self.settings()["READBRIEF_CLICKHOUSE_PORT"]), database="readbrief") as client:
            rows: list[tuple[object, ...]] = client.execute(query)
            return rows

    def processes(self) -> dict[str, psutil.Process]:
        """The children by the name of what they run."""
        found = {}
        for child in psutil.Process(self.running.process.pid).children(recursive=True):
            try:
                words = " ".join(child.cmdline())
            except psutil.Error:
                continue  # it has just ended
            for name in ("collector", "streams", "delivery", "run clickhouse", "embedded.clickhouse", "tansu"):
                if name in words:
                    found[name] = child
        return found


@contextmanager
def up(data: Path, mail: Mailbox, chat: Mailbox, port: int) -> Iterator[Stack]:
    """Have the stack running from the moment it says that it is ready."""
    environment = {
        "READBRIEF_SITES": json.dumps({"docs": {"origins": [SITE]}}),
        "READBRIEF_SMTP_PORT": str(mail.port),
        "READBRIEF_CHAT_TARGETS": json.dumps({"sales": f"json://{HOST}:{chat.port}/"}),
    }
    command = [sys.executable, "-m", "readbrief", "up", "--data", str(data), "--port", str(port)]
    output = data.parent / "up.log"
    began = len(output.read_text()) if output.exists() else 0
    running = start([*command, "--playbook", str(COMPANY / "playbook.yaml")], output, environment=environment)

    def ready() -> None:
        assert "ready: collector at" in output.read_text()[began:]

    try:
        running.wait_until(ready, 60)
        yield Stack(running, data, port)
    finally:
        running.stop()


def command(stack: Stack, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "readbrief", *arguments, "--data", str(stack.data)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def import_company(stack: Stack) -> None:
    files = [str(COMPANY / f"{kind}.csv") for kind in ("accounts", "contacts", "reps")]
    assert command(stack, "directory", "import", *files) == "2 accounts, 2 contacts, 2 reps"


def landing_token(stack: Stack, contact: str) -> str:
    """Follow an email link as a browser does, and return what the page gets."""
    link = command(
        stack, "link", "--site", "docs", "--contact", contact, "--campaign", "spring", "--url", f"{SITE}/sensors"
    )

    return httpx.get(link, headers={"User-Agent": PERSON}).headers["Location"].split("#rb=")[1]


def report(stack: Stack, visitor: str, *events: dict[str, object]) -> int:
    now_ms = time.time_ns() // 1_000_000
    body = {"v": 1, "site": "docs", "visitor_id": visitor, "sent_ms": now_ms}
    body["events"] = [{"occurred_ms": now_ms, **event} for event in events]
    url = f"http://{HOST}:{stack.port}/v1/events"
    return httpx.post(url, json=body, headers={"Origin": SITE, "User-Agent": PERSON}, timeout=10).status_code


def progress(name: str, active_s: int) -> dict[str, object]:
    return {
        "type": "page_progress", "event_id": f"{name}-{active_s}", "page_view_id": name, "url": f"{SITE}/sensors",
        "title": "Sensors", "active_ms": active_s * 1000, "depth_pct": 80, "left": True,
    }  # fmt: skip


def test_started_again_it_has_what_it_had_and_sends_nothing_twice(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    port = free_port()
    with receiving_mail() as mail, receiving_chat() as chat:
        with up(tmp_path / "data", mail, chat, port) as stack:
            import_company(stack)
            token = landing_token(stack, "dana")
            identify: dict[str, object] = {"type": "identify", "event_id": "id-1", "token": token}
            assert report(stack, "visitor-1", identify, progress("pv-1", 40)) == 204
            assert len(mail.wait_for(1, 30)) == 1
            assert len(chat.wait_for(1, 30)) == 1
            assert wait_until(lambda: stack.query("SELECT 1 FROM outcomes") or None, 15)
            refuses_a_second_stack_on_its_directory(stack)
            take_back_an_identification(stack)
            for number in range(200):
                assert report(stack, f"visitor-a{number}", progress(f"pv-a{number}", 5)) == 204
            memory = sum(one.memory_info().rss for one in stack.processes().values())
            children = list(stack.processes().values())
            stack.running.process.send_signal(signal.SIGINT)
            assert stack.running.process.wait(30) == 0
            assert "may be lost" not in stack.running.tail()
            assert not psutil.wait_procs(children, timeout=5)[1], "a process outlived its supervisor"
        with up(tmp_path / "data", mail, chat, port) as stack:
            # What was accepted just before the end is there.
            assert stack.query("SELECT count() FROM events FINAL WHERE page_view_id LIKE 'pv-a%'") == [(200,)]
            assert stack.query("SELECT count() FROM briefs FINAL") == [(1,)]
            # Nobody says again who this is: that is known from before.
            assert report(stack, "visitor-1", progress("pv-1", 40), progress("pv-2", 25)) == 204
            assert len(mail.wait_for(2, 30)) == 2
            assert wait_until(lambda: stack.query("SELECT 1 FROM briefs FINAL LIMIT 1, 1") or None, 15)
            told = stack.query("SELECT JSONExtractKeys(message, 'told') FROM briefs FINAL ORDER BY decided")
            assert told == [(["pv-1"],), (["pv-2"],)]
            has_taken_the_identification_back(stack)
            time.sleep(3)  # a second mail on the same reading would have come by now
        assert (len(mail.received), len(chat.received)) == (2, 2)
    figure(f"whole stack: {memory / 1e6:.0f} MB of memory (target: {MAX_MEMORY_BYTES / 1e6:.0f})")
    assert memory < MAX_MEMORY_BYTES


def refuses_a_second_stack_on_its_directory(stack: Stack) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "readbrief", "up", "--data", stack.data, "--playbook", COMPANY / "playbook.yaml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert second.returncode == 1
    assert second.stderr.strip().endswith("stop it, or choose another")
    assert len(second.stderr.strip().splitlines()) == 1


def interest_of_bolt(stack: Stack) -> list[tuple[object, ...]]:
    return stack.query("SELECT readers, active_ms_last_7_days FROM interest FINAL WHERE account_id = 'bolt'")


def identified_as_fay(stack: Stack) -> list[tuple[object, ...]]:
    return stack.query("SELECT contact_id, withdrawn FROM identified FINAL WHERE visitor_id = 'visitor-f'")


def take_back_an_identification(stack: Stack) -> None:
    """Have a visitor taken for Fay, and take that back; what was read is too little for a brief."""
    sign: dict[str, object] = {"type": "identify", "event_id": "id-f", "token": landing_token(stack, "fay")}
    assert report(stack, "visitor-f", sign, progress("pv-f", 4)) == 204
    known = [(["fay"], 4_000)]
    assert wait_until(
        lambda: (interest_of_bolt(stack) == known and identified_as_fay(stack) == [("fay", False)]) or None, 20
    )
    assert '"event_id": "id-f"' in command(stack, "identity", "show", "visitor-f")
    back = ("identity", "withdraw", "visitor-f", "--event", "id-f", "--reason", "Forwarded", "--json")
    assert json.loads(command(stack, *back))["evidence_id"] == "id-f"
    assert wait_until(lambda: interest_of_bolt(stack) == [([], 0)] or None, 20)
    assert wait_until(lambda: identified_as_fay(stack) == [("fay", True)] or None, 20)


def has_taken_the_identification_back(stack: Stack) -> None:
    """See that after a restart the visitor is nobody still, and that Fay's own reading counts."""
    assert report(stack, "visitor-f", progress("pv-g", 3)) == 204
    stored = "SELECT count() FROM events FINAL WHERE page_view_id = 'pv-g'"
    assert wait_until(lambda: stack.query(stored) == [(1,)] or None, 20)
    sign: dict[str, object] = {"type": "identify", "event_id": "id-g", "token": landing_token(stack, "fay")}
    assert report(stack, "visitor-g", sign, progress("pv-h", 2)) == 204
    assert wait_until(lambda: interest_of_bolt(stack) == [(["fay"], 2_000)] or None, 20), interest_of_bolt(stack)
    assert identified_as_fay(stack) == [("fay", True)]


def test_a_process_that_dies_is_replaced_and_the_next_reading_is_told(tmp_path: Path) -> None:
    with receiving_mail() as mail, receiving_chat() as chat, up(tmp_path / "data", mail, chat, free_port()) as stack:
        import_company(stack)
        identify: dict[str, object] = {"type": "identify", "event_id": "id-1", "token": landing_token(stack, "fay")}
        assert report(stack, "visitor-1", identify, progress("pv-0", 40)) == 204
        assert len(mail.wait_for(1, 30)) == 1
        for number, victim in enumerate(("delivery", "collector", "streams", "tansu", "embedded.clickhouse"), 1):
            assert wait_until(partial(has_outcomes, stack, number), 20), victim
            before = stack.processes()[victim].pid
            os.kill(before, signal.SIGKILL)
            replaced = partial(tells_again, stack, victim, before, f"pv-{number}")
            assert wait_until(replaced, 60), (victim, stack.running.tail())
            assert len(mail.wait_for(number + 1, 40)) == number + 1, (victim, stack.running.tail())
        assert stack.running.tail().count("starting it again") >= number


def has_outcomes(stack: Stack, count: int) -> bool | None:
    return stack.query("SELECT uniq(delivery_id) FROM outcomes") >= [(count,)] or None


def tells_again(stack: Stack, victim: str, before: int, name: str) -> bool | None:
    """Return True once a process has been replaced, and a reading is accepted."""
    now = stack.processes().get(victim)
    try:
        return (now is not None and now.pid != before and report(stack, "visitor-1", progress(name, 30)) == 204) or None
    except httpx.HTTPError:
        return None  # the collector is not back yet


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with receiving_mail() as taken:
        second = subprocess.run(
            [sys.executable, "-m", "readbrief", "up", "--data", tmp_path, "--playbook", COMPANY / "playbook.yaml",
             "--port", str(taken.port)],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert second.returncode == 1
    assert second.stderr.strip().endswith(f"port {taken.port} of {HOST} is taken: stop what uses it or choose another")
    assert not any((tmp_path / "logs").iterdir()), "something was started"
