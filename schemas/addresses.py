"""Ids of email addresses: events say which address was named without carrying it."""

import hashlib

ADDRESS_PURPOSE = "address"
"""The purpose of the signing key that turns addresses into ids; a new secret gives new ids."""


def address_id(key: bytes, address: str) -> str:
    """Return the id of an email address, the same whatever its case; without the key nobody can try addresses out."""
    digest = hashlib.blake2b(address.strip().lower().encode(), digest_size=16, key=key, person=b"address")
    return f"addr_{digest.hexdigest()}"
