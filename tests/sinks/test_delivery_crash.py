"""A process killed at any point sends no delivery twice, and what became of it is always told.

claim -> send -> note the end -> tell the outcome -> commit
"""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.settings import Settings
from tests.sinks.clickhouse_store import migrated_database
from tests.sinks.delivery_samples import a_delivery
from tests.sinks.delivery_servers import MailServer, mail_server
from tests.support.clickhouse import ClickHouseAddress
from tests.support.processes import PROJECT


@pytest.fixture(scope="module")
def settings(clickhouse: ClickHouseAddress) -> Iterator[Settings]:
    with migrated_database(clickhouse) as spare:
        yield spare


class Scene:
    """One delivery, a mail server that counts, and processes that come and go."""

    def __init__(self, settings: Settings, server: MailServer, directory: Path) -> None:
        self.server = server
        self.delivery = directory / "delivery.json"
        self.delivery.write_bytes(a_delivery(delivery_id=f"delivery-{uuid.uuid4().hex}").to_bytes())
        self.outcomes = directory / "outcomes"
        self.outcomes.touch()
        self.environment = os.environ | {
            "READBRIEF_SECRET": "a-secret-of-the-tests",
            "READBRIEF_CLICKHOUSE_HOST": settings.clickhouse_host,
            "READBRIEF_CLICKHOUSE_PORT": str(settings.clickhouse_port),
            "READBRIEF_CLICKHOUSE_DATABASE": settings.clickhouse_database,
            "READBRIEF_SMTP_PORT": str(server.port),
        }

    def handle(self, point: str) -> int:
        """Let a process handle the delivery and die at a point; give its exit code."""
        command = [sys.executable, "-m", "tests.sinks.delivery_child", point, str(self.delivery), str(self.outcomes)]
        child = subprocess.Popen(command, cwd=PROJECT, env=self.environment, stderr=subprocess.PIPE)
        if point == "during-send":
            self.server.on_mail = child.kill
        _, errors = child.communicate(timeout=60)
        self.server.on_mail = lambda: None
        assert child.returncode in (0, -signal.SIGKILL), errors.decode()
        return child.returncode

    def told(self) -> list[dict[str, Any]]:
        lines = self.outcomes.read_bytes().splitlines()
        assert all(line.startswith(b"outcomes rep-1 ") for line in lines)
        return [json.loads(line.split(b" ", 2)[2]) for line in lines]


@pytest.fixture
def scene(settings: Settings, tmp_path: Path) -> Iterator[Scene]:
    with mail_server() as server:
        yield Scene(settings, server, tmp_path)


@pytest.mark.parametrize(
    ("point", "mails_then", "mails_in_the_end", "kind"),
    [
        ("before-claim", 0, 1, "sent"),
        ("after-claim", 0, 0, "uncertain"),
        ("during-send", 1, 1, "uncertain"),
        ("before-end", 1, 1, "uncertain"),
        ("after-end", 1, 1, "sent"),
        ("after-outcome", 1, 1, "sent"),
    ],
)
def test_a_delivery_survives_a_kill_at_any_point_and_is_never_sent_twice(
    scene: Scene, point: str, mails_then: int, mails_in_the_end: int, kind: str
) -> None:
    assert scene.handle(point) == -signal.SIGKILL
    assert len(scene.server.mails) == mails_then
    for _ in range(2):
        assert scene.handle("none") == 0
        assert len(scene.server.mails) == mails_in_the_end
    told = scene.told()
    assert {outcome["kind"] for outcome in told} == {kind}
    assert len(told) == (3 if point == "after-outcome" else 2)
    assert all(outcome == told[0] for outcome in told)


def test_without_a_kill_it_is_sent_and_told(scene: Scene) -> None:
    assert scene.handle("none") == 0
    assert len(scene.server.mails) == 1
    assert [outcome["kind"] for outcome in scene.told()] == ["sent"]
