"""What all senders' proofs share: a refusal that says nothing of why, and ages. Pure."""

import hmac

from producers.refusal import RefusedError

CLOCK_SKEW_S = 300


def unproven(why: str = "the signature is wrong") -> RefusedError:
    """Return the refusal of a request that is not shown to be the sender's."""
    return RefusedError(401, "", why)


def same(a: str, b: str) -> bool:
    """Compare two texts in a time that tells nothing of them."""
    return hmac.compare_digest(a.encode("utf-8", "surrogatepass"), b.encode("utf-8", "surrogatepass"))


def check_age(signed_s: int, now_ms: int, max_age_s: int) -> None:
    """Check that a signature is not too old, nor of the future.

    Raises:
        RefusedError: 401, it is.
    """
    age_s = now_ms // 1000 - signed_s
    if not -CLOCK_SKEW_S <= age_s <= max_age_s:
        raise unproven("the signature has expired")


def seconds(text: str) -> int:
    """Return a time in seconds that a header or field holds.

    Raises:
        RefusedError: 401, it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 12):  # noqa: PLR2004 - digits of a year beyond 30000
        raise unproven("there is no usable timestamp")
    return int(text)
