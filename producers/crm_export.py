"""Rows of HubSpot's and Salesforce's exports turned into rows of the directory's own kinds. Pure.

What an export has no column for stays as the directory has it; what it has a column for is what the export says.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from producers.crm_owners import Owners
from producers.crm_shapes import Shape
from producers.crm_titles import function_of
from producers.crm_words import (
    AFTER_WON,
    domain_of,
    hubspot_id,
    industry_of,
    is_true,
    lifecycle_of,
    lifecycle_of_deals,
    role_of,
    salesforce_id,
)
from producers.directory_rows import Notes, Place, Problems, Row
from producers.phone_numbers import dialled
from schemas.directory import Directory, Lifecycle, Rep

T = TypeVar("T")


@dataclass
class Exported:
    """What exports say: rows of our kinds, keys of entities marked as deleted, and ids of accounts with faults."""

    rows: list[Row] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)


def from_exports(
    rows: Sequence[Row],
    reps: Iterable[Rep],
    known: tuple[Directory, Directory],
    problems: Problems,
    notes: Notes,
    default_rep: str | None = None,
    phone_region: str | None = None,
) -> Exported:
    """Return what rows of exports say, given the reps there are, and what the directory knows and what of it stays.

    Records without an owner go to the default rep; phone numbers without a country are of the
    region. Faults go to the problems; what is left out, to the notes.
    """
    return _Translation(*known, problems, notes, default_rep, phone_region, Owners(reps)).of(rows)


@dataclass(frozen=True)
class _Record:
    """One row of an export, asked by fact."""

    row: Row
    shape: Shape

    @property
    def place(self) -> Place:
        return self.row.place

    def has(self, fact: str) -> bool:
        return any(name in self.row.cells for name in self.shape.columns.get(fact, ()))

    def say(self, fact: str) -> str:
        names = self.shape.columns.get(fact, ())
        return next((str(cell) for name in names if (cell := self.row.cells.get(name))), "")

    def full_name(self) -> str:
        return " ".join(filter(None, (self.say("first"), self.say("last")))) or self.say("name")

    def key(self) -> str:
        """Return the id of the record, or what stands in its place."""
        try:
            return self.id_from(self.say("id"))
        except ValueError:
            return self.say("id")

    def id_from(self, text: str) -> str:
        return hubspot_id(text) if self.shape.vendor == "HubSpot" else salesforce_id(text)


@dataclass
class _Translation:
    known: Directory
    staying: Directory
    problems: Problems
    notes: Notes
    default_rep: str | None
    phone_region: str | None
    owners: Owners
    deals: dict[str, list[tuple[str, str, str]]] = field(default_factory=lambda: defaultdict(list))
    roles: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    out: Exported = field(default_factory=Exported)
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, rows: Sequence[Row]) -> Exported:
        records = [_Record(row, row.shape) for row in rows if row.shape]
        for record in records:  # what accounts and contacts are looked up in
            match record.shape.entry:
                case "owner":
                    self._user(record)
                case "deal" | "part":
                    self._part(record)
                case _:
                    pass
        beside = [_Record(record.row, record.shape.also) for record in records if record.shape.also]
        accounts = [record for record in records if record.shape.entry == "account"]
        accounts += [record for record in beside if record.has("owner") and record.say("id")]
        shared = self._shared_domains(accounts)
        for record in accounts:
            self._entity(record, "account", partial(self._account, record, shared))
        companies = _Companies.of(self.out.rows, self.known)
        for record in records:
            if record.shape.entry == "contact":
                self._entity(record, "contact", partial(self._contact, record, companies))
        return self.out

    def _user(self, record: _Record) -> None:
        key = record.say("id")
        if record.shape.vendor == "Salesforce":
            key = self._try(record, "id", lambda: salesforce_id(key)) or key
        self.owners.add_user(key, record.say("email"), record.say("login"), record.full_name())

    def _part(self, record: _Record) -> None:
        if is_true(record.say("deleted")):
            return
        whose = "account" if record.shape.entry == "deal" else "contact"
        if not (given := record.say(whose)):
            return
        key = self._try(record, whose, lambda: salesforce_id(given))
        if key and record.shape.entry == "deal":
            self.deals[key].append((record.say("stage"), record.say("closed"), record.say("won")))
        elif key:
            self.roles[key].append(record.say("roles"))

    def _entity(self, record: _Record, kind: str, make: Callable[[str], dict[str, Any] | None]) -> None:
        key = self._try(record, "id", lambda: record.id_from(record.say("id")))
        if key is None:
            return
        entity_id = f"{kind}:{key}"
        if is_true(record.say("deleted")):
            self.out.deleted.append(entity_id)
            return
        cells = make(key)
        if cells is None or self.seen.get(entity_id) == cells:
            return  # a report repeats an account for each of its contacts
        self.seen[entity_id] = cells
        self.out.rows.append(Row(record.place, kind, cells))

    def _account(self, record: _Record, shared: Counter[str], key: str) -> dict[str, Any] | None:
        before = self.known.accounts.get(key)
        cells: dict[str, Any] = before.model_dump(mode="json", exclude={"v", "kind"}) if before else {}
        cells |= {"account_id": key, "name": record.say("name") or domain_of(record.say("domain"))}
        owner = self._owner(record)
        if owner is None:
            self.out.faulty.add(key)
            return None
        cells["rep_id"] = owner
        if record.has("industry"):
            cells["industry"] = industry_of(record.say("industry")) or None
        if record.has("domain"):
            domain = domain_of(record.say("domain"))
            if shared[domain] > 1:
                self.notes.add(record.place, f"several accounts have the domain {domain}, so it tells none of them")
                domain = ""
            cells["domains"] = [domain] if domain else []
        stage = self._stage(record, key)
        if stage and not (stage is Lifecycle.won and before and before.lifecycle in AFTER_WON):
            cells["lifecycle"] = stage
        return {name: cell for name, cell in cells.items() if cell not in ("", None)}

    def _owner(self, record: _Record) -> str | None:
        given = record.say("owner")
        if not given and self.default_rep:
            return self.default_rep
        if not given:
            what = "has no owner: give it one, or name the rep of such accounts with --default-rep"
            self.problems.add(record.place, "owner", what)
            return None
        if record.shape.vendor == "Salesforce" and "ownerid" in record.row.cells:
            key = self._try(record, "owner", lambda: salesforce_id(given))
            return key and self._try(record, "owner", lambda: self.owners.rep_of(key))
        return self._try(record, "owner", lambda: self.owners.rep_of(given))

    def _stage(self, record: _Record, key: str) -> Lifecycle | None:
        said = record.say("stage") or record.say("type")
        stage = None
        if said:
            try:
                stage = lifecycle_of(said)
            except ValueError as error:
                self.notes.add(record.place, f"{error}: left as it was, at first lead")
        if record.shape.vendor == "Salesforce" and stage is not Lifecycle.won:
            stage = lifecycle_of_deals(self.deals.get(key, ())) or stage
        return stage

    def _contact(self, record: _Record, companies: "_Companies", key: str) -> dict[str, Any] | None:
        account_id = self._company(record, companies)
        if account_id is None:
            return None
        before = self.known.contacts.get(key)
        cells: dict[str, Any] = before.model_dump(mode="json", exclude={"v", "kind"}) if before else {}
        name = record.full_name() or record.say("email")
        cells |= {"contact_id": key, "account_id": account_id, "name": name, "email": record.say("email").lower()}
        if record.has("title"):
            cells["title"] = record.say("title")
            if function := function_of(record.say("title")):
                cells["function"] = function
        if record.has("phone"):
            cells["phone"] = self._phone(record)
        roles = record.say("roles") if record.has("roles") else ";".join(self.roles.get(key, ()))
        if roles:
            try:
                cells["role"] = role_of(roles)
            except ValueError as error:
                self.notes.add(record.place, f"{error}: no role is taken from it")
        return {name: cell for name, cell in cells.items() if cell not in ("", None)}

    def _phone(self, record: _Record) -> str:
        """Return a contact's number; a CRM takes whatever is typed, so one that is none is left out, and told."""
        given = record.say("phone")
        try:
            return dialled(given, self.phone_region) if given else ""
        except ValueError as error:
            self.notes.add(record.place, f"{error}; it is left out")
            return ""

    def _company(self, record: _Record, companies: "_Companies") -> str | None:
        given = record.say("primary") or record.say("companies")
        ids = [each.strip() for each in given.split(";") if each.strip()]
        keys = [key for each in ids if (key := self._try(record, "company", partial(record.id_from, each)))]
        if len(keys) != len(ids):
            return None
        if not keys:
            self.notes.add(record.place, "belongs to no company, and is left out")
            return None
        if len(keys) == 1:
            return keys[0]
        chosen = companies.choose(keys, record.say("company_name"), record.say("email"))
        if chosen is None:
            self.notes.add(
                record.place, "belongs to several companies, of which none is marked as primary: the first is taken"
            )
        return chosen or keys[0]

    def _shared_domains(self, accounts: Sequence[_Record]) -> Counter[str]:
        """Count the accounts that have a domain: those in the files, and those known that the files don't renew."""
        holders: dict[str, set[str]] = defaultdict(set)
        renewed = {record.key() for record in accounts}
        for record in accounts:
            if not is_true(record.say("deleted")):
                holders[domain_of(record.say("domain"))].add(record.key())
        for account in self.staying.accounts.values():
            for domain in account.domains if account.account_id not in renewed else ():
                holders[domain].add(account.account_id)
        return Counter({domain: len(keys) for domain, keys in holders.items() if domain})

    def _try(self, record: _Record, fact: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except ValueError as error:
            heading = next((n for n in record.shape.columns.get(fact, ()) if n in record.row.cells), fact)
            self.problems.add(record.place, heading, str(error))
            return None


@dataclass(frozen=True)
class _Companies:
    """What tells which of several companies a contact is of."""

    names: dict[str, str]
    domains: dict[str, set[str]]

    @classmethod
    def of(cls, rows: Iterable[Row], known: Directory) -> "_Companies":
        names = {each.account_id: each.name for each in known.accounts.values()}
        domains = {each.account_id: set(each.domains) for each in known.accounts.values()}
        for row in rows:
            if row.kind == "account":
                names[row.cells["account_id"]] = row.cells.get("name", "")
                domains[row.cells["account_id"]] = set(row.cells.get("domains", ()))
        return cls(names, domains)

    def choose(self, keys: Sequence[str], name: str, email: str) -> str | None:
        """Return the only company of a name, or else of the domain of an address; None if neither tells one."""
        by_name = [key for key in keys if name and self.names.get(key, "").casefold() == name.casefold()]
        by_domain = [key for key in keys if email.rpartition("@")[2].lower() in self.domains.get(key, ())]
        return next((found[0] for found in (by_name, by_domain) if len(found) == 1), None)
