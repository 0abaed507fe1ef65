"""`GET /o/{token}`: the picture of one pixel in a prepared mail. It is always given, and kept if the token is good."""

import base64

from starlette.requests import Request
from starlette.responses import Response

from producers.collector.email_clicks import hit_of, keep_in_background, open_of
from producers.collector.state import Collector
from producers.email_tokens import read_recipient
from producers.links import TokenError

_GIF = base64.b64decode(b"R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


async def open_pixel(collector: Collector, request: Request) -> Response:
    """Give the picture, and take note of the open."""
    now_ms = collector.now_ms()
    answer = Response(_GIF, media_type="image/gif")
    try:
        signed = read_recipient(collector.settings, request.path_params["token"].removesuffix(".gif"), now_ms=now_ms)
    except TokenError:
        return answer
    who = signed.recipient
    if signed.fresh and not collector.revocations.concern(who.contact_id, who.campaign_id, signed.made_ms):
        keep_in_background(collector, open_of(who, now_ms, hit_of(request, collector.settings)))
    return answer
