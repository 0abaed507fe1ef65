"""The one door of all pages: who asks is found out here, and what they may see, before any page's own code runs.

An account or a rep that an address names, in its path or as a GET parameter, is looked up here among what the viewer
may see; if it is not there, the answer is that of a page that does not exist. So no page can forget to ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.urls import origin_of
from sinks.web.access import For, Sight, sight_of
from sinks.web.asked import Asked, Endpoint, not_found
from sinks.web.cookies import SESSION, cookie_name, set_language
from sinks.web.sessions import Pass, is_form_token, read_session
from sinks.web.spent import is_spent
from sinks.web.web import Web
from sinks.web.words import Words, languages, words_for

if TYPE_CHECKING:
    from schemas.directory import Account, Rep

MAX_FORM_BYTES = 20_000


@dataclass(frozen=True)
class PageRoute:
    """One address and what serves it. `POST` is taken only with the session's token and from our own origin."""

    path: str
    endpoint: Endpoint
    method: str = "GET"
    whom: For = For.signed_in


def as_route(web: Web, page: PageRoute) -> Route:
    """Return a page behind the door."""

    async def serve(request: Request) -> Response:
        form = await _form(request) if page.method == "POST" else {}
        return await run_in_threadpool(_answer, web, page, request, form)

    methods = ["GET", "HEAD"] if page.method == "GET" else ["POST"]
    return Route(page.path, serve, methods=methods)


def anonymous(web: Web, request: Request) -> Asked:
    """Return a request of somebody of whom nothing is known."""
    nobody = Sight("", marketing=False, reps=(), directory=web.directory)
    return Asked(web, request, nobody, None, _words(request, nobody, web), web.now_ms())


def _answer(web: Web, page: PageRoute, request: Request, form: Mapping[str, str]) -> Response:
    if page.method == "POST" and not _from_us(request, web):
        raise HTTPException(403)
    session = _session(web, request)
    sight = sight_of(session.address if session else "", web.settings.marketers, web.directory)
    if page.whom is not For.anyone and (session is None or not sight.known):
        return _to_sign_in(request)
    if not sight.is_among(page.whom):
        raise not_found()
    if page.whom is not For.anyone and page.method == "POST":
        _check_token(web, session, form)
    account, rep = _named(request, sight)
    words = _words(request, sight, web)
    answer = page.endpoint(Asked(web, request, sight, session, words, web.now_ms(), form, account, rep))
    if (chosen := request.query_params.get("lang")) in languages():
        set_language(answer, str(chosen), secure=web.is_https)
    return answer


def _named(request: Request, sight: Sight) -> "tuple[Account | None, Rep | None]":
    """Return the account and the rep that an address names.

    Raises:
        HTTPException: one of them is not there for this viewer.
    """
    accounts = [sight.account(one) for one in _ids(request, "account")]
    reps = [sight.rep(one) for one in _ids(request, "rep")]
    if None in accounts or None in reps:
        raise not_found()
    return next(iter(accounts), None), next(iter(reps), None)


def _ids(request: Request, kind: str) -> list[str]:
    """Return every id of a kind that an address names, that of the path first; an empty filter names none."""
    in_path = request.path_params.get(f"{kind}_id")
    return [one for one in (in_path, *request.query_params.getlist(kind)) if one]


def _session(web: Web, request: Request) -> Pass | None:
    cookie = request.cookies.get(cookie_name(SESSION, secure=web.is_https))
    session = read_session(web.settings, cookie, now_ms=web.now_ms()) if cookie else None
    return session if session and not is_spent(web.store, session.number) else None


def _from_us(request: Request, web: Web) -> bool:
    """Say whether a form was sent by one of our own pages."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") == "same-origin"
    return origin == origin_of(web.origin)


def _check_token(web: Web, session: Pass | None, form: Mapping[str, str]) -> None:
    if session is None or not is_form_token(web.settings, session, form.get("csrf", "")):
        raise HTTPException(403)


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    there = f"/sign-in?to={quote(wanted, safe='')}" if request.method == "GET" and wanted != "/" else "/sign-in"
    return Response(status_code=303, headers={"location": there})


def _words(request: Request, sight: Sight, web: Web) -> Words:
    """Return the words of the language that was chosen, else the rep's own, else the browser's."""
    zone = sight.reps[0].time_zone if sight.reps else web.settings.report_time_zone
    chosen = request.query_params.get("lang") or request.cookies.get("lang", "")
    if chosen in languages():
        return words_for(chosen, zone)
    if sight.reps:
        return words_for(sight.reps[0].language, zone)
    wished = request.headers.get("accept-language", "")[:200].split(",")
    tags = [each.split(";")[0].strip() for each in wished]
    return words_for(next((tag for tag in tags if tag and tag[:2] in ("en", "zh")), "en"), zone)


async def _form(request: Request) -> dict[str, str]:
    """Return a form's fields.

    Raises:
        HTTPException: it is none of ours.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError as error:
        raise HTTPException(400) from error
