"""`POST /v1/overlay`: what is drawn over a site's page, for whoever has a signed link to it.

The body is the token alone, as plain text: so the browser asks nothing beforehand, and it stands in no log.
"""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import Response

from producers.collector.answers import error, too_many
from producers.collector.bodies import read_body
from producers.collector.cors import cors
from producers.collector.state import Collector
from schemas.errors import InputError, UnavailableError

PATH = "/v1/overlay"
MAX_TOKEN = 8192


async def take(collector: Collector, request: Request) -> Response:
    """Answer with the figures of the page that a token is for."""
    headers = cors(collector, request.headers.get("origin"))
    client = request.client.host if request.client else ""
    if wait_s := collector.client_rates.wait_s(client, time.monotonic()):
        return too_many(wait_s, headers)
    if collector.overlay is None:
        return error(404, "this collector draws no overlays", headers=headers)
    body = await read_body(request.receive, MAX_TOKEN)
    if len(body) > MAX_TOKEN:
        return error(413, "no token is as long", headers=headers)
    try:
        figures = await asyncio.to_thread(collector.overlay, body.decode("ascii", "replace"))
    except InputError as refused:
        return error(403, str(refused), headers=headers)
    except UnavailableError:
        return error(503, "the store can't be asked at the moment", headers=headers)
    return Response(figures, media_type="application/json", headers=headers)
