"""The spool's directory: durable, bounded, in order, shared by workers, and adopted when they die."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from producers.spool import MIN_MAX_BYTES, Spool, SpoolFullError
from producers.spool_records import MAX_RECORD_BYTES, SpoolRecord
from schemas.errors import InputError

_WRITER = """
import sys
from pathlib import Path
from producers.spool import MIN_MAX_BYTES, Spool
from producers.spool_records import SpoolRecord
spool = Spool(Path(sys.argv[1]), MIN_MAX_BYTES)
number = 0
while True:
    futures = [spool.append(SpoolRecord(0, 1, 6, b"%d" % (number + more))) for more in range(7)]
    for future in futures:
        future.result()
        print(number, flush=True)
        number += 1
"""


def record(text: str) -> SpoolRecord:
    return SpoolRecord(0, 1, 6, text.encode())


def drained(spool: Spool) -> list[str]:
    found = []
    while (taken := spool.take(10)).segment is not None:
        found += [each.value.decode() for each in taken.records]
        spool.forget(taken)
    return found


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", MIN_MAX_BYTES)
    yield made
    made.close()


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.spool"))


def test_what_many_append_at_once_is_kept_whole(spool: Spool) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: spool.append(record(str(number))).result(5), range(400)))
    assert sorted(map(int, drained(spool))) == list(range(400))


def test_one_fsync_serves_many_that_wait(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = []
    sync = os.fdatasync

    def slow_sync(fd: int) -> None:
        syncs.append(fd)
        time.sleep(0.02)
        sync(fd)

    monkeypatch.setattr(os, "fdatasync", slow_sync)
    futures = [spool.append(record(str(number))) for number in range(500)]
    for future in futures:
        future.result(5)
    assert 1 <= len(syncs) < 20


def test_nobody_hears_of_success_before_the_disk_has_it(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    sync = os.fdatasync

    def recording_sync(fd: int) -> None:
        sync(fd)
        synced.append(fd)

    monkeypatch.setattr(os, "fdatasync", recording_sync)
    seen: list[int] = []
    future = spool.append(record("x"))
    future.add_done_callback(lambda _: seen.append(len(synced)))
    future.result(5)
    assert seen == [1]


def test_what_is_taken_stays_until_it_is_forgotten(spool: Spool, tmp_path: Path) -> None:
    spool.append(record("a")).result(5)
    assert spool.take(10).records == spool.take(10).records == (record("a"),)
    spool.forget(spool.take(10))
    assert spool.take(10).records == ()
    assert spool.backlog_bytes == 0
    assert files(tmp_path / "spool") == []


def test_a_full_spool_refuses_and_takes_again_when_it_is_emptied(spool: Spool, tmp_path: Path) -> None:
    large = "x" * 300_000
    kept = 0
    while (problem := spool.append(record(large)).exception(5)) is None:
        kept += 1
        assert kept < 100
    assert isinstance(problem, SpoolFullError)
    assert "READBRIEF_SPOOL_MAX_MB" in str(problem)
    assert not spool.accepts()
    total = sum(path.stat().st_size for path in files(tmp_path / "spool"))
    assert MIN_MAX_BYTES * 0.7 < total <= MIN_MAX_BYTES
    assert len(drained(spool)) == kept
    assert spool.accepts()
    spool.append(record("y")).result(5)


def test_a_record_that_kafka_would_not_take_is_refused(spool: Spool) -> None:
    with pytest.raises(InputError, match="too large"):
        spool.append(record("x" * MAX_RECORD_BYTES)).result(5)


def test_a_disk_without_room_fails_the_group_and_keeps_what_was_there(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append(record("before")).result(5)

    def no_room(_fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", no_room)
        with pytest.raises(SpoolFullError, match="No space left"):
            spool.append(record("lost")).result(5)
        assert not spool.accepts()
    spool.append(record("after")).result(5)
    assert spool.accepts()
    assert drained(spool) == ["before", "after"]


def test_a_live_workers_files_are_left_alone_and_a_closed_ones_adopted(spool: Spool, tmp_path: Path) -> None:
    spool.append(record("first")).result(5)
    other = Spool(tmp_path / "spool", MIN_MAX_BYTES)
    try:
        assert drained(other) == []
        other.append(record("second")).result(5)
        spool.close()
        assert other.adopt() > 0
        assert drained(other) == ["first", "second"]
    finally:
        other.close()
    assert files(tmp_path / "spool") == []


@pytest.mark.parametrize("run", range(4))
def test_killed_at_any_moment_nothing_acknowledged_is_lost(tmp_path: Path, run: int) -> None:
    directory = tmp_path / "spool"
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, directory], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(10)]
    time.sleep(run * 0.037)
    writer.send_signal(signal.SIGKILL)
    acknowledged += map(int, writer.stdout.read().split())
    writer.wait()
    with files(directory)[-1].open("ab") as file:
        file.write(b"\xffRB1\x40\0\0\0half a rec")  # as a power cut could leave it
    heir = Spool(directory, MIN_MAX_BYTES)
    try:
        heir.append(record("-1")).result(5)
        found = list(map(int, drained(heir)))
    finally:
        heir.close()
    assert found[: len(acknowledged)] == acknowledged
    assert found[-1] == -1


def test_many_that_die_do_not_fill_the_spool_with_nearly_empty_files(tmp_path: Path) -> None:
    for number in range(30):
        spool = Spool(tmp_path, MIN_MAX_BYTES)
        spool.append(record(str(number))).result(5)
        spool.close()
    assert len(files(tmp_path)) == 1
    heir = Spool(tmp_path, MIN_MAX_BYTES)
    assert drained(heir) == [str(number) for number in range(30)]
    heir.close()


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"READBRIEF_SPOOL_DIR: .*file"):
        Spool(tmp_path / "file", MIN_MAX_BYTES)
