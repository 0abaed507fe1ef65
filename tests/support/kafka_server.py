"""A real Apache Kafka for the tests: one node in KRaft mode, on this machine only.

`python -m tests.support.kafka_server --install` fetches its jars beforehand, outside of any test's time limit.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from readbrief.embedded.broker import wait_ready
from tests.support.ports import free_port
from tests.support.processes import Running, start

_POM = Path(__file__).parent / "kafka" / "pom.xml"
_INSTALL_SECONDS = 900
_START_SECONDS = 60.0
_JAVA_OPTIONS = ("-Xms128m", "-Xmx512m", "-XX:+UseG1GC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")


class KafkaUnavailableError(Exception):
    """Real Kafka can't be had here; the message says why."""


def is_available() -> bool:
    """Tell whether this machine has what real Kafka needs."""
    return not _missing_programs()


def _missing_programs() -> list[str]:
    needed = ("java",) if _jars_directory().is_dir() else ("java", "mvn")
    return [program for program in needed if not shutil.which(program)]


def _jars_directory() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "readbrief" / f"kafka-{kafka_version()}"


def kafka_version() -> str:
    """Give the version the tests run on."""
    found = re.search(r"<kafka.version>(.+?)</kafka.version>", _POM.read_text())
    assert found, f"{_POM} names no version"
    return found[1]


def install() -> Path:
    """Fetch Kafka's jars, once per version, and give their directory. Raises KafkaUnavailableError if that fails."""
    jars = _jars_directory()
    if missing := _missing_programs():
        raise KafkaUnavailableError(f"Apache Kafka needs {' and '.join(missing)}")
    if jars.is_dir():
        return jars
    _say(f"Fetching Apache Kafka {kafka_version()} (43 MB) into {jars} …")
    began = time.monotonic()
    # Into a directory of its own and renamed when whole, so that what is interrupted or runs twice does no harm.
    unfinished = jars.with_name(f"{jars.name}.{os.getpid()}")
    command = [
        "mvn",
        "-B",
        "-q",
        "-f",
        str(_POM),
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        "-Dstyle.color=never",
    ]
    try:
        done = subprocess.run(
            [*command, f"-DoutputDirectory={unfinished}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_INSTALL_SECONDS,
        )
        if done.returncode:
            raise KafkaUnavailableError(f"Maven could not fetch Apache Kafka:\n{done.stdout[-2000:]}")
        if not jars.is_dir():
            unfinished.rename(jars)
    except (subprocess.TimeoutExpired, OSError) as error:
        raise KafkaUnavailableError(f"Apache Kafka could not be fetched: {error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    _say(f"Fetched Apache Kafka in {time.monotonic() - began:.0f} s.")
    return jars


class KafkaServer:
    """One Kafka node. It keeps its port and its data over stops, kills and starts."""

    def __init__(self, directory: Path) -> None:
        self._jars = install()
        self._directory = directory
        self._config = directory / "server.properties"
        self._running: Running | None = None
        self.port = free_port()
        self._format(free_port())

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process, if it was started."""
        return self._running.process.pid if self._running else None

    def start(self) -> None:
        """Start it and wait until it answers. Raises ProcessFailedError if it does not."""
        self._running = start(self._java("kafka.Kafka", str(self._config)), self._directory / "kafka.log")
        try:
            self._running.wait_until(lambda: wait_ready(self.bootstrap, 0), _START_SECONDS)
        except BaseException:
            self._running.kill()
            raise

    def stop(self) -> None:
        """Stop it in order; the data stays."""
        if self._running:
            self._running.stop(timeout_seconds=30)

    def kill(self) -> None:
        """Stop it as a crash would; the data stays."""
        if self._running:
            self._running.kill()

    def _format(self, controller_port: int) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._config.write_text(_properties(self.port, controller_port, self._directory / "data"))
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        command = self._java("kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", f"-c={self._config}")
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_START_SECONDS)
        if done.returncode:
            raise KafkaUnavailableError(f"StorageTool could not format the data directory:\n{done.stdout}{done.stderr}")

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        log4j = f"-Dlog4j2.configurationFile={_POM.parent / 'log4j2.properties'}"
        return ["java", *_JAVA_OPTIONS, log4j, "-cp", f"{self._jars}/*", main_class, *arguments]


def _properties(port: int, controller_port: int, data: Path) -> str:
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        # One node keeps one copy of everything, and a test's few consumers need few partitions of offsets.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
        # A killed node may come back once its last session has run out.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "num.network.threads": "2",
        "num.io.threads": "4",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _say(message: str) -> None:
    # To the terminal itself, past pytest's capture: silence for minutes looks like a hang.
    print(message, file=sys.__stderr__, flush=True)


def main() -> None:
    """Install Kafka's jars, or say why they can't be had."""
    parser = argparse.ArgumentParser(description="Real Apache Kafka for the tests.")
    parser.add_argument("--install", action="store_true", required=True, help="fetch the jars into the cache")
    parser.parse_args()
    try:
        _say(f"Apache Kafka {kafka_version()} is in {install()}")
    except KafkaUnavailableError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
