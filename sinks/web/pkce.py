"""Proof Key for Code Exchange (RFC 7636): only who began a sign-on can exchange its code."""

import base64
import hashlib


def challenge_of(verifier: str) -> str:
    """Return what is told at the start of a verifier that is shown at the end."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
