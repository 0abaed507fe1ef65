"""Ids are derived from what caused them, never drawn: the same input gives the same id again."""

import hashlib


def derived_id(kind: str, *causes: str) -> str:
    """Return `kind_` and 24 hex digits of a BLAKE2b hash over the causes, each with its length before it."""
    digest = hashlib.blake2b(digest_size=12, person=kind.encode()[:16])
    for cause in causes:
        raw = cause.encode()
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return f"{kind}_{digest.hexdigest()}"
