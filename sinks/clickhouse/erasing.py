"""Who belongs to a contact, a visitor or an account, what the store has of them, and taking it out for good."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from clickhouse_driver import Client

from schemas.addresses import address_id
from schemas.errors import InputError

Kind = Literal["contact", "visitor", "account"]
KINDS: tuple[Kind, ...] = ("contact", "visitor", "account")

_MUTATION = {"mutations_sync": 2}


@dataclass(frozen=True)
class People:
    """The ids of everybody that is meant."""

    kind: Kind
    subject: str
    visitors: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    page_views: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    address_ids: tuple[str, ...] = ()

    @property
    def entity_ids(self) -> tuple[str, ...]:
        """Return their keys in the directory."""
        return (*(f"contact:{one}" for one in self.contacts), *(f"account:{one}" for one in self.accounts))

    @property
    def given(self) -> dict[str, Any]:
        """Return what the conditions ask for."""
        contacts = [*self.contacts, *self.address_ids]
        named = (*self.visitors, *contacts, *self.accounts, *self.page_views, *self.addresses)
        return {
            "visitors": list(self.visitors),
            "contacts": contacts,
            "accounts": list(self.accounts),
            "entities": list(self.entity_ids),
            "named": tuple(named),
            "lowered": tuple({one.lower() for one in named}),
        }


_OF_PERSON = "has(%(visitors)s, visitor_id) OR has(%(contacts)s, contact_id)"
_OF_ANY = f"{_OF_PERSON} OR has(%(accounts)s, account_id)"
# What stands between two quotes, however many names there are to be looked for.
_NAMED = "arrayExists(part -> part IN %(named)s, splitByChar('\"', message))"
_SENT = "replaceAll(lower(tryBase64Decode(payload)), '\\\\', '')"
_OF_DELIVERY = f"hasAny(account_ids, %(accounts)s) OR {_NAMED}"
_OF_OUTCOME = f"delivery_id IN (SELECT delivery_id FROM deliveries WHERE {_OF_DELIVERY})"  # noqa: S608 - our own
_OF_BRIEF = f"has(%(accounts)s, account_id) OR {_NAMED}"
_OF_SUMMARY = f"has(%(accounts)s, account_id) OR hasAny(readers, %(contacts)s) OR {_NAMED}"

CONDITIONS: Mapping[str, str] = {
    "events": _OF_PERSON,
    "reads": "has(%(visitors)s, visitor_id)",
    "page_reads": "has(%(visitors)s, visitor_id)",
    "page_clicks": "has(%(visitors)s, visitor_id)",
    "identified": _OF_ANY,
    "identified_accounts": _OF_ANY,
    "activity": _OF_ANY,
    "account_days": "has(%(accounts)s, account_id)",
    "account_standings": f"account_id IN (SELECT account_id FROM interest WHERE {_OF_SUMMARY})",  # noqa: S608 - our own
    "interest": _OF_SUMMARY,
    "sent_messages": f"brief_id IN (SELECT brief_id FROM briefs WHERE {_OF_BRIEF})",  # noqa: S608 - our own
    "rep_briefs": f"brief_id IN (SELECT brief_id FROM briefs WHERE {_OF_BRIEF})",  # noqa: S608 - our own
    "briefs": _OF_BRIEF,
    "decisions": f"has(%(accounts)s, account_id) OR subject IN %(named)s OR {_NAMED}",
    "rep_outcomes": f"outcome_id IN (SELECT outcome_id FROM outcomes WHERE {_OF_OUTCOME})",  # noqa: S608 - our own
    "brief_outcomes": f"outcome_id IN (SELECT outcome_id FROM outcomes WHERE {_OF_OUTCOME})",  # noqa: S608 - our own
    "outcomes": _OF_OUTCOME,
    "deliveries": _OF_DELIVERY,
    "dead_letters": f"arrayExists(part -> part IN %(lowered)s, splitByChar('\"', {_SENT}))",
    "directory": "has(%(entities)s, entity_id)",
}
"""Which rows of each table are of these people, in the order in which they are to go."""

KEPT = {
    "delivery_ledger": "ids of deliveries alone, so that none is sent twice",
    "directory": "that somebody wants no marketing mail, by a hash of their id, so that it stays so if they come back",
}

_VIEW = "sipHash64(visitor_id, site, page_view_id)"
_EVENT = "sipHash64(visitor_id, site, event_id)"
# The rollups hold no ids, but hashes of them; what stays is what others did.
_UPDATES: Mapping[str, str] = {
    "content_days": """visitors = arrayFilter(x -> NOT has(%(visitor_keys)s, x), visitors),
        views = mapFilter((k, v) -> NOT has(%(view_keys)s, k), views),
        starts = mapFilter((k, v) -> NOT has(%(view_keys)s, k), starts),
        depths = mapFilter((k, v) -> NOT has(%(view_keys)s, k), depths),
        beats = mapFilter((k, v) -> NOT has(%(event_keys)s, k), beats),
        pings = arrayFilter(ping -> NOT has(%(view_keys)s, ping.1), pings)""",
    "account_days": """readers = arrayFilter(x -> NOT has(%(contacts)s, x), readers),
        views = mapFilter((k, v) -> NOT has(%(view_keys)s, k), views),
        beats = mapFilter((k, v) -> NOT has(%(event_keys)s, k), beats)""",
}


def people_of(client: Client, kind: str, subject: str, address_key: bytes = b"") -> People:
    """Return who is meant: with a contact all visitors that were ever taken for it, with an account its contacts too.

    A browser that several people used is all of theirs: of two errors, the one that erases more is taken. By the key,
    what was told of a contact's address is known for the contact's.

    Raises:
        InputError: there is no such kind.
    """
    if kind not in KINDS:
        raise InputError(f"{kind!r} is none of {', '.join(KINDS)}")
    contacts: tuple[str, ...] = (subject,) if kind == "contact" else ()
    if kind == "account":
        contacts = _contacts_of(client, subject)
    addresses = _addresses(client, contacts)
    address_ids = tuple(address_id(address_key, one) for one in addresses)
    visitors = {subject} if kind == "visitor" else {*_visitors(client, "contact_id", [*contacts, *address_ids])}
    if kind == "account":
        visitors |= {*_visitors(client, "account_id", [subject])}
    return People(
        kind,
        subject,
        tuple(sorted(visitors)),
        contacts,
        (subject,) if kind == "account" else (),
        _page_views(client, visitors),
        addresses,
        address_ids,
    )


def accounts_touched(client: Client, people: People) -> set[str]:
    """Return the accounts that may know something of these people: where they read, or stand in the directory."""
    query = """
        SELECT DISTINCT account_id FROM identified
        WHERE has(%(visitors)s, visitor_id) OR has(%(contacts)s, contact_id)
        UNION DISTINCT SELECT account_id FROM activity
        WHERE has(%(visitors)s, visitor_id) OR has(%(contacts)s, contact_id)
        UNION DISTINCT SELECT account_id FROM directory WHERE has(%(entities)s, entity_id)
    """
    found = client.execute(query, people.given)
    return {*people.accounts, *(account_id for (account_id,) in found if account_id)}


def briefs_naming(client: Client, people: People) -> dict[str, list[str]]:
    """Return the briefs that name these people, by the rep they are for."""
    query = f"SELECT rep_id, arraySort(groupUniqArray(brief_id)) FROM briefs WHERE {_OF_BRIEF} GROUP BY rep_id"  # noqa: S608
    return dict(client.execute(query, people.given))


def _contacts_of(client: Client, account_id: str) -> tuple[str, ...]:
    query = """
        SELECT DISTINCT contact_id FROM directory WHERE account_id = %(account)s AND kind = 'contact'
        UNION DISTINCT SELECT contact_id FROM identified WHERE account_id = %(account)s AND contact_id != ''
    """
    return tuple(sorted(one for (one,) in client.execute(query, {"account": account_id})))


def _addresses(client: Client, contacts: Sequence[str]) -> tuple[str, ...]:
    query = """
        SELECT DISTINCT lower(JSONExtractString(message, 'email')) AS address FROM directory
        WHERE has(%(entities)s, entity_id) AND address != '' ORDER BY address
    """
    found = client.execute(query, {"entities": [f"contact:{one}" for one in contacts]})
    return tuple(one for (one,) in found)


def _page_views(client: Client, visitors: Iterable[str]) -> tuple[str, ...]:
    query = "SELECT DISTINCT page_view_id FROM reads WHERE has(%(visitors)s, visitor_id) ORDER BY page_view_id"
    return tuple(one for (one,) in client.execute(query, {"visitors": list(visitors)}))


def _visitors(client: Client, column: str, ids: Sequence[str]) -> tuple[str, ...]:
    told = f"SELECT visitor_id FROM identified WHERE has(%(ids)s, {column})"  # noqa: S608 - our own names
    if column == "contact_id":
        told += " UNION DISTINCT SELECT visitor_id FROM events WHERE has(%(ids)s, contact_id) AND type = 'identify'"
    found = client.execute(f"SELECT DISTINCT visitor_id FROM ({told})", {"ids": list(ids)})  # noqa: S608
    return tuple(sorted(one for (one,) in found))


def counts(client: Client, people: People) -> dict[str, int]:
    """Return how many rows each table has of these people; copies that are not merged yet count as well."""
    return {table: _count(client, table, where, people) for table, where in CONDITIONS.items()}


def erase(client: Client, people: People) -> dict[str, int]:
    """Take everything of these people out of the tables, and return how many rows went, by table.

    Of the rollups, rows of which something was taken are counted. Returns once it is gone from the disk's parts.
    """
    hashes = _hashes(client, people)
    given = people.given | hashes
    touched = {}
    for table, change in _UPDATES.items():
        where = _touched(table)
        touched[f"{table} (changed)"] = _count(client, table, where, people, hashes)
        client.execute(f"ALTER TABLE {table} UPDATE {change} WHERE {where}", given, settings=_MUTATION)
    query = f"SELECT DISTINCT account_id FROM interest WHERE {_OF_SUMMARY}"  # noqa: S608 - our own
    summed_up = [account_id for (account_id,) in client.execute(query, given)]
    gone = {}
    for table, where in CONDITIONS.items():
        gone[table] = _count(client, table, where, people)
        client.execute(f"ALTER TABLE {table} DELETE WHERE {where}", given, settings=_MUTATION)
    # What is left of these accounts goes through the view again: a summary without those people is the newest now.
    left = "INSERT INTO interest SELECT * FROM interest FINAL WHERE has(%(accounts)s, account_id)"
    client.execute(left, {"accounts": summed_up})
    return gone | touched


def rows_of(client: Client, table: str, columns: str, people: People) -> Iterable[tuple[Any, ...]]:
    """Return columns of a table's rows that are of these people."""
    query = f"SELECT {columns} FROM {table} FINAL WHERE {CONDITIONS[table]}"  # noqa: S608 - our own names
    found: Iterable[tuple[Any, ...]] = client.execute(query, people.given)
    return found


def _touched(table: str) -> str:
    if table == "account_days":
        return "hasAny(mapKeys(views), %(view_keys)s) OR hasAny(readers, %(contacts)s)"
    return "hasAny(mapKeys(views), %(view_keys)s) OR hasAny(mapKeys(starts), %(view_keys)s)"


def _hashes(client: Client, people: People) -> dict[str, list[int]]:
    query = (
        f"SELECT groupUniqArray(sipHash64(visitor_id, site)), groupUniqArray({_VIEW}), groupUniqArray({_EVENT}) "  # noqa: S608
        f"FROM events WHERE {CONDITIONS['events']}"
    )
    ((visitors, views, events),) = client.execute(query, people.given)
    return {"visitor_keys": visitors, "view_keys": views, "event_keys": events}


def _count(client: Client, table: str, where: str, people: People, more: Mapping[str, Any] | None = None) -> int:
    query = f"SELECT count() FROM {table} WHERE {where}"  # noqa: S608 - our own names
    return int(client.execute(query, people.given | dict(more or {}))[0][0])
