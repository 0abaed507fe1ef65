"""Addresses typed into forms: they tell who the visitor is, and none of them gets into an event. Pure.

A page opts a field in by name (`data-rb-field="email"`). The address in it becomes an `Identify` by its id and the
company's domain; whatever else looks like an address is left out of the form's fields.
"""

import re

from schemas.addresses import address_id
from schemas.domains import company_domain
from schemas.events import FormSubmit, Identify, IdentifyMethod
from schemas.ids import derived_id

FIELD = "email"

_ADDRESS = re.compile(r"[^@\s<>\",;:]+@[^@\s<>\",;:]+\.[^@\s<>\",;:.]+")
_MAX_ADDRESS = 254


def without_addresses(event: FormSubmit, key: bytes) -> tuple[FormSubmit, Identify | None]:
    """Return a form without the addresses in its fields, and who its field `email` says the visitor is.

    Addresses become ids with a key, the one that the directory's addresses are made into ids with.
    """
    typed = next((value.strip() for name, value in event.fields.items() if name.lower() == FIELD), "")
    kept = {
        name: value
        for name, value in event.fields.items()
        if name.lower() != FIELD and not _ADDRESS.search(name + " " + value)
    }
    clean = event if len(kept) == len(event.fields) else event.model_copy(update={"fields": kept})
    if len(typed) > _MAX_ADDRESS or not _ADDRESS.fullmatch(typed):
        return clean, None
    said = Identify(
        event_id=derived_id("form", event.event_id),
        occurred_ms=event.occurred_ms,
        contact_id=address_id(key, typed),
        method=IdentifyMethod.form,
        domain=company_domain(typed),
    )
    return clean, said
