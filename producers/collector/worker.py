"""One serving process: everything is built here, served, and drained at the end."""

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from producers.async_publisher import AsyncPublisher
from producers.bundling import Bundler
from producers.collector.app import build_app
from producers.collector.connections import GuardedProtocol
from producers.collector.dead_letters import DeadLetters
from producers.collector.direct import ReportProtocol
from producers.collector.keeping import Keeping
from producers.collector.rates import RateLimiter
from producers.collector.reports import ReportTaking
from producers.collector.revocation_feed import RevocationFeed
from producers.collector.state import Collector
from producers.revocations import Revocations
from producers.snippet import script
from producers.spool import Spool
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, EVENTS

_log = structlog.get_logger()

Overlay = Callable[[str], bytes]

_GRACE_S = 15
_IDLE_CONNECTION_S = 30
_COLLECT_AFTER = 6_000, 5, 1_500  # allocations, then collections of the younger objects
_SWITCH_S = 0.0005  # else each step of the thread on the way to the disk waits 5 ms for the busy loop


def serve(
    settings: Settings, listeners: list[socket.socket], parent_gone: int | None, overlay: Overlay | None = None
) -> None:
    """Serve on sockets until SIGTERM, or until the parent is gone; the second socket is for metrics.

    Raises:
        InputError: the spool's directory can't be used.
    """
    keeping = Keeping(
        AsyncPublisher(settings.kafka_bootstrap, topics=(EVENTS.name, DEAD_LETTERS.name)),
        _spool(settings),
        settings.kafka_partitions,
    )
    feed = RevocationFeed(settings.kafka_bootstrap)
    try:
        feed.start()
        metrics_port = listeners[1].getsockname()[1] if len(listeners) > 1 else None
        collector = _collector(settings, keeping, metrics_port, feed.revocations, overlay)
        reports = ReportTaking(collector)
        server = uvicorn.Server(server_config(build_app(collector, reports), settings, reports))
        _end_quietly()
        spare_collections()
        sys.setswitchinterval(_SWITCH_S)
        asyncio.Runner(loop_factory=server.config.get_loop_factory()).run(_run(server, listeners, parent_gone))
    finally:
        feed.close()
        keeping.close()


async def _run(server: uvicorn.Server, listeners: list[socket.socket], parent_gone: int | None) -> None:
    if parent_gone is not None:

        def leave() -> None:
            _log.warning("parent_gone", parent=os.getppid())
            asyncio.get_running_loop().remove_reader(parent_gone)
            server.should_exit = True

        asyncio.get_running_loop().add_reader(parent_gone, leave)
    await server.serve(sockets=listeners)


def server_config(app: ASGIApp, settings: Settings, reports: ReportTaking | None = None) -> uvicorn.Config:
    """Return how an application is served, and who takes reports past it."""
    proxies = settings.collector_trusted_proxies
    direct = reports and partial(ReportProtocol, reports, ProxyHeadersMiddleware(cast(Any, app), proxies))
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=cast(type[GuardedProtocol], direct or GuardedProtocol),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_IDLE_CONNECTION_S,
        timeout_graceful_shutdown=_GRACE_S,
        forwarded_allow_ips=proxies,
        limit_concurrency=None,  # bounded by GuardedProtocol, whose answer says when to come again
    )


def _collector(
    settings: Settings,
    keeping: Keeping,
    metrics_port: int | None,
    revocations: Revocations,
    overlay: Overlay | None,
) -> Collector:
    return Collector(
        settings=settings,
        bundler=Bundler(keeping.keep_bundle, settings.collector_linger_ms / 1000),
        dead_letters=DeadLetters(keeping.keep_dead_letter),
        slot_of=keeping.slot_of,
        accepts=keeping.accepts,
        now_ms=lambda: time.time_ns() // 1_000_000,
        script=script(),
        keeping=keeping,
        client_rates=RateLimiter(settings.collector_client_per_s),
        visitor_rates=RateLimiter(settings.collector_visitor_per_s),
        metrics_port=metrics_port,
        revocations=revocations,
        overlay=overlay,
    )


def spare_collections() -> None:
    """Keep the garbage collector from walking what lives for good, and let each of its pauses be short.

    Requests and connections leave no cycles, so whole collections may be seldom. The young ones must not be: what new
    connections hold is walked in one pause, 10 to 20 ms for 20,000 objects, and whoever comes then waits for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def _spool(settings: Settings) -> Spool | None:
    if settings.spool_dir is None:
        return None
    return Spool(settings.spool_dir, settings.spool_max_mb * 2**20)


def _end_quietly() -> None:
    """Let the process outlive the signal that stops the server: uvicorn raises it again when it has shut down."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
