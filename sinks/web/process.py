"""The process that serves the pages until SIGTERM."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage

import structlog
import uvicorn

from schemas.directory import Directory
from schemas.playbook import Playbook
from schemas.settings import Settings
from sinks.clickhouse.client import wait_for_clickhouse
from sinks.clickhouse.migrate import migrate
from sinks.delivery.mail import envelope_sender, send_mail
from sinks.lags import Lag
from sinks.web.app import build_app
from sinks.web.store import Store
from sinks.web.web import Publish, Web

_log = structlog.get_logger()

_GRACE_S = 5


def run(
    settings: Settings,
    directory: Directory,
    playbook: Callable[[], Playbook],
    publish: Publish,
    lags: Callable[[], Sequence[Lag]],
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Migrate, then serve; `on_ready` is called once pages are answered.

    Raises:
        UnavailableError: ClickHouse does not answer at the start.
        InputError: the database is newer than the code.
    """
    wait_for_clickhouse(settings, settings.start_wait_s, threading.Event())
    migrate(settings)
    web = Web(
        settings=settings,
        store=Store(settings),
        directory=directory,
        playbook=playbook,
        now_ms=lambda: time.time_ns() // 1_000_000,
        send=mail_sender(settings),
        publish=publish,
        lags=lags,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises it again once it has shut down
    _log.info("web_starts", host=settings.web_host, port=settings.web_port)
    uvicorn.Server(server_config(web, on_ready)).run()
    _log.info("web_stopped")


def server_config(web: Web, on_ready: Callable[[], None] = lambda: None) -> uvicorn.Config:
    """Return how the pages are served."""
    settings = web.settings
    return uvicorn.Config(
        build_app(web, on_ready),
        host=settings.web_host,
        port=settings.web_port,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        forwarded_allow_ips=settings.web_trusted_proxies,
    )


def mail_sender(settings: Settings) -> Callable[[EmailMessage, str], None]:
    """Return what hands a mail to the mail server."""

    def send(mail: EmailMessage, address: str) -> None:
        send_mail(settings, mail, envelope_sender(settings.mail_from), address)

    return send
