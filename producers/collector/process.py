"""The collector as a process: builds it, serves until SIGTERM, then drains everything it accepted."""

import logging
import signal
import socket
import time
from concurrent.futures import Future
from functools import partial

import structlog
import uvicorn

from producers.bundling import Bundler
from producers.collector.app import build_app
from producers.collector.dead_letters import DeadLetters
from producers.collector.state import Collector
from producers.publisher import Position, Publisher, partition_of
from producers.snippet import script
from schemas.errors import InputError
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, EVENTS

_log = structlog.get_logger()

_GRACE_S = 15
_IDLE_CONNECTION_S = 30


def run(settings: Settings) -> None:
    """Serve until the process is told to end; returns once everything accepted is in Kafka.

    Kafka may be away, at the start too: reports are answered 503 until it is back.

    Raises:
        InputError: the address can't be listened on.
    """
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # the publisher says what matters, in one line
    listener = _listen(settings.collector_host, settings.collector_port)
    publisher = Publisher(settings.kafka_bootstrap, topics=(EVENTS.name, DEAD_LETTERS.name))
    try:
        app = build_app(_collector(settings, publisher))
        config = uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_IDLE_CONNECTION_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
        _end_quietly()
        _log.info("collector_starts", host=settings.collector_host, port=listener.getsockname()[1])
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        publisher.close()
        listener.close()
    _log.info("collector_stopped")


def _collector(settings: Settings, publisher: Publisher) -> Collector:
    def send_bundle(partition: int, bundle: bytes) -> Future[Position]:
        return publisher.send(EVENTS.name, bundle, str(partition).encode(), partition)

    return Collector(
        settings=settings,
        bundler=Bundler(send_bundle, settings.collector_linger_ms / 1000),
        dead_letters=DeadLetters(partial(publisher.send, DEAD_LETTERS.name)),
        partition_of=lambda visitor_id: partition_of(visitor_id, publisher.partitions(EVENTS.name)),
        reachable=publisher.reachable,
        now_ms=lambda: time.time_ns() // 1_000_000,
        script=script(),
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"can't listen on {host}:{port} ({error.strerror}): set READBRIEF_COLLECTOR_HOST and _PORT to a free one"
        ) from error
    return listener


def _end_quietly() -> None:
    """Let the process outlive the signal that stops the server: uvicorn raises it again when it has shut down."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
