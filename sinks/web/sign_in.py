"""Signing in by a link that is sent to one's own address, and signing out.

The answer is the same whether an address is known or not. A link is used up by a button on the page that it leads
to: mail scanners follow links, but press no buttons.
"""

import threading
from email.message import EmailMessage
from hashlib import blake2b

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response

from schemas.errors import UnavailableError
from sinks.delivery.send_errors import SendError
from sinks.web.access import For, sight_of
from sinks.web.asked import Asked
from sinks.web.cookies import SESSION, drop_cookie, set_cookie
from sinks.web.routing import PageRoute
from sinks.web.sessions import new_link, new_session, read_link
from sinks.web.sign_in_mail import sign_in_mail
from sinks.web.spent import spend, spend_one_of
from sinks.web.web import LINKS_PER_ADDRESS, RATES_WINDOW_S, Web

_log = structlog.get_logger()

_MAX_ADDRESS = 254
_MAX_PATH = 500


def sign_in_page(asked: Asked) -> Response:
    """Ask for an address, or lead on who is signed in already."""
    to = own_path(asked.request.query_params.get("to", "/"))
    if asked.sight.known:
        return asked.go(to)
    return asked.page("sign_in.html.j2", to=to, sent=False, tab="")


def ask_for_link(asked: Asked) -> Response:
    """Send a link to an address that is known; the answer says nothing of whether it is."""
    address = asked.form.get("address", "").strip()[:_MAX_ADDRESS]
    to = own_path(asked.form.get("to", "/"))
    web = asked.web
    if not web.links_by_client.allows(client_of(asked), asked.now_ms):
        raise HTTPException(429)
    within = web.links_by_address.allows(address.casefold(), asked.now_ms)
    if within and sight_of(address, web.settings.marketers, web.directory).known:
        link = f"{web.origin}/sign-in/{new_link(web.settings, address, to, now_ms=asked.now_ms)}"
        mail = sign_in_mail(web.settings, address, link, asked.words, asked.now)
        # Not waited for: how long it takes would tell that the address is known.
        threading.Thread(
            target=_send, args=(web, mail, address, asked.now_ms), name="sign-in-mail", daemon=True
        ).start()
    return asked.page("sign_in.html.j2", to=to, sent=True, tab="")


def link_page(asked: Asked) -> Response:
    """Show the button that a link is good for; a link that is not good any more says so."""
    found = read_link(asked.web.settings, asked.request.path_params["token"], now_ms=asked.now_ms)
    return asked.page("sign_in_link.html.j2", 200 if found else 410, found=found, tab="")


def use_link(asked: Asked) -> Response:
    """Sign in, once per link."""
    web = asked.web
    if not web.sign_ins_by_client.allows(client_of(asked), asked.now_ms):
        raise HTTPException(429)
    found = read_link(web.settings, asked.request.path_params["token"], now_ms=asked.now_ms)
    known = found is not None and sight_of(found.address, web.settings.marketers, web.directory).known
    if found is None or not known or not spend(web.store, found.number, asked.now_ms):
        return asked.page("sign_in_link.html.j2", 410, found=None, tab="")
    return signed_in(asked, found.address, found.to)


def signed_in(asked: Asked, address: str, to: str) -> Response:
    """Answer who has shown who they are: a session, and where they wanted to go."""
    web = asked.web
    answer = asked.go(own_path(to))
    cookie = new_session(web.settings, address, now_ms=asked.now_ms)
    set_cookie(answer, SESSION, cookie, web.settings.web_session_hours * 3600, secure=web.is_https)
    _log.info("signed_in")
    return answer


def sign_out(asked: Asked) -> Response:
    """End the session: its cookie is worthless from now on, wherever it was copied to."""
    if asked.session:
        spend(asked.web.store, asked.session.number, asked.now_ms)
    answer = asked.go("/sign-in")
    drop_cookie(answer, SESSION, secure=asked.web.is_https)
    return answer


def own_path(path: str) -> str:
    """Return a path on these pages; the front page in place of anything that could lead elsewhere."""
    plain = path.isprintable() and "\\" not in path and len(path) <= _MAX_PATH
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def client_of(asked: Asked) -> str:
    """Return by whom a request is counted."""
    client = asked.request.client
    return client.host if client else ""


def _send(web: Web, mail: EmailMessage, address: str, now_ms: int) -> None:
    """Send a mail, unless all processes together have sent the address its share."""
    key = web.settings.signing_key("web-links")
    number = f"links-{blake2b(address.casefold().encode(), key=key[:64], digest_size=16).hexdigest()}"
    try:
        if spend_one_of(web.store, number, LINKS_PER_ADDRESS, RATES_WINDOW_S * 1000, now_ms):
            web.send(mail, address)
        else:
            _log.info("sign_in_mail_withheld")
    except (SendError, UnavailableError) as error:
        _log.warning("sign_in_mail_failed", reason=str(error))


ROUTES = (
    PageRoute("/sign-in", sign_in_page, whom=For.anyone),
    PageRoute("/sign-in", ask_for_link, "POST", For.anyone),
    PageRoute("/sign-in/{token}", link_page, whom=For.anyone),
    PageRoute("/sign-in/{token}", use_link, "POST", For.anyone),
    PageRoute("/sign-out", sign_out, "POST"),
)
