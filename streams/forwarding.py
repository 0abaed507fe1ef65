"""A forwarded link: one contact's email link, followed by several visitors who can't all be the contact.

The rule is over the set of what the account knows, so order does not matter. Of the visitors that an email link named
as a contact, the contact's own are found first: those that something surer than a link named, then by the time of
the link. A later one is somebody else, if compared with any of the contact's own

- both were actively read at the same time, for longer than the clock allows; or
- it came from other networks, and its browser speaks another language; or
- it came from other networks, with a window of another class, while the other had a page open.

Other networks and another window alone are a phone beside a laptop, and stay one person.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.activity import Ownership
from schemas.events import IdentifyMethod
from schemas.reads import Read

CLOCK_SLACK_MS = 10_000
MAX_COMPARED = 200

Claimed = tuple[str, str]
"""A visitor, and the contact that it was taken for."""


class _Behaviour(NamedTuple):
    reads: Sequence[Read]
    networks: frozenset[str]
    languages: frozenset[str]
    windows: frozenset[str]


def contacts_in(owners: Mapping[str, Ownership], of: Iterable[str]) -> set[str]:
    """Return the contacts that these visitors are taken for."""
    return {span.contact_id for one in of if one in owners for span in owners[one].spans} - {""}


def shared_contacts(
    owners: Mapping[str, Ownership], of: Iterable[str], left: Collection[str] = ()
) -> dict[str, frozenset[str]]:
    """Return the contacts these visitors share with others, one of them at least by an email link, and all who do.

    Of contacts that one of these visitors has `left`, being somebody else now, whoever is taken for them still.
    """
    contacts = contacts_in(owners, of).union(left)
    if not contacts or (len(owners) == 1 and not left):
        return {}
    # Run for each account and batch, over all its visitors: most of them are nobody whom there is news of.
    spans = [
        (visitor_id, span)
        for visitor_id, ownership in owners.items()
        for span in ownership.spans
        if span.contact_id in contacts
    ]
    visitors: dict[str, set[str]] = defaultdict(set)
    for visitor_id, span in spans:
        visitors[span.contact_id].add(visitor_id)
    by_link = {span.contact_id for _, span in spans if span.method is IdentifyMethod.email_link}
    shared = {contact for contact in by_link if len(visitors[contact]) > 1}
    return {contact: frozenset(visitors[contact]) for contact in shared.union(left) if visitors[contact]}


def strangers(
    shared: Mapping[str, frozenset[str]], owners: Mapping[str, Ownership], reads: Iterable[Read]
) -> set[Claimed]:
    """Return which visitors are not the contact that an email link said they were."""
    theirs: dict[Claimed, list[Read]] = defaultdict(list)
    concerned = frozenset().union(*shared.values())
    for read in reads:
        if read.visitor_id in concerned and (span := owners[read.visitor_id].span_at(read.started_ms)):
            theirs[read.visitor_id, span.contact_id].append(read)
    found = set()
    for contact_id, visitors in shared.items():
        own: list[_Behaviour] = []
        for visitor_id, by_link in _in_order(contact_id, visitors, owners):
            behaviour = _behaviour(theirs[visitor_id, contact_id])
            if by_link and any(_differ(behaviour, other) for other in own):
                found.add((visitor_id, contact_id))
            else:
                own.append(behaviour)
    return found


def _in_order(contact_id: str, visitors: Iterable[str], owners: Mapping[str, Ownership]) -> list[tuple[str, bool]]:
    """Return the visitors with whether only links name them: those named by something surer first."""
    ranked = []
    for visitor_id in visitors:
        spans = [span for span in owners[visitor_id].spans if span.contact_id == contact_id]
        by_link = all(span.method is IdentifyMethod.email_link for span in spans)
        ranked.append((by_link, min(span.evidence_ms for span in spans), visitor_id))
    return [(visitor_id, by_link) for by_link, _, visitor_id in sorted(ranked)]


def _behaviour(reads: Sequence[Read]) -> _Behaviour:
    return _Behaviour(
        reads=sorted(reads, key=lambda read: (read.started_ms, read.page_view_id))[-MAX_COMPARED:],
        networks=frozenset(read.network for read in reads if read.network),
        languages=frozenset(_base(read.lang) for read in reads if read.lang),
        windows=frozenset(read.viewport for read in reads if read.viewport),
    )


def _differ(a: _Behaviour, b: _Behaviour) -> bool:
    overlapping = [(x, y) for x in a.reads for y in b.reads if x.started_ms < y.last_ms and y.started_ms < x.last_ms]
    if any(_more_than_the_clock_allows(x, y) for x, y in overlapping):
        return True
    if not _apart(a.networks, b.networks):
        return False
    return _apart(a.languages, b.languages) or (bool(overlapping) and _apart(a.windows, b.windows))


def _more_than_the_clock_allows(a: Read, b: Read) -> bool:
    passed_ms = max(a.last_ms, b.last_ms) - min(a.started_ms, b.started_ms)
    return a.active_ms + b.active_ms > passed_ms + CLOCK_SLACK_MS


def _apart(a: frozenset[str], b: frozenset[str]) -> bool:
    """Tell whether both are known, and have nothing in common."""
    return bool(a) and bool(b) and not a & b


def _base(language: str) -> str:
    return language.lower().partition("-")[0]
