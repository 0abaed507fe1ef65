"""The directory from the CRM's and the CMS's files: checked as a whole, then published."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from producers.crm_export import from_exports
from producers.directory_cells import field_value
from producers.directory_checks import (
    OWNER_COLUMN,
    Stated,
    note_duplicates,
    note_manager_cycles,
    note_shared_ground,
    note_unknown_references,
)
from producers.directory_rows import Notes, Place, Problems, Row, rows_of
from schemas.activity import Activity
from schemas.directory import Account, Contact, Content, Directory, Entity, Rep
from schemas.errors import InputError
from schemas.topics import ACTIVITY, DIRECTORY

# What others refer to comes first, so that a reader of the topic rarely meets an id it does not know.
_MODELS: dict[str, type[Account] | type[Contact] | type[Rep] | type[Content]] = {
    "rep": Rep,
    "account": Account,
    "contact": Contact,
    "content": Content,
}
_UNDER_WAY = 500

Send = Callable[[str, bytes | None, bytes], Future[Any]]


@dataclass(frozen=True)
class Import:
    """What files say: entities, keys of those they mark as deleted, the kinds they speak of, and notes for a person."""

    entities: list[Entity]
    deleted: list[str]
    kinds: frozenset[str]
    notes: list[str]


def read_directory(paths: Sequence[Path], *, kind: str | None = None, known: Directory | None = None) -> list[Entity]:
    """Read the directory's files, CSV or YAML, and check them together.

    `kind` says what a file holds whose name and rows don't; ids of the `known` directory may be referred to.

    Raises:
        InputError: something is wrong; the message has one line, `file:line: field: what`, for each fault.
    """
    return read_import(paths, kind=kind, known=known).entities


def read_import(
    paths: Sequence[Path],
    *,
    kind: str | None = None,
    known: Directory | None = None,
    default_rep: str | None = None,
    complete: bool = False,
    phone_region: str | None = None,
) -> Import:
    """Read files, our own or exported by HubSpot or Salesforce, and check them together.

    `default_rep` gets the accounts of an export that have no owner. If the files are `complete`, what the directory
    has beside them of the kinds in them does not count. `phone_region` says of which country, by its two letters,
    phone numbers are that don't say so themselves. For the rest see `read_directory`.

    Raises:
        InputError: something is wrong; the message has one line, `file:line: field: what`, for each fault.
    """
    known = known or Directory()
    problems, notes = Problems(), Notes()
    rows: list[Row] = []
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            problems.add(Place(str(path), 1), "", f"can't be read ({error.strerror})")
        else:
            rows += rows_of(str(path), data, kind, problems)
    ours = [row for row in rows if row.shape is None]
    kinds = frozenset(row.kind for row in rows if row.kind in _MODELS)
    staying = _staying(known, kinds if complete else frozenset())
    exported = from_exports(
        [row for row in rows if row.shape],
        _reps(ours, staying),
        (known, staying),
        problems,
        notes,
        default_rep,
        phone_region,
    )
    for key in exported.deleted:
        staying.remove(key)
    entities = entities_of(ours + exported.rows, staying, problems, exported.faulty, phone_region)
    if problems.found:
        raise InputError("\n".join(problems.lines()))
    return Import(entities, exported.deleted, kinds, notes.lines())


def entities_of(
    rows: Iterable[Row],
    known: Directory,
    problems: Problems,
    faulty: Collection[str] = (),
    phone_region: str | None = None,
) -> list[Entity]:
    """Return the entities of rows, reps first, then accounts, contacts and content; note what is wrong. Pure.

    Accounts whose own fault is noted already, the `faulty`, may be referred to: one fault is told once.
    """
    ordered = sorted(rows, key=lambda row: list(_MODELS).index(row.kind))
    note_duplicates(ordered, problems)
    note_unknown_references(ordered, known, problems, faulty)
    note_manager_cycles(ordered, known, problems)
    read = [(row, entity) for row in ordered if (entity := _entity(row, problems, phone_region)) is not None]
    stated = [Stated(entity, row.place) for row, entity in read if isinstance(entity, Account)]
    renewed = {each.account.account_id for each in stated}
    stated += [Stated(each, None) for each in known.accounts.values() if each.account_id not in renewed]
    note_shared_ground(stated, problems)
    return [entity for _, entity in read]


def publish_directory(entities: Iterable[Entity], send: Send) -> int:
    """Publish entities to the directory's topic and return their number, once all are acknowledged.

    Raises:
        UnavailableError: Kafka did not acknowledge one; publishing all again does no harm.
    """
    count = 0
    remaining = iter(entities)
    while group := list(islice(remaining, _UNDER_WAY)):
        sent = [send(DIRECTORY.name, entity.to_bytes(), entity.entity_id.encode()) for entity in group]
        for acknowledged in sent:
            acknowledged.result()
        count += len(sent)
    return count


def publish_deletions(keys: Iterable[str], send: Send, now_ms: int) -> int:
    """Publish tombstones and return their number, once all are acknowledged.

    Then the accounts stage is told to empty the state of each account that went, so that one made again under its id
    begins anew. A contact's tombstone comes before its account's if it stands so in `keys`.

    Raises:
        UnavailableError: Kafka did not acknowledge one; publishing all again does no harm.
    """
    ordered = list(keys)
    for key in ordered:
        send(DIRECTORY.name, None, key.encode()).result()
    for key in ordered:
        kind, _, account_id = key.partition(":")
        if kind == "account":
            news = Activity(account_id=account_id, emptied_ms=now_ms)
            send(ACTIVITY.name, news.to_bytes(), account_id.encode()).result()
    return len(ordered)


def _staying(known: Directory, but: Collection[str]) -> Directory:
    staying = Directory()
    for entity in known.entities():
        if entity.kind not in but:
            staying.put(entity)
    return staying


def _reps(rows: Iterable[Row], known: Directory) -> list[Rep]:
    """Return the reps of rows and of the directory; a row's faults are noted when it is read for good."""
    read = [_entity(row, Problems()) for row in rows if row.kind == "rep"]
    there = {rep.rep_id: rep for rep in (*known.reps.values(), *(rep for rep in read if isinstance(rep, Rep)))}
    return list(there.values())


def _entity(row: Row, problems: Problems, phone_region: str | None = None) -> Entity | None:
    model = _MODELS[row.kind]
    values: dict[str, Any] = {}
    good = True
    for name, cell in row.cells.items():
        if row.kind == "account" and name.startswith(OWNER_COLUMN):
            values["owners"] = {**values.get("owners", {}), name.removeprefix(OWNER_COLUMN): cell}
            continue
        if name not in model.model_fields:
            fields = ", ".join(each for each in model.model_fields if each not in ("v", "kind"))
            problems.add(row.place, name, f"a {row.kind} has no such field; it has {fields}")
            good = False
            continue
        try:
            values[name] = field_value(name, cell, phone_region)
        except ValueError as error:
            problems.add(row.place, name, str(error))
            good = False
    unread = row.cells.keys() - values.keys()
    try:
        entity = model.model_validate(values)
    except ValidationError as error:
        for where, what in _faults(error):
            if where.partition(".")[0] not in unread:  # of those, the fault is noted already
                problems.add(row.place, where, what)
        return None
    return entity if good else None


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Give field and fault, without the faults that only follow from one further inside."""
    details = error.errors(include_url=False)
    places = [fault["loc"] for fault in details]
    for fault in details:
        place = fault["loc"]
        if any(other[: len(place)] == place for other in places if len(other) > len(place)):
            continue
        told = isinstance(fault["input"], dict) or fault["type"] == "value_error"
        given = "" if told else f"; it is {fault['input']!r:.80}"
        yield ".".join(map(str, place)), fault["msg"].removeprefix("Value error, ") + given
