"""A small website for tests in a browser: tall pages of headed sections, with the snippet as a customer pastes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.receivers import HOST, serving

SECTION_HEIGHT_PX = 900


def article(title: str, sections: Mapping[str, str], tag: str, links: Mapping[str, str] | None = None) -> str:
    """Return a page with one section of a known height for each id and heading."""
    body = "".join(
        f'<section style="height:{SECTION_HEIGHT_PX}px"><h2 id="{key}">{heading}</h2><p>On {heading}.</p></section>'
        for key, heading in sections.items()
    )
    anchors = "".join(f'<a id="to-{name}" href="{url}">{name}</a> ' for name, url in (links or {}).items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{tag}'
        f"<style>body{{margin:0}}h2{{margin:0}}</style></head><body><nav>{anchors}</nav>{body}</body></html>"
    )


@contextmanager
def serving_pages(port: int, pages: Mapping[str, str]) -> Iterator[None]:
    """Serve pages by path."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path.split("?")[0])
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((page or "not here").encode())

        def log_message(self, *_: object) -> None:
            pass  # the test's output is for the test

    with serving(ThreadingHTTPServer((HOST, port), Pages)):
        yield
