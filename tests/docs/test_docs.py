"""The docs say what is so."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from readbrief.cli import app
from readbrief.reference import reference
from readbrief.workers import as_environment
from schemas.playbook import (
    CommitteeRules,
    HandOverRules,
    InterestRules,
    OutboxRules,
    Playbook,
    TemperatureRules,
    TriggerRules,
    load_playbook,
)
from tests.support.clickhouse import ClickHouseAddress
from tests.support.fresh_brokers import broker_settings, fresh_embedded_broker
from tests.support.ports import free_port
from tests.support.processes import start

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def blocks(page: str) -> list[list[str]]:
    """Return the lines of each shell block."""
    return [found.strip().splitlines() for found in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)]


def run(line: str, directory: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    words = shlex.split(line.replace("docs/example", str(ROOT / "docs" / "example")))
    assert words[0] == "readbrief"
    command = [sys.executable, "-m", "readbrief", *words[1:]]
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_reference_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "reference.md").read_text() == reference(), (
        "run: python -m readbrief.reference docs/reference.md"
    )


def test_the_readme_gives_a_newcomer_exactly_two_commands() -> None:
    commands = re.findall(r"^ make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands == ["demo", "test"]
    explained = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("setup", "demo", "test", "check", "bench"):
        assert re.search(rf"^  make {target}\s+\w", explained, re.MULTILINE), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_in_the_text_exists(page: Path) -> None:
    top = get_command(app)
    for words in re.findall(r"`readbrief ([a-z]+(?: [a-z]+)?)", page.read_text()):
        name, _, sub = words.partition(" ")
        command = top.commands[name]  # type: ignore[attr-defined]
        assert not hasattr(command, "commands") or sub in command.commands, words


@pytest.mark.timeout(120)
def test_the_walk_through_on_one_machine_works_as_written(tmp_path: Path) -> None:
    begin, commands = blocks(OPERATIONS)[:2]
    port = free_port()
    sites = begin[0].removeprefix("export READBRIEF_SITES=").strip("'")
    environment = {"PATH": "/usr/bin:/bin", "READBRIEF_SITES": sites}
    words = shlex.split(begin[1].replace("8080", str(port)).replace("docs/example", str(ROOT / "docs" / "example")))
    words[words.index("./data")] = str(tmp_path / "data")
    running = start([sys.executable, "-m", *words], tmp_path / "up.log", environment=environment)

    def ready() -> None:
        assert "ready" in running.tail()

    try:
        running.wait_until(ready, 60)
        printed = []
        for line in commands:
            done = run(line, tmp_path, environment)
            assert done.returncode == 0, (line, done.stderr)
            printed.append(done.stdout.strip())
        assert printed[0] == "2 accounts, 2 contacts, 3 contents, 2 reps"
        assert printed[1] == f'<script async src="http://127.0.0.1:{port}/rb.js" data-site="www"></script>'
        assert printed[2].startswith(f"http://127.0.0.1:{port}/l/")
    finally:
        assert running.stop(30) == 0


def test_topics_and_tables_are_made_by_the_commands_as_written(tmp_path: Path, clickhouse: ClickHouseAddress) -> None:
    (commands,) = [block for block in blocks(OPERATIONS) if block[0] == "readbrief topics create"]
    with fresh_embedded_broker(tmp_path) as bootstrap:
        update = {"clickhouse_port": clickhouse.port, "clickhouse_database": f"docs_{free_port()}"}
        settings = broker_settings(bootstrap).model_copy(update=update)
        environment = {"PATH": "/usr/bin:/bin", **as_environment(settings)}
        for line, word in zip(commands, ("nothing to do", "applied 0001"), strict=True):
            done = run(line, tmp_path, environment)
            assert done.returncode == 0, done.stderr
            assert word in done.stdout


def test_the_example_and_the_tables_of_the_playbook_page_are_so() -> None:
    load_playbook(ROOT / "docs" / "example" / "playbook.yaml")
    page = (ROOT / "docs" / "playbook.md").read_text()
    for rules in (
        TriggerRules(),
        TemperatureRules(),
        OutboxRules(),
        InterestRules(),
        CommitteeRules(),
        HandOverRules(),
    ):
        for name, value in rules:
            assert f"`{name}`" in page, name
            if isinstance(value, int | float):
                assert re.search(rf"`{name}`[^\n]*\b{value:g}\b", page), (name, value)
    for name in Playbook.model_fields:
        assert f"`{name}" in page, name


def test_the_compose_file_satisfies_the_compose_schema() -> None:
    command = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*command, str(ROOT / "docker-compose.yml")], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_compose_file_runs_processes_and_settings_that_exist() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    ours = {name: service for name, service in compose["services"].items() if service.get("build") == "."}
    assert {service["command"] for service in ours.values()} == {
        "topics create", "migrate", "run collector", "run streams", "run clickhouse", "run delivery",
        "run web", "run reports",
    }  # fmt: skip
    known = re.findall(r"`(READBRIEF_\w+)`", reference())
    for service in ours.values():
        assert set(service["environment"]) <= set(known)
    for service in ours.values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source == "./playbook.yaml" or source in compose["volumes"], volume
