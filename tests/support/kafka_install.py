"""Apache Kafka as the tests need it: its jars, and beside them what each start would have to do again.

A directory is formatted by a Java of its own, and a start reads thousands of classes: seconds of CPU, both. So a
formatted directory and an archive of loaded classes are made once, and servers begin with them.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from readbrief.embedded.broker import wait_ready
from tests.support.ports import free_port
from tests.support.processes import running

START_SECONDS = 60.0

_HERE = Path(__file__).parent / "kafka"
_POM = _HERE / "pom.xml"
_INSTALL_SECONDS = 900
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


class Kafka:
    """An installed Kafka, by the directory of its jars."""

    def __init__(self, jars: Path) -> None:
        self.jars = jars
        self._formatted = jars / "formatted"
        self._classes = jars / "classes.jsa"

    def make_server(self, directory: Path, port: int) -> list[str]:
        """Make a node's directory, and give the command that starts it."""
        shutil.copytree(self._formatted, directory / "data")
        config = _write_properties(directory, port)
        return self._java(f"-XX:SharedArchiveFile={self._classes}", "kafka.Kafka", str(config))

    def prepare(self) -> None:
        """Make what servers begin with, unless it is there. Raises KafkaUnavailableError if that fails."""
        if self._classes.exists():
            return
        # Made elsewhere and renamed when whole, the archive last: what is interrupted or runs twice does no harm.
        with tempfile.TemporaryDirectory(dir=self.jars) as made:
            port = free_port()
            config, classes = _write_properties(Path(made), port), Path(made) / "classes.jsa"
            cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
            _run(
                self._java("kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", f"-c={config}"),
                "StorageTool could not format a data directory",
                START_SECONDS,
            )
            formatted = shutil.copytree(Path(made) / "data", Path(made) / "formatted")
            recording = self._java(f"-XX:ArchiveClassesAtExit={classes}", "kafka.Kafka", str(config))
            with running(recording, Path(made) / "kafka.log", ready=lambda: wait_ready(f"127.0.0.1:{port}", 0)) as node:
                node.stop(START_SECONDS)
            if not classes.exists():
                raise KafkaUnavailableError("java wrote no archive of classes: use OpenJDK 17 or newer")
            with contextlib.suppress(OSError):  # another run was first
                formatted.rename(self._formatted)
            classes.rename(self._classes)

    def _java(self, *arguments: str) -> list[str]:
        log4j = f"-Dlog4j2.configurationFile={_HERE / 'log4j2.properties'}"
        # In one order: an archive of classes is good for the path that it was made with.
        classpath = os.pathsep.join(map(str, sorted(self.jars.glob("*.jar"))))
        return ["java", *_JAVA_OPTIONS, log4j, "-cp", classpath, *arguments]


def install() -> Kafka:
    """Fetch Kafka's jars and prepare its starts, once per version. Raises KafkaUnavailableError if that fails."""
    jars = _jars_directory()
    if missing := _missing_programs():
        raise KafkaUnavailableError(f"Apache Kafka needs {' and '.join(missing)}")
    if not jars.is_dir():
        _fetch(jars)
    kafka = Kafka(jars)
    kafka.prepare()
    return kafka


def _fetch(jars: Path) -> None:
    _say(f"Fetching Apache Kafka {kafka_version()} (43 MB) into {jars} …")
    began = time.monotonic()
    # Into a directory of its own and renamed when whole, so that what is interrupted or runs twice does no harm.
    unfinished = jars.with_name(f"{jars.name}.{os.getpid()}")
    scope = ("-DincludeScope=runtime", "-Dstyle.color=never", f"-DoutputDirectory={unfinished}")
    try:
        _run(
            ["mvn", "-B", "-q", "-f", str(_POM), "dependency:copy-dependencies", *scope],
            "Maven could not fetch Apache Kafka",
            _INSTALL_SECONDS,
        )
        if not jars.is_dir():
            unfinished.rename(jars)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    _say(f"Fetched Apache Kafka in {time.monotonic() - began:.0f} s.")


def _run(command: list[str], failed: str, timeout_seconds: float) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout_seconds)
    except (subprocess.TimeoutExpired, OSError) as error:
        raise KafkaUnavailableError(f"{failed}: {error}") from error
    if done.returncode:
        raise KafkaUnavailableError(f"{failed}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _write_properties(directory: Path, port: int) -> Path:
    controller_port = free_port()
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(directory / "data"),
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
    config = directory / "server.properties"
    config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return config


def _say(message: str) -> None:
    # To the terminal itself, past pytest's capture: silence for minutes looks like a hang.
    print(message, file=sys.__stderr__, flush=True)
