"""What the translations of other trackers' protocols share: values as found in JSON, ids, times, and the result. Pure.

Rule of the house: events carry ids, not addresses. So whatever names a person and looks like an address is carried as
the id of that address.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pydantic_core
from pydantic import TypeAdapter, ValidationError

from producers.intake import corrected_ms
from producers.refusal import RefusedError
from schemas.addresses import address_id
from schemas.domains import company_domain
from schemas.envelope import Envelope
from schemas.events import Event, Viewport
from schemas.ids import derived_id
from schemas.message import MAX_UNIX_MS, Id, first_error
from schemas.settings import Site

MAX_TITLE = 500
MAX_REFERRER = 2000
MAX_NAME = 200

_NO_ID_FROM = 10**18
_TABLET_FROM_PX, _DESKTOP_FROM_PX = 640, 1024
_ID: TypeAdapter[str] = TypeAdapter(Id)


@dataclass(frozen=True)
class Receipt:
    """How something arrived: for which site, when by the collector's clock, and the key of addresses' ids."""

    site_key: str
    site: Site
    received_ms: int
    address_key: bytes


@dataclass(frozen=True)
class Refused:
    """One thing of a request that can't be used: its own bytes, and why."""

    payload: bytes
    error: RefusedError


@dataclass(frozen=True)
class Translated:
    """What a request came to: events, and what could not be used."""

    envelopes: tuple[Envelope, ...] = ()
    refused: tuple[Refused, ...] = ()


def parse_json(data: bytes | str) -> Any:
    """Read JSON, which may be anything.

    Raises:
        RefusedError: 400, it is none, or none that has a place in a message (NaN, half a surrogate pair, a tower).
    """
    try:
        return pydantic_core.from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise RefusedError(400, "", f"not JSON: {error}") from error


def json_bytes(value: Any) -> bytes:
    """Return JSON as it is kept in a dead letter."""
    return pydantic_core.to_json(value)


def checked_site(sites: Mapping[str, Site], key: str, field: str, origin: str | None) -> Site:
    """Return the site with a key, for a page whose origin, where the browser names it, is one of the site's.

    Raises:
        RefusedError: 403, one of them is not so.
    """
    site = sites.get(key)
    if site is None:
        raise RefusedError(403, field, "no such site is configured")
    if origin is not None and origin not in site.origins:
        raise RefusedError(403, field, "the page's origin is none of this site's")
    return site


def text_at(value: Any, *path: str) -> str:
    """Return the text, or the whole number as text, at a path of objects; empty if there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < _NO_ID_FROM else ""
    return value.strip() if isinstance(value, str) else ""


def person_id(name: str, kind: str, key: bytes) -> str:
    """Return an id for what names a person or a browser: itself if it is an id, never an address."""
    if "@" in name:
        return address_id(key, name)
    return name if _is_id(name) else derived_id(kind, name)


def contact_name(name: str, key: bytes) -> str | None:
    """Return under which name the directory may have a contact: its id, or its address's; None if neither it can be."""
    if "@" in name:
        return address_id(key, name)
    return name if _is_id(name) else None


def domain_in(name: str) -> str | None:
    """Return the registrable domain of an address if it is a company's; None for free mail and what is no address."""
    return company_domain(name) if "@" in name else None


def event_id(protocol: str, given: str, content: Any) -> str:
    """Return an event's id: the one given, or derived from it, or from the content if there is none."""
    if given:
        return given if _is_id(given) else derived_id(protocol, given)
    return derived_id(protocol, hashlib.blake2b(json_bytes(content), digest_size=16).hexdigest())


def viewport(width: str) -> Viewport:
    """Return the class of a width in CSS pixels; desktop if it is none."""
    if not (width.isascii() and width.isdigit()) or not int(width[:9]):
        return Viewport.desktop
    px = int(width[:9])
    return Viewport.mobile if px < _TABLET_FROM_PX else Viewport.tablet if px < _DESKTOP_FROM_PX else Viewport.desktop


def envelope(receipt: Receipt, visitor_id: str, kind: type[Any], sent_ms: int, **said: Any) -> Envelope:
    """Return an event of a kind as accepted, its time corrected by the sender's own clock.

    Raises:
        RefusedError: 400, the event breaks a rule of the contract; the field says which.
    """
    try:
        event: Event = kind(**said)
        return Envelope(
            site=receipt.site_key,
            visitor_id=visitor_id,
            sent_ms=sent_ms,
            received_ms=receipt.received_ms,
            occurred_ms=corrected_ms(event.occurred_ms, sent_ms, receipt.received_ms),
            event=event,
        )
    except ValidationError as error:
        field, _, problem = first_error(error).partition(": ")
        raise RefusedError(400, field, problem) from error


def bounded_ms(unix_ms: float) -> int:
    """Return a time as the contract can hold it."""
    return int(min(max(unix_ms, 0), MAX_UNIX_MS))


def _is_id(name: str) -> bool:
    try:
        _ID.validate_python(name)
    except ValidationError:
        return False
    return True
