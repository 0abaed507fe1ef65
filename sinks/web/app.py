"""The pages as an ASGI application: which address is served by what."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from schemas.errors import UnavailableError
from sinks.web import account, accounts, content, health, oidc, query_page, rep, sign_in, week
from sinks.web.headers import SafeHeaders
from sinks.web.routing import PageRoute, anonymous, as_route
from sinks.web.static_files import static_files
from sinks.web.web import Web

_log = structlog.get_logger()

_A_YEAR = "public, max-age=31536000, immutable"

PAGES: tuple[PageRoute, ...] = (
    *oidc.ROUTES,
    *sign_in.ROUTES,
    *accounts.ROUTES,
    *account.ROUTES,
    *content.ROUTES,
    *rep.ROUTES,
    *week.ROUTES,
    *health.ROUTES,
    *query_page.ROUTES,
)


def build_app(web: Web, on_ready: Callable[[], None] = lambda: None) -> Starlette:
    """Build the application; `on_ready` is called once it serves."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        on_ready()
        yield
        web.store.close()

    async def told(request: Request, problem: Exception) -> Response:
        return await run_in_threadpool(_problem, web, request, problem)

    return Starlette(
        routes=[
            *(as_route(web, page) for page in PAGES),
            Route("/static/{name}", _static, methods=["GET", "HEAD"]),
            Route("/healthz", _healthy, methods=["GET", "HEAD"]),
        ],
        lifespan=lifespan,
        middleware=[Middleware(SafeHeaders, https=web.is_https)],
        exception_handlers={HTTPException: told, UnavailableError: told, Exception: told},
    )


async def _static(request: Request) -> Response:
    found = static_files().get(request.path_params["name"])
    if found is None:
        return PlainTextResponse("", status_code=404)
    return Response(found[0], media_type=found[1], headers={"cache-control": _A_YEAR})


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok")


def _problem(web: Web, request: Request, problem: Exception) -> Response:
    if isinstance(problem, HTTPException):
        status = problem.status_code
    elif isinstance(problem, UnavailableError):
        status = 503
        _log.warning("page_waits", path=request.scope["path"], reason=str(problem))
    else:
        status = 500
        _log.error("page_failed", method=request.method, path=request.scope["path"], exc_info=problem)
    kind = str(status) if status in (403, 404, 503) else "other"
    answer = anonymous(web, request).page("problem.html.j2", status, kind=kind, tab="")
    answer.headers.update(getattr(problem, "headers", None) or {})
    return answer
