"""Which pages may send here and read the answer: those of the configured sites."""

from starlette.requests import Request
from starlette.responses import Response

from producers.collector.answers import error
from producers.collector.state import Collector

_PREFLIGHT_MAX_AGE_S = 86_400


def cors(collector: Collector, origin: str | None) -> dict[str, str]:
    """Let a site's own pages read the answer.

    Credentials are allowed since `sendBeacon` and other trackers always ask for them; none are used.
    """
    headers = {"vary": "Origin"}
    if origin is not None and origin in collector.origins:
        headers["access-control-allow-origin"] = origin
        headers["access-control-allow-credentials"] = "true"
    return headers


def preflight_answer(collector: Collector, request: Request, methods: str, header_names: str) -> Response:
    """Tell a browser whether a page of this origin may send, by which methods and with which headers."""
    headers = cors(collector, request.headers.get("origin"))
    if "access-control-allow-origin" not in headers:
        return error(403, "the page's origin is no configured site's", headers=headers)
    allowed = {
        "access-control-allow-methods": methods,
        "access-control-allow-headers": header_names,
        "access-control-max-age": str(_PREFLIGHT_MAX_AGE_S),
    }
    return Response(status_code=204, headers={**headers, **allowed})
