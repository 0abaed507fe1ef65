"""A real Apache Kafka for the tests: one node in KRaft mode, on this machine only."""

from pathlib import Path

from readbrief.embedded.broker import wait_ready
from tests.support.kafka_install import START_SECONDS, install
from tests.support.ports import free_port
from tests.support.processes import Running, start


class KafkaServer:
    """One Kafka node. It keeps its port and its data over stops, kills and starts."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: Running | None = None
        self.port = free_port()
        self._command = install().make_server(directory, self.port)

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
        self._running = start(self._command, self._directory / "kafka.log")
        try:
            self._running.wait_until(lambda: wait_ready(self.bootstrap, 0), START_SECONDS)
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
