"""The browser snippet: the file that the collector serves as /rb.js, and the line that a site pastes."""

import base64
import gzip
import hashlib
from functools import cache
from html import escape
from importlib.resources import files

import brotli


@cache
def script() -> bytes:
    """Return the snippet as served: minified, UTF-8.

    Raises:
        FileNotFoundError: it was never built; `python -m producers.snippet.build` does so.
    """
    return files(__package__).joinpath("dist", "rb.js").read_bytes()


@cache
def overlay() -> bytes:
    """Return the script that draws figures over a page, as served. Raises as `script` does."""
    return files(__package__).joinpath("dist", "overlay.js").read_bytes()


def compressed(content: bytes) -> dict[str, bytes]:
    """Return a file as served by content encoding, the smallest first; without encoding last, as the empty name."""
    smallest = brotli.compress(content, mode=brotli.MODE_TEXT)
    return {"br": smallest, "gzip": gzip.compress(content, 9, mtime=0), "": content}


@cache
def script_hash() -> str:
    """Return the hash of the served file as a page's `integrity` attribute or a Content-Security-Policy takes it."""
    return "sha384-" + base64.b64encode(hashlib.sha384(script()).digest()).decode()


def tag(collector_url: str, site: str) -> str:
    """Return the line to paste into every page of a site, HTML-escaped."""
    source = escape(collector_url.rstrip("/") + "/rb.js")
    return f'<script async src="{source}" data-site="{escape(site)}"></script>'
