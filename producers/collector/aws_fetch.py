"""Fetching what Amazon SNS refers to; that it is Amazon's is checked before, see `senders.sns`."""

import httpx

from schemas.errors import UnavailableError

_TIMEOUT_S = 5.0
_MAX_BYTES = 100_000


def fetch(url: str) -> bytes:
    """Return what an address gives; no redirect is followed.

    Raises:
        UnavailableError: it gives nothing, or too much.
    """
    try:
        answer = httpx.get(url, timeout=_TIMEOUT_S, follow_redirects=False)
    except httpx.HTTPError as error:
        raise UnavailableError(f"Amazon SNS does not answer: {type(error).__name__}") from error
    if answer.status_code != httpx.codes.OK or len(answer.content) > _MAX_BYTES:
        raise UnavailableError(f"Amazon SNS answered {answer.status_code}, {len(answer.content)} bytes")
    return answer.content
