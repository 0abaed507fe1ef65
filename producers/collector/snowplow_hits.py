"""`POST /com.snowplowanalytics.snowplow/tp2` and `GET /i`: what Snowplow's trackers send.

As Snowplow's own collector, this one answers 200 to whatever it could read; what can't be used is a dead letter. Only
what is too large is answered 413, and 503 says that it shall be sent again.
"""

from base64 import b64decode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from producers.collector.answers import error, unavailable
from producers.collector.bodies import read_body
from producers.collector.state import Collector
from producers.collector.tracker_requests import address_key, arrival, keep, preflight
from producers.content_encoding import unpacked
from producers.refusal import RefusedError
from producers.snowplow import MAX_BYTES, read_payload, translate
from producers.translation import Refused, Translated
from schemas.errors import UnavailableError

POST_PATH = "/com.snowplowanalytics.snowplow/tp2"
GET_PATH = "/i"

_TOO_LARGE = 413
_PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


async def take_payload(collector: Collector, request: Request) -> Response:
    """Take the events of a POST."""
    origin, headers, now_ms = arrival(collector, request)
    body = await read_body(request.receive, MAX_BYTES)
    failure = None
    try:
        hits = read_payload(unpacked(body, request.headers.get("content-encoding"), MAX_BYTES))
        translated = translate(hits, collector.settings.sites, origin, now_ms, address_key(collector))
    except RefusedError as refused:
        failure, translated = refused, Translated(refused=(Refused(body, refused),))
    try:
        await keep(collector, request, POST_PATH, translated, now_ms)
    except UnavailableError:
        return unavailable(headers)
    if failure is not None and failure.status == _TOO_LARGE:
        return error(_TOO_LARGE, failure.message, headers=headers)
    return PlainTextResponse("ok", headers=headers)


async def take_pixel(collector: Collector, request: Request) -> Response:
    """Take the one event of a GET, and answer with a pixel; HEAD, which Starlette takes for GET, is refused."""
    if request.method != "GET":  # link checkers and mail scanners ask so, and read nothing
        raise HTTPException(405, "this path takes GET", {"allow": "GET, OPTIONS"})
    origin, headers, now_ms = arrival(collector, request)
    hit = dict(request.query_params)
    translated = translate((hit,), collector.settings.sites, origin, now_ms, address_key(collector))
    try:
        await keep(collector, request, GET_PATH, translated, now_ms)
    except UnavailableError:
        return unavailable(headers)
    return Response(_PIXEL, media_type="image/gif", headers=headers)


ROUTES = [
    (POST_PATH, take_payload, ["POST"]),
    (POST_PATH, preflight, ["OPTIONS"]),
    (GET_PATH, take_pixel, ["GET"]),
    (GET_PATH, preflight, ["OPTIONS"]),
]
"""Path, endpoint and methods of each route."""
