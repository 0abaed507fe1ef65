"""What an import or a deletion does to the directory: what is put, what goes, and whether that may be. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from producers.directory_import import Import
from schemas.directory import Account, Contact, Directory, Entity, Membership, Rep
from schemas.errors import InputError

_REMEMBERED = Contact.model_fields["earlier"].metadata[0].max_length
# A contact goes before its account, an account before its rep, so that no reader meets one without the other for long.
_ORDER = ("content", "contact", "account", "rep")
_LISTED = 5


@dataclass(frozen=True)
class Changes:
    """Entities to put and keys of entities to delete, of so many there are of the kinds spoken of."""

    entities: Sequence[Entity]
    deleted: Sequence[str]
    of: int = 0

    @property
    def is_large(self) -> bool:
        """Tell whether more than a tenth would go."""
        return len(self.deleted) * 10 > self.of


def changes_of(read: Import, known: Directory, *, complete: bool, now_ms: int) -> Changes:
    """Return what files change: their rows are put, what they mark as deleted goes.

    If they are `complete`, so goes all else of the kinds in them. A contact that changes account keeps where it was.

    Raises:
        InputError: something that goes is still referred to by something that stays.
    """
    put = {entity.entity_id: entity for entity in read.entities}
    there = {entity.entity_id: entity for entity in known.entities()}
    gone = [key for key in read.deleted if key in there and key not in put]
    if complete:
        gone += [key for key, entity in there.items() if entity.kind in read.kinds and key not in put]
    deleted = _with_contacts(gone, put, known)
    _check_kept(put, deleted, known)
    of = sum(entity.kind in read.kinds for entity in there.values())
    return Changes([_placed(entity, known, now_ms) for entity in read.entities], deleted, of)


def deletion_of(keys: Sequence[str], known: Directory) -> Changes:
    """Return what deleting entities by key, `account:acme`, takes with it: with an account go its contacts.

    Raises:
        InputError: a key is of nothing there is, or what goes is still referred to by something that stays.
    """
    there = {entity.entity_id for entity in known.entities()}
    if unknown := [key for key in keys if key not in there]:
        raise InputError(f"{', '.join(unknown)}: not in the directory; a key is kind:id, such as account:acme")
    deleted = _with_contacts(list(keys), {}, known)
    _check_kept({}, deleted, known)
    return Changes((), deleted, len(there))


def _placed(entity: Entity, known: Directory, now_ms: int) -> Entity:
    """Return a contact with the accounts it had before; what it did up to now stays with those."""
    before = known.contacts.get(entity.contact_id) if isinstance(entity, Contact) else None
    if before is None or not isinstance(entity, Contact):
        return entity
    earlier = before.earlier
    if before.account_id != entity.account_id:
        earlier = (*earlier, Membership(account_id=before.account_id, until_ms=now_ms))[-_REMEMBERED:]
    return entity.model_copy(update={"earlier": earlier})


def _with_contacts(keys: Sequence[str], put: dict[str, Entity], known: Directory) -> list[str]:
    gone = set(keys)
    gone |= {
        contact.entity_id
        for contact in known.contacts.values()
        if f"account:{contact.account_id}" in gone and contact.entity_id not in put
    }
    return sorted(gone, key=lambda key: (_ORDER.index(key.partition(":")[0]), key))


def _check_kept(put: dict[str, Entity], deleted: Sequence[str], known: Directory) -> None:
    gone = set(deleted)
    there = {entity.entity_id: entity for entity in known.entities()}
    kept = [entity for key, entity in {**there, **put}.items() if key not in gone]
    faults = []
    for key in deleted:
        if users := [entity.entity_id for entity in kept if key in set(_referred(entity))]:
            more = f" and {len(users) - _LISTED} more" if len(users) > _LISTED else ""
            faults.append(
                f"{key} can't go: {', '.join(users[:_LISTED])}{more} still refer to it; give them another "
                f"{key.partition(':')[0]} first, by an import"
            )
    if faults:
        raise InputError("\n".join(faults))


def _referred(entity: Entity) -> Iterable[str]:
    match entity:
        case Account():
            return (f"rep:{rep_id}" for rep_id in (entity.rep_id, *entity.owners.values()))
        case Contact():
            return (f"account:{entity.account_id}",)
        case Rep() if entity.manager_id:
            return (f"rep:{entity.manager_id}",)
        case _:
            return ()
