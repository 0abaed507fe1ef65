"""What must hold between the directory's rows, and between them and what is there already. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from producers.directory_rows import Place, Problems, Row
from schemas.directory import Account, Directory
from schemas.urls import canonical_url

ID_FIELDS = {"rep": "rep_id", "account": "account_id", "contact": "contact_id", "content": "url"}
OWNER_COLUMN = "owner_"
_REFERENCES = (("rep", "manager_id", "rep"), ("account", "rep_id", "rep"), ("contact", "account_id", "account"))
_FILES = {"rep": "reps", "account": "accounts"}


@dataclass(frozen=True)
class Stated:
    """An account as a file or, without a place, the directory has it."""

    account: Account
    place: Place | None

    def __str__(self) -> str:
        where = f" in {self.place}" if self.place else ", which is in the directory already"
        return f"account {self.account.account_id!r}{where}"


def id_of(row: Row) -> str | None:
    """Return the id a row gives its entity, or None if it has none."""
    given = row.cells.get(ID_FIELDS[row.kind])
    if given is None:
        return None
    return canonical_url(str(given)) if row.kind == "content" else str(given)


def note_duplicates(rows: Iterable[Row], problems: Problems) -> None:
    """Note every row whose id an earlier row has."""
    first: dict[tuple[str, str], Place] = {}
    for row in rows:
        key = id_of(row)
        if key is None:
            continue
        before = first.setdefault((row.kind, key), row.place)
        if before is not row.place:
            problems.add(row.place, ID_FIELDS[row.kind], f"{key!r} stands already in {before}")


def note_unknown_references(
    rows: Sequence[Row], known: Directory, problems: Problems, faulty: Collection[str] = ()
) -> None:
    """Note every rep and account that a row names and nobody knows."""
    there = {"rep": set(known.reps), "account": {*known.accounts, *faulty}}
    for row in rows:  # a row that is wrong otherwise counts too: its own line says what is wrong
        key = id_of(row)
        if key is not None and row.kind in there:
            there[row.kind].add(key)
    for row in rows:
        for name, given, target in _references(row):
            if str(given) not in there[target]:
                what = f"{given!r} is no known {target}; add it to {_FILES[target]}.csv or correct the row"
                problems.add(row.place, name, what)


def note_shared_ground(stated: Sequence[Stated], problems: Problems) -> None:
    """Note every domain that two accounts have, and every network that overlaps another account's.

    Either would say of one reader that they belong to two accounts. A fault is noted where a file has it.
    """
    holders: dict[str, Stated] = {}
    for each in stated:
        for domain in each.account.domains:
            holder = holders.setdefault(domain, each)
            if holder.account.account_id != each.account.account_id:
                _note_shared(each, holder, "domains", f"{domain!r} is also of", problems)
    for inner, outer in _overlaps(stated):
        (network, one), (other_network, other) = inner, outer
        _note_shared(one, other, "networks", f"{network} overlaps {other_network} of", problems)


def note_manager_cycles(rows: Sequence[Row], known: Directory, problems: Problems) -> None:
    """Note every circle of managers, with all its rows: what goes up from rep to manager would never arrive."""
    places = {key: row.place for row in rows if row.kind == "rep" and (key := id_of(row)) is not None}
    above = {rep.rep_id: rep.manager_id for rep in known.reps.values()}
    for row in rows:
        if row.kind == "rep" and (key := id_of(row)) is not None:
            manager = row.cells.get("manager_id")
            above[key] = None if manager is None else str(manager)
    for circle in _circles(above):
        path = " -> ".join((*circle, circle[0]))
        where = ", ".join(f"{rep} in {places[rep]}" if rep in places else f"{rep} already there" for rep in circle)
        stated = next((places[rep] for rep in circle if rep in places), None)
        if stated is not None:
            problems.add(stated, "manager_id", f"the managers go round in a circle: {path} ({where})")


def _circles(above: Mapping[str, str | None]) -> Iterator[list[str]]:
    """Give each circle that following `above` runs into, once, from the first of its members on."""
    settled: set[str] = set()
    for start in above:
        trail: dict[str, int] = {}
        here: str | None = start
        while here is not None and here not in settled and here not in trail:
            trail[here] = len(trail)
            here = above.get(here)
        if here in trail and here not in settled:
            yield list(trail)[trail[here] :]
        settled.update(trail)


def _references(row: Row) -> Iterator[tuple[str, object, str]]:
    for kind, name, target in _REFERENCES:
        if row.kind == kind and row.cells.get(name) is not None:
            yield name, row.cells[name], target
    if row.kind == "account":
        owners = row.cells.get("owners")
        for stage, given in owners.items() if isinstance(owners, dict) else ():
            yield f"owners.{stage}", given, "rep"
        yield from ((name, cell, "rep") for name, cell in row.cells.items() if name.startswith(OWNER_COLUMN))


def _note_shared(one: Stated, other: Stated, field: str, what: str, problems: Problems) -> None:
    if one.place is None:
        one, other = other, one
    if one.place is not None:
        problems.add(one.place, field, f"{what} {other}; take it from one of them")


_Held = tuple[IPv4Network | IPv6Network, Stated]


def _overlaps(stated: Iterable[Stated]) -> Iterator[tuple[_Held, _Held]]:
    """Give each network with one of another account that contains it: networks are nested or apart, never across."""
    held = [(ip_network(network), each) for each in stated for network in each.account.networks]
    held.sort(key=lambda pair: (pair[0].version, int(pair[0].network_address), pair[0].prefixlen))
    around: list[_Held] = []
    for network, each in held:
        while around and (
            around[-1][0].version != network.version
            or int(around[-1][0].broadcast_address) < int(network.network_address)
        ):
            around.pop()
        for outer in around:
            if outer[1].account.account_id != each.account.account_id:
                yield (network, each), outer
                break
        around.append((network, each))
