"""The embedded ClickHouse's process: what it keeps when it is killed, how it ends, and what it refuses to start on."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from clickhouse_driver import Client

from readbrief.embedded import clickhouse as embedded
from tests.support.clickhouse import ClickHouseAddress, start_clickhouse
from tests.support.ports import free_port
from tests.support.processes import running, start


def connect(address: ClickHouseAddress, **options: Any) -> Client:
    return Client(address.host, address.port, **options)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    address = ClickHouseAddress("127.0.0.1", free_port())
    server = start_clickhouse(address.port, tmp_path / "data", tmp_path / "output.log")
    acknowledged: list[int] = []

    def insert_until_cut_off(first: int) -> None:
        with suppress(Exception), connect(address) as own:
            for number in range(first, first + 100_000):
                own.execute("INSERT INTO t VALUES", [(number, "x" * 100)])
                acknowledged.append(number)

    try:
        with connect(address) as client:
            client.execute("CREATE TABLE t (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
        writers = [threading.Thread(target=insert_until_cut_off, args=(k * 1_000_000,)) for k in range(3)]
        for writer in writers:
            writer.start()
        wait_until(lambda: len(acknowledged) > 60)
        server.kill()
        for writer in writers:
            writer.join(10)
        server = start_clickhouse(address.port, tmp_path / "data", tmp_path / "output.log")
        with connect(address) as client:
            kept = {number for (number,) in client.execute("SELECT n FROM t")}
    finally:
        server.stop()

    assert set(acknowledged) <= kept
    assert len(kept) <= len(acknowledged) + len(writers)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_soon_and_in_order_when_asked_to(tmp_path: Path, number: signal.Signals) -> None:
    address = ClickHouseAddress("127.0.0.1", free_port())
    server = start_clickhouse(address.port, tmp_path / "data", tmp_path / "output.log")
    idle, busy, cut_off = connect(address), connect(address), connect(address)
    idle.execute("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
    errors: list[Exception] = []

    def ask(client: Client, query: str) -> None:
        try:
            client.execute(query)
        except (OSError, EOFError) as error:
            errors.append(error)

    queries = [
        threading.Thread(target=ask, args=(busy, "INSERT INTO t SELECT number + sleep(1) FROM numbers(1)")),
        threading.Thread(target=ask, args=(cut_off, "SELECT count() FROM numbers(1e13) WHERE sipHash64(number) = 1")),
    ]
    for query in queries:
        query.start()
    wait_until(lambda: idle.execute("SELECT count() FROM system.processes") == [(3,)])
    began = time.monotonic()
    server.process.send_signal(number)
    code = server.process.wait(10)
    seconds = time.monotonic() - began
    for query in queries:
        query.join(10)

    assert (code, seconds < 5, len(errors)) == (0, True, 1), server.tail()
    server = start_clickhouse(address.port, tmp_path / "data", tmp_path / "output.log")
    try:
        assert idle.execute("SELECT n FROM t") == [(0,)]
    finally:
        server.stop()


def test_a_taken_port_or_directory_is_named(clickhouse: ClickHouseAddress, tmp_path: Path) -> None:
    port = free_port()
    data = tmp_path / "data"
    with running(
        embedded.command(port, data), tmp_path / "first.log", ready=lambda: embedded.wait_ready("127.0.0.1", port, 0)
    ):
        second = start(embedded.command(free_port(), data), tmp_path / "second.log")
        assert second.process.wait(20) == 1
        assert f"{data} is in use by another process" in second.tail()
    third = start(embedded.command(clickhouse.port, tmp_path / "other"), tmp_path / "third.log")
    assert third.process.wait(20) == 1
    assert f"port {clickhouse.port} of 127.0.0.1 is taken" in third.tail()
    assert not (tmp_path / "other").exists()


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    port = free_port()
    script = (
        "import subprocess, sys, time\n"
        "print(subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL).pid, flush=True)\n"
        "time.sleep(60)"
    )
    command = embedded.command(port, tmp_path / "data")
    parent = subprocess.Popen([command[0], "-c", script, *command], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        embedded.wait_ready("127.0.0.1", port, 30)
    finally:
        parent.kill()
        parent.wait()
    child.wait(10)


def test_memory_stays_small(tmp_path: Path) -> None:
    address = ClickHouseAddress("127.0.0.1", free_port())
    server = start_clickhouse(address.port, tmp_path / "data", tmp_path / "output.log")
    try:
        with connect(address) as client:
            client.execute("CREATE TABLE t (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
            for first in range(0, 100_000, 1000):
                client.execute("INSERT INTO t VALUES", [(number, str(number)) for number in range(first, first + 1000)])
            time.sleep(1)
            assert psutil.Process(server.process.pid).memory_info().rss < 600e6
    finally:
        server.stop()
