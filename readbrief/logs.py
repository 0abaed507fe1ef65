"""Logs: structlog events, one JSON line each, to standard error."""

import logging
import sys

import structlog

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(level: str, process: str) -> None:
    """Send our events and the libraries' warnings to standard error, from a level up, with the process's name."""
    logging.disable(logging.DEBUG)  # Faust builds each debug record even if none is shown
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    for talkative in ("aiokafka", "faust", "mode"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    for repetitive in ("kafka", "clickhouse_driver"):  # each retry, where we say once what is wrong
        logging.getLogger(repetitive).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(process=process)
