"""Posts to a chat service, and tells a message that was surely not taken from one that may have been."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from sinks.delivery.channels.answers import Answer
from sinks.delivery.channels.targets import Request
from sinks.delivery.send_errors import PermanentSendError, TransientSendError, UnknownSendError

CONNECT_S = 10.0
ANSWER_S = 30.0
_MAX_ANSWER_BYTES = 65_536
_LONGEST_WAIT_S = 3_600.0


class Poster:
    """Posts, each time over a new connection: one that was kept may be closed by the other side as it is used."""

    def __init__(self, answer_s: float = ANSWER_S) -> None:
        """Wait so many seconds for an answer."""
        self._answer_s = answer_s
        timeout = httpx.Timeout(answer_s, connect=min(CONNECT_S, answer_s))
        self._client = httpx.Client(timeout=timeout, limits=httpx.Limits(max_keepalive_connections=0))

    def post(self, request: Request) -> Answer:
        """Post, and return the answer whatever its status.

        Raises:
            TransientSendError: the message was not taken in whole.
            UnknownSendError: the connection broke, or time was up, before the answer was there.
            PermanentSendError: the address is none.
        """
        began_s = time.monotonic()
        try:
            with self._client.stream("POST", request.url, content=request.body, headers=request.headers) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > _MAX_ANSWER_BYTES or time.monotonic() - began_s > self._answer_s:
                        break
                retry = _retry_after_s(response.headers.get("retry-after"))
                return Answer(response.status_code, bytes(body[:_MAX_ANSWER_BYTES]), retry)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.WriteError, httpx.WriteTimeout) as e:
            # Only the kind of fault is told: its text may hold the address, which is a secret.
            raise TransientSendError(f"the chat service can't be reached or hung up ({type(e).__name__})") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError) as e:
            raise PermanentSendError(f"the chat target's address can't be used ({type(e).__name__})") from None
        except httpx.HTTPError as e:
            raise UnknownSendError(
                f"the chat service did not say whether it took the message ({type(e).__name__})"
            ) from None

    def close(self) -> None:
        """Close what is open."""
        self._client.close()


def _retry_after_s(value: str | None) -> float:
    """Return the seconds of a header that holds seconds or a date, at most an hour; 0 if it holds neither."""
    if not value:
        return 0.0
    try:
        wait_s = float(value)
    except ValueError:
        try:
            wait_s = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(wait_s, 0.0), _LONGEST_WAIT_S) if wait_s == wait_s else 0.0  # noqa: PLR0124 - "nan" is a float
