"""`POST /v1/page`, `track`, `identify`, `alias`, `group`, `screen`, `batch`: what Segment's libraries send.

As there, 200 says that the request was understood, not that every call could be used: a library can mend nothing. What
can't be used is a dead letter. 400 is for what no call can be read from, 503 for what shall be sent again.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from producers.collector.answers import unavailable
from producers.collector.bodies import read_body
from producers.collector.state import Collector
from producers.collector.tracker_requests import address_key, arrival, keep, preflight
from producers.content_encoding import unpacked
from producers.refusal import RefusedError
from producers.segment import BATCH, CALLS, MAX_BATCH_BYTES, SHORT, Posting, read_posting, translate
from producers.translation import Receipt, Refused, Translated, checked_site
from schemas.errors import UnavailableError


async def take_call(collector: Collector, request: Request) -> Response:
    """Take one request of a library of Segment's."""
    path = request.url.path
    kind = path.rpartition("/")[2]
    origin, headers, now_ms = arrival(collector, request)
    body = await read_body(request.receive, MAX_BATCH_BYTES)
    failure = None
    try:
        content = unpacked(body, request.headers.get("content-encoding"), MAX_BATCH_BYTES)
        posting = read_posting(SHORT.get(kind, kind), content, request.headers.get("authorization", ""))
    except RefusedError as refused:
        failure, translated = refused, Translated(refused=(Refused(body, refused),))
    else:
        translated = _translated(collector, posting, origin, content, now_ms)
    try:
        await keep(collector, request, path, translated, now_ms)
    except UnavailableError:
        return unavailable(headers)
    if failure is not None:
        said = {"success": False, "code": "invalid_request", "message": failure.message}
        return JSONResponse(said, status_code=400, headers=headers)
    return JSONResponse({"success": True}, headers=headers)


def _translated(collector: Collector, posting: Posting, origin: str | None, content: bytes, now_ms: int) -> Translated:
    try:
        site = checked_site(collector.settings.sites, posting.write_key, "writeKey", origin)
    except RefusedError as refused:
        return Translated(refused=(Refused(content, refused),))
    return translate(posting, Receipt(posting.write_key, site, now_ms, address_key(collector)))


_NAMES = (*CALLS, BATCH, *SHORT)
ROUTES = [(f"/v1/{name}", take_call, ["POST"]) for name in _NAMES] + [
    (f"/v1/{name}", preflight, ["OPTIONS"]) for name in _NAMES
]
"""Path, endpoint and methods of each route."""
