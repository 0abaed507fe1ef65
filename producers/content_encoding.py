"""Bodies of requests as they were before they were packed, however much they would unpack to. Pure."""

import zlib

from producers.refusal import RefusedError

_GZIP = 16 + zlib.MAX_WBITS  # zlib's number for a gzip header and the largest window


def unpacked(body: bytes, encoding: str | None, limit: int) -> bytes:
    """Return a body without its content encoding, which may be gzip.

    Raises:
        RefusedError: 415, it has another; 413, it is over a limit of bytes, as sent or unpacked; 400, it is not gzip.
    """
    if len(body) > limit:
        raise RefusedError(413, "", f"a body may have {limit} bytes")
    match (encoding or "identity").strip().lower():
        case "identity":
            return body
        case "gzip" | "x-gzip":
            return _gunzipped(body, limit)
        case _:
            raise RefusedError(415, "", "the content encoding must be gzip, or none")


def _gunzipped(body: bytes, limit: int) -> bytes:
    unpacking = zlib.decompressobj(_GZIP)
    try:
        content = unpacking.decompress(body, limit + 1)
    except zlib.error as error:
        raise RefusedError(400, "", "the body is not gzip") from error
    if len(content) > limit:
        raise RefusedError(413, "", f"a body may have {limit} bytes, unpacked")
    if not unpacking.eof or unpacking.unused_data:
        raise RefusedError(400, "", "the gzip ends early, or is followed by something else")
    return content
