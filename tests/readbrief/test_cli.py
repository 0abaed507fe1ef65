"""The command line: one line for what a person can mend, exit codes, help with examples."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from readbrief.cli import app
from tests.support.ports import free_port

SECRET = "a secret for tests only"


def readbrief(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "readbrief", *arguments],
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("topics", "create"),
        ("run", "streams"),
        ("run", "delivery"),
        ("run", "clickhouse"),
        ("directory", "import", "x.csv"),
        ("identity", "show", "visitor-1"),
        ("identity", "withdraw", "visitor-1", "--reason", "x"),
    ],
    ids=" ".join,
)
def test_a_server_that_is_not_up_is_one_line_that_says_what_to_do(arguments: tuple[str, ...], tmp_path: Path) -> None:
    nowhere = str(free_port())
    playbook = tmp_path / "playbook.yaml"
    playbook.write_text("company: Example\n")
    done = readbrief(
        *arguments,
        READBRIEF_SECRET=SECRET,
        READBRIEF_PLAYBOOK=str(playbook),
        READBRIEF_KAFKA_BOOTSTRAP=f"127.0.0.1:{nowhere}",
        READBRIEF_CLICKHOUSE_PORT=nowhere,
        READBRIEF_LOG_LEVEL="error",
        READBRIEF_START_WAIT_S="1",
    )
    assert done.returncode == 1
    line = done.stderr.strip()
    assert len(line.splitlines()) == 1, line
    assert line.startswith("error: ")
    assert nowhere in line
    assert "READBRIEF_" in line


def test_a_missing_setting_is_one_line_that_names_it() -> None:
    done = readbrief("run", "collector")
    assert (done.returncode, done.stderr.strip()) == (1, "error: READBRIEF_SECRET: Field required")


def test_an_unknown_process_is_a_usage_error() -> None:
    done = readbrief("run", "everything", READBRIEF_SECRET=SECRET)
    assert done.returncode == 2
    assert "collector, streams, clickhouse, delivery, web, reports" in done.stderr


def test_a_playbook_with_a_wrong_field_is_refused_before_anything_starts(tmp_path: Path) -> None:
    playbook = tmp_path / "playbook.yaml"
    playbook.write_text("company: Example\ntriggers: {session_grace: 3}\n")
    done = readbrief("up", "--data", str(tmp_path / "data"), "--playbook", str(playbook))
    assert done.returncode == 1
    assert (
        f"error: {playbook}:2:12: triggers.session_grace: unknown key; did you mean 'session_grace_s'?" in done.stderr
    )
    assert not (tmp_path / "data").exists()


def test_playbook_check_prints_every_fault(tmp_path: Path) -> None:
    playbook = tmp_path / "playbook.yaml"
    playbook.write_text("company: Example\ntriggers: {session_grace: 3}\nnext_step: {}\n")
    done = readbrief("playbook", "check", str(playbook))
    assert done.returncode == 1
    assert [line.removeprefix(str(playbook)).split(":")[1] for line in done.stdout.splitlines()] == ["2", "3"]
    machine = readbrief("playbook", "check", str(playbook), "--json")
    said = json.loads(machine.stdout)
    assert machine.returncode == 1
    assert [(fault["line"], fault["field"]) for fault in said["faults"]] == [
        (2, "triggers.session_grace"),
        (3, "next_step"),
    ]
    playbook.write_text("company: Example\n")
    assert readbrief("playbook", "check", str(playbook)).returncode == 0


def test_a_directory_without_a_stack_is_said(tmp_path: Path) -> None:
    done = readbrief("migrate", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "start it with `readbrief up`" in done.stderr


def test_every_schema_is_exported(tmp_path: Path) -> None:
    done = readbrief("schemas", "export", str(tmp_path / "out"))
    assert done.returncode == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"Bundle.schema.json", "Brief.schema.json", "Playbook.schema.json"} <= names
    for path in (tmp_path / "out").iterdir():
        assert json.loads(path.read_text())["title"] == path.name.removesuffix(".schema.json")


def test_the_snippet_is_printed_as_served() -> None:
    done = readbrief("snippet")
    assert done.returncode == 0
    assert "readbrief" in done.stdout


def every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found += [(name, sub) for sub in inner] if inner else [(name,)]
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_explains_itself_with_an_example(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert f"readbrief {' '.join(words)}" in done.stdout.split("Example")[1]
