"""The collector as an ASGI application: which path is served by what."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from producers.collector import overlay, reports, segment_calls, sender_webhooks, snowplow_hits
from producers.collector.answers import FAULT, SafeHeaders, error, unavailable
from producers.collector.email_clicks import follow_link
from producers.collector.email_pixel import open_pixel
from producers.collector.feedback import take_feedback
from producers.collector.openapi import openapi
from producers.collector.script_file import serve_script
from producers.collector.state import Collector
from producers.snippet import overlay as overlay_script

_log = structlog.get_logger()

Endpoint = Callable[[Request], Awaitable[Response]]


def build_app(collector: Collector, taking: reports.ReportTaking | None = None) -> Starlette:
    """Build the application; when it shuts down, it drains what it accepted."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if collector.keeping:
            collector.keeping.start()
        yield
        await collector.drain()

    def on(endpoint: Callable[[Collector, Request], Awaitable[Response]]) -> Endpoint:
        async def bound(request: Request) -> Response:
            return await endpoint(collector, request)

        return bound

    routes = [
        Route(reports.PATH, taking or reports.ReportTaking(collector), methods=["POST"]),
        Route(reports.PATH, on(reports.preflight), methods=["OPTIONS"]),
        *(Route(path, on(take), methods=methods) for path, take, methods in segment_calls.ROUTES),
        *(Route(path, on(take), methods=methods) for path, take, methods in snowplow_hits.ROUTES),
        *(Route(path, on(take), methods=methods) for path, take, methods in sender_webhooks.ROUTES),
        Route("/l/{target}", on(follow_link), methods=["GET", "HEAD"]),
        Route("/l/{target}/{token:path}", on(follow_link), methods=["GET", "HEAD"]),
        Route("/o/{token}", on(open_pixel), methods=["GET", "HEAD"]),
        Route("/f/{kind}/{token}", on(take_feedback), methods=["GET", "HEAD", "POST"]),
        Route("/rb.js", serve_script(collector.script), methods=["GET"]),
        Route("/overlay.js", serve_script(overlay_script()), methods=["GET"]),
        Route(overlay.PATH, on(overlay.take), methods=["POST"]),
        Route("/openapi.json", _document, methods=["GET"]),
        Route("/metrics", on(_metrics), methods=["GET"]),
        Route("/healthz", _healthy, methods=["GET"]),
        Route("/readyz", on(_ready), methods=["GET"]),
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={HTTPException: _http_error, Exception: _failure},
    )


async def _document(_request: Request) -> Response:
    return JSONResponse(openapi())


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok")


async def _ready(collector: Collector, _request: Request) -> Response:
    if not await asyncio.to_thread(collector.accepts):
        return unavailable()
    return PlainTextResponse("ready")


async def _metrics(collector: Collector, request: Request) -> Response:
    """Answer on the metrics port alone: the public port's peers may be proxies, so their address tells nothing."""
    server = request.scope.get("server")
    if collector.metrics_port is None or server is None or server[1] != collector.metrics_port:
        raise HTTPException(404)
    return Response(await asyncio.to_thread(_exposition), media_type=CONTENT_TYPE_LATEST)


def _exposition() -> bytes:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


async def _http_error(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)  # noqa: S101 - Starlette's signature can't say so
    return error(problem.status_code, problem.detail, headers=dict(problem.headers or {}))


async def _failure(request: Request, problem: Exception) -> Response:
    _log.error("request_failed", method=request.method, path=request.scope["path"], exc_info=problem)
    return error(500, FAULT)
