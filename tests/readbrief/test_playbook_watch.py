"""A running system follows its playbook's file, and keeps the last good one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from readbrief.playbook_watch import FAULTS, PlaybookWatch
from schemas.errors import InputError

OLD = "company: Old\n"
NEW = "company: New\noutbox: {cooldown_s: 5}\n"
BAD = "company: New\noutbox: {coldown_s: 5}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "playbook.yaml"
    path.write_text(OLD)
    return path


def test_a_good_new_version_is_given_once(file: Path) -> None:
    watch = PlaybookWatch(file)
    assert watch.renewed() is None
    file.write_text(NEW)
    renewed = watch.renewed()
    assert renewed is not None
    assert (renewed.company, watch.playbook.company, watch.renewed()) == ("New", "New", None)


def test_a_bad_version_is_told_once_with_its_line_and_the_last_good_one_stays(file: Path) -> None:
    watch = PlaybookWatch(file)
    file.write_text(BAD)
    with capture_logs() as logs:
        assert watch.renewed() is None
        assert watch.renewed() is None
    (said,) = logs
    assert (said["event"], said["log_level"]) == ("playbook_refused", "error")
    assert said["faults"] == [f"{file}:2:10: outbox.coldown_s: unknown key; did you mean 'cooldown_s'?"]
    assert watch.playbook.company == "Old"
    assert places() == [f"{file}:2:10"]
    file.write_text(NEW)
    assert watch.renewed() is watch.playbook
    assert watch.playbook.company == "New"
    assert places() == []


def places() -> list[str]:
    return [sample.labels["place"] for metric in FAULTS.collect() for sample in metric.samples]


def test_a_file_that_is_gone_leaves_the_last_good_one_until_it_is_back(file: Path) -> None:
    watch = PlaybookWatch(file)
    file.unlink()
    with capture_logs() as logs:
        assert watch.renewed() is None
        assert watch.renewed() is None
    assert [said["event"] for said in logs] == ["playbook_refused"]
    file.write_text(NEW)
    assert watch.renewed() is not None


def test_another_file_put_in_its_place_is_seen(file: Path) -> None:
    watch = PlaybookWatch(file)
    other = file.with_suffix(".new")
    other.write_text(NEW)
    other.rename(file)
    assert watch.renewed() is not None


def test_a_comment_alone_renews_nothing(file: Path) -> None:
    watch = PlaybookWatch(file)
    file.write_text(OLD + "# a remark\n")
    assert watch.renewed() is None


def test_a_bad_file_is_refused_at_the_start(file: Path) -> None:
    file.write_text(BAD)
    with pytest.raises(InputError, match=r"playbook\.yaml:2:10: outbox\.coldown_s"):
        PlaybookWatch(file)


def test_a_worker_does_not_start_with_a_bad_playbook_and_says_where_it_is_wrong(file: Path, tmp_path: Path) -> None:
    file.write_text(BAD)
    # Nothing listens there: a worker that waited for its broker before it looked at the file would not come back so.
    environment = os.environ | {
        "READBRIEF_SECRET": "0123456789abcdef",
        "READBRIEF_PLAYBOOK": str(file),
        "READBRIEF_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    }
    command = [sys.executable, "-m", "readbrief", "run", "streams"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{file}:2:10: outbox.coldown_s: unknown key; did you mean 'cooldown_s'?" in done.stderr
    assert "Traceback" not in done.stderr
