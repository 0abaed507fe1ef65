"""`readbrief directory`: import, show, delete, as a person runs them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from readbrief.workers import as_environment
from tests.support.fresh_brokers import broker_settings, fresh_embedded_broker

FILES = Path(__file__).parents[1] / "producers" / "directory_files"
REPS = str(FILES / "reps.csv")
SALESFORCE = [str(FILES / f"{name}.csv") for name in ("User", "Account", "Contact")]
ACME, DANA = "account:001D000000IqhSLIAZ", "contact:0035e00000DaNa1AAF"


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with fresh_embedded_broker(tmp_path_factory.mktemp("broker")) as address:
        yield address


def directory(bootstrap: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "COLUMNS": "200", **as_environment(broker_settings(bootstrap))}
    command = [sys.executable, "-m", "readbrief", "directory", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def told(bootstrap: str, *arguments: str) -> str:
    done = directory(bootstrap, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.timeout(180)
def test_what_is_imported_is_shown_until_it_is_deleted(bootstrap: str, tmp_path: Path) -> None:
    imported = directory(bootstrap, "import", REPS, *SALESFORCE)
    assert imported.stdout.strip() == "3 accounts, 2 contacts, 3 reps"
    assert "Contact.csv:6: belongs to no company, and is left out" in imported.stderr
    assert json.loads(told(bootstrap, "show", "--json")) == {"accounts": 3, "contacts": 2, "reps": 3}
    assert json.loads(told(bootstrap, "show", ACME, "--json"))["domains"] == ["acme.example"]
    assert "name: Dana Weiß" in told(bootstrap, "show", DANA)

    # A file that is far from whole deletes nothing unless one insists.
    one = tmp_path / "Account.csv"
    one.write_text("".join((FILES / "Account.csv").read_text().splitlines(keepends=True)[:3]))
    refused = directory(bootstrap, "import", str(one), SALESFORCE[0], "--complete")
    assert refused.returncode == 1
    assert "goes: account:0015e00000AbCdEAAV" in refused.stderr
    assert "add --yes" in refused.stderr
    assert told(bootstrap, "show") == "3 accounts, 2 contacts, 3 reps"
    assert told(bootstrap, "import", str(one), SALESFORCE[0], "--complete", "--yes") == "1 accounts"
    assert told(bootstrap, "show") == "1 accounts, 1 contacts, 3 reps"

    kept = directory(bootstrap, "delete", "rep:rita")
    assert kept.returncode == 1
    assert f"rep:rita can't go: {ACME} still refer to it" in kept.stderr
    assert told(bootstrap, "delete", ACME, "rep:rita") == f"deleted {DANA}\ndeleted {ACME}\ndeleted rep:rita"
    assert told(bootstrap, "show") == "2 reps"
    gone = directory(bootstrap, "show", ACME)
    assert gone.returncode == 1
    assert "is not in the directory" in gone.stderr
