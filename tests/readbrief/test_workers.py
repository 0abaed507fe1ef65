"""What a production process loads at its start."""

import subprocess
import sys

from tests.support.processes import PROJECT


def test_a_stream_worker_loads_no_second_kafka_client() -> None:
    loads = "import sys, readbrief.cli, readbrief.workers, sinks.broker_wait, sinks.directory_feed, streams.app"
    found = subprocess.run(
        [sys.executable, "-c", f"{loads}; print(*{{'aiokafka', 'kafka'}} & set(sys.modules))"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.split() == ["aiokafka"]
