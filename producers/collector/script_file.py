"""`GET /rb.js`: the snippet, compressed once at the start, in the smallest form that the browser takes."""

import hashlib
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from producers.snippet import compressed


def serve_script(script: bytes) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that serves a script."""
    forms = compressed(script)
    digest = hashlib.blake2b(script, digest_size=12).hexdigest()

    async def serve(request: Request) -> Response:
        accepted = accepted_encodings(request.headers.get("accept-encoding", ""))
        encoding = next(name for name in forms if not name or name in accepted)
        etag = f'"{digest}-{encoding}"' if encoding else f'"{digest}"'  # other bytes, another tag
        headers = {
            "cache-control": "public, max-age=3600, stale-while-revalidate=86400",
            "etag": etag,
            "vary": "Accept-Encoding",
            "access-control-allow-origin": "*",
        }
        known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
        if etag in known or "*" in known:
            return Response(status_code=304, headers=headers)
        if encoding:
            headers["content-encoding"] = encoding
        return Response(forms[encoding], media_type="text/javascript", headers=headers)

    return serve


def accepted_encodings(header: str) -> frozenset[str]:
    """Return what an Accept-Encoding header takes, in lower case; what has a weight of zero is refused."""
    named = (part.partition(";") for part in header.lower().split(","))
    return frozenset(name.strip() for name, _, weight in named if not _is_zero(weight))


def _is_zero(weight: str) -> bool:
    _, _, number = weight.replace(" ", "").partition("q=")
    return bool(number) and number.strip("0.") == ""
