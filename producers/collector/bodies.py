"""Bodies of requests, bounded in size; how long one may take to come is the connection's to bound."""

from starlette.exceptions import HTTPException
from starlette.types import Receive

DISCARDED_BYTES = 2**20


async def read_body(receive: Receive, limit: int) -> bytes:
    """Read a body up to a byte more than a limit; of the rest, discard so much that most senders see the answer.

    Raises:
        HTTPException: 400, the sender hung up, or was cut off.
    """
    chunks: list[bytes] = []
    size = 0
    more = True
    while more and size <= limit + DISCARDED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "the request is incomplete")
        chunk = message.get("body", b"")
        if size <= limit:
            chunks.append(chunk)
        size += len(chunk)
        more = message.get("more_body", False)
    return chunks[0][: limit + 1] if len(chunks) == 1 else b"".join(chunks)[: limit + 1]
