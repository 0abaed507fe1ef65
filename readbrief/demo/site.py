"""The invented company's website, with the snippet on every page as marketing would paste it."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from readbrief.demo.company_files import COMPANY
from readbrief.demo.local_server import LocalServer
from readbrief.demo.pages import Page, load_pages
from readbrief.demo.waveform import article_trace, story_trace

_MENU = (
    ("/how-it-works", "How it works"),
    ("/route-or-continuous", "Compare"),
    ("/pricing", "Prices"),
    ("/security", "Security"),
    ("/contract", "Contract"),
)


class CompanySite:
    """The website on 127.0.0.1; its origin is known before it starts, so that the collector can be told of it."""

    def __init__(self, port: int = 0) -> None:
        """Take the port, or any free one.

        Raises:
            UnavailableError: somebody else has the port.
        """
        self._server = LocalServer("the demo's website", port)
        self.origin = self._server.origin

    def start(self, collector_url: str, site_key: str) -> None:
        """Serve the pages with the snippet of this collector and site key.

        Raises:
            UnavailableError: the server did not start.
        """
        self._server.start(site_app(collector_url, site_key))

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop()


def site_app(collector_url: str, site_key: str) -> Starlette:
    """Return the website as an app whose pages load the snippet from the collector."""
    pages = load_pages()
    templates = _templates(collector_url, site_key)
    articles = [page for path, page in pages.items() if path != "/"]

    def show(request: Request) -> Response:
        page = pages.get(request.url.path.rstrip("/") or "/")
        if page is None:
            raise HTTPException(404, "There is no such page.")
        if page.path == "/":
            cards = [_card(each) for each in articles]
            html = templates.get_template("home.html.j2").render(page=page, trace=story_trace(), articles=cards)
        else:
            html = templates.get_template("article.html.j2").render(
                page=page,
                trace=article_trace(page.path),
                onward=_onward(page, articles),
                thanks=request.method == "POST",  # the form's fields reach the company by the snippet alone
            )
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})

    def show_file(request: Request) -> Response:
        return FileResponse(COMPANY / request.url.path.lstrip("/"))

    files = [Route(path, show_file) for path in ("/site.css", "/mark.svg")]
    return Starlette(routes=[*files, Route("/{path:path}", show, methods=["GET", "POST"])])


def _templates(collector_url: str, site_key: str) -> Environment:
    templates = Environment(
        loader=FileSystemLoader(COMPANY / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    templates.globals.update(collector_url=collector_url.rstrip("/"), site_key=site_key, menu=_MENU)
    return templates


def _card(page: Page) -> dict[str, object]:
    return {
        "path": page.path,
        "title": page.title,
        "stage": page.stage,
        "stage_label": page.stage_label,
        "minutes": page.minutes,
        "trace": article_trace(page.path, width=399, height=56),
    }


def _onward(page: Page, articles: list[Page]) -> list[Page]:
    """Return the two articles that follow, in the order in which a buyer asks."""
    at = articles.index(page)
    return [articles[(at + step) % len(articles)] for step in (1, 2)]
