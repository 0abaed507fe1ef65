"""Where the demo's reps get their briefs: a mailbox and a chat room, both to be looked at in a browser.

Whatever came in is shown escaped; an HTML mail is shown in a frame that may run no script and load nothing.
"""

import json
import re
import socket

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from readbrief.demo.chat_room import ChatRoom
from readbrief.demo.company_files import COMPANY
from readbrief.demo.inbox import Inbox, Mail
from readbrief.demo.local_server import LocalServer

_PAGES = COMPANY.parent / "receivers_pages"
_MAX_POST_BYTES = 2**20
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_MAIL_HEADERS = {
    "Content-Security-Policy": "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Receivers:
    """The mailbox by SMTP, and one web server that shows it at /inbox and the chat at /chat."""

    def __init__(self, web_port: int = 0, smtp_port: int = 0) -> None:
        """Take the ports, or any free ones.

        Raises:
            UnavailableError: somebody else has the web port.
        """
        self._server = LocalServer("the demo's inbox and chat", web_port)
        self.inbox = Inbox(smtp_port or _free_port())
        self.chat = ChatRoom()
        self.smtp_port = self.inbox.port
        self.inbox_url = f"{self._server.origin}/inbox"
        self.chat_url = f"{self._server.origin}/chat"
        self.chat_target = f"json://127.0.0.1:{self._server.port}/chat?format=markdown"

    def start(self) -> None:
        """Take mail and messages from now on.

        Raises:
            UnavailableError: a port is taken, or the server did not start.
        """
        self._server.start(receivers_app(self.inbox, self.chat))
        try:
            self.inbox.start()
        except BaseException:
            self._server.stop()
            raise

    def stop(self) -> None:
        """Stop both."""
        self.inbox.stop()
        self._server.stop()


def receivers_app(inbox: Inbox, chat: ChatRoom) -> Starlette:
    """Return the pages of a mailbox and a chat room as an app."""
    templates = Environment(
        loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )

    def page(name: str, **values: object) -> Response:
        html = templates.get_template(name).render(mails=inbox.mails(), messages=chat.messages(), **values)
        return HTMLResponse(html, headers=_PAGE_HEADERS)

    def show_inbox(_request: Request) -> Response:
        return page("inbox.html.j2", mail=None)

    def show_mail(request: Request) -> Response:
        return page("inbox.html.j2", mail=_wanted(inbox, request))

    def show_body(request: Request) -> Response:
        mail = _wanted(inbox, request)
        return HTMLResponse(opening_links_outside(mail.html), headers=_MAIL_HEADERS)

    def show_chat(_request: Request) -> Response:
        return page("chat.html.j2")

    def count(_request: Request) -> Response:
        newest = inbox.mails()[:1]
        return JSONResponse({"mails": newest[0].number if newest else 0, "messages": chat.count})

    async def take(request: Request) -> Response:
        return await _take_post(chat, request)

    def show_file(request: Request) -> Response:
        return FileResponse(_PAGES / request.url.path.lstrip("/"))

    return Starlette(
        routes=[
            Route("/", lambda _request: RedirectResponse("/inbox")),
            Route("/inbox", show_inbox),
            Route("/inbox/{number:int}", show_mail),
            Route("/inbox/{number:int}/body", show_body),
            Route("/chat", show_chat),
            Route("/chat", take, methods=["POST"]),
            Route("/count", count),
            *(Route(path, show_file) for path in ("/receivers.css", "/live.js")),
        ]
    )


def opening_links_outside(html: str) -> str:
    """Return an HTML mail whose links open in a window of their own, since its frame is locked."""
    base = '<base target="_blank">'
    head = re.search(r"<head(\s[^>]*)?>", html, re.IGNORECASE)
    return f"{html[: head.end()]}{base}{html[head.end() :]}" if head else f"{base}{html}"


def _wanted(inbox: Inbox, request: Request) -> Mail:
    mail = inbox.mail(request.path_params["number"])
    if mail is None:
        raise HTTPException(404, "This mail is not kept any more.")
    return mail


async def _take_post(chat: ChatRoom, request: Request) -> Response:
    # A page of another site may post text, but not JSON, without asking first: so none can write into this chat.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Post application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_POST_BYTES:
            raise HTTPException(413, "A message may have 1 MiB.")
    try:
        posted = json.loads(body)
        title, text = posted.get("title") or "", posted["message"]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise HTTPException(400, "Post what Apprise's json:// posts: title and message.") from error
    chat.say(str(title), str(text))
    return JSONResponse({"kept": True})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
