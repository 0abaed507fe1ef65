"""A child process of the stack: it does not outlive the one that started it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.support.ports import free_port
from tests.support.processes import PROJECT

STARTS_A_WORKER = """
import sys, time
from pathlib import Path
from readbrief.child import Child
child = Child("delivery", [sys.executable, "-m", "readbrief", "run", "delivery"], Path(sys.argv[1]),
              {"READBRIEF_KAFKA_BOOTSTRAP": "127.0.0.1:" + sys.argv[2], "READBRIEF_SECRET": "a secret for tests only"})
child.start()
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_worker_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "delivery.log"
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTS_A_WORKER, str(log), str(free_port())], stdout=subprocess.PIPE, cwd=PROJECT
    )
    with parent:
        assert parent.stdout
        worker = psutil.Process(int(parent.stdout.readline()))
        deadline = time.monotonic() + 60
        while "kafka" not in log.read_text().lower():  # it waits for a broker, so it is past its start
            assert worker.is_running(), log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        parent.send_signal(signal.SIGKILL)
    assert psutil.wait_procs([worker], timeout=30)[1] == []
