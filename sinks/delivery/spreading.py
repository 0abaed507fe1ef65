"""When a digest leaves: not all at once in the morning, and not when Feishu is busiest."""

import hashlib

_HALF_HOUR_S = 1_800
_BUSY_S = 120  # after each whole and half hour; just before it, a clock may differ
_BEFORE_S = 30


def leaves_ms(released_ms: int, rep_id: str, spread_s: float, *, avoids_half_hours: bool) -> int:
    """Return when a rep's digest leaves, in Unix ms: always the same for the same rep and release."""
    part = int.from_bytes(hashlib.blake2b(rep_id.encode(), digest_size=4).digest(), "big") / 2**32
    at_ms = released_ms + int(part * spread_s * 1000)
    into_s = at_ms / 1000 % _HALF_HOUR_S
    if not avoids_half_hours or not spread_s:
        return at_ms
    if into_s < _BUSY_S:
        return at_ms + int((_BUSY_S - into_s + part * _BUSY_S) * 1000)
    if into_s > _HALF_HOUR_S - _BEFORE_S:
        return at_ms + int((_HALF_HOUR_S - into_s + _BUSY_S + part * _BUSY_S) * 1000)
    return at_ms
