"""Whose read is it? Each visitor's ownership of highest rank says so, by the moment the read began."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.activity import OwnedSpan, Ownership
from schemas.certainty import CONFIDENCE
from schemas.events import IdentifyMethod
from schemas.reads import Read
from streams.forwarding import Claimed, contacts_in, shared_contacts, strangers


class Attributed(NamedTuple):
    """The account's reads, and those of its visitors that are not the account's, as far as is known."""

    own: dict[str, Read]
    others: dict[str, Read]


def highest(known: Mapping[str, Ownership], said: Iterable[Ownership]) -> tuple[dict[str, Ownership], set[str]]:
    """Return each visitor's ownership of highest rank, of two alike the later one, and whose it was that changed."""
    owners, renewed = dict(known), set()
    for one in said:
        before = owners.get(one.visitor_id)
        if before is None or (before.rank <= one.rank and before != one):
            owners[one.visitor_id] = one
            renewed.add(one.visitor_id)
    return owners, renewed


def attributed(
    own: Mapping[str, Read],
    others: Mapping[str, Read],
    owners: Mapping[str, Ownership],
    renewed: set[str],
    fresh: Iterable[Read],
    before: Mapping[str, Ownership],
) -> Attributed:
    """Return the reads shared out anew: those of visitors whose ownership changed, and those of which more is known.

    A read is its account's own, and its reader's, if a span of its visitor's ownership covers its beginning. What is
    not is kept aside, as later evidence may bring it back, unless no span of the visitor is left to this account. A
    visitor without an ownership is left as the reads' items had it. `before` is whose the visitors were.
    """
    fresh_ids = {read.page_view_id: read.visitor_id for read in fresh}
    news_of = renewed.union(fresh_ids.values())
    left = contacts_in(before, renewed) - contacts_in(owners, renewed) if renewed else ()
    shared = shared_contacts(owners, news_of, left)
    concerned = renewed.union(*shared.values())
    known = [
        read
        for reads in (own, others)
        for read in (reads.values() if concerned else (reads[key] for key in fresh_ids if key in reads))
        if read.visitor_id in concerned or read.page_view_id in fresh_ids
    ]
    foreign = strangers(shared, owners, known) if shared else set()
    found = Attributed(dict(own), dict(others))
    for read in known:
        ownership = owners.get(read.visitor_id)
        if ownership is None:
            continue
        key, span = read.page_view_id, ownership.span_at(read.started_ms)
        if read.visitor_id not in news_of and (span is None or span.contact_id not in shared):
            continue  # of one who shares another contact with those there is news of: of this one there is none
        if span:
            found.own[key] = _belonging(read, span, foreign)
            found.others.pop(key, None)
            continue
        found.own.pop(key, None)
        if ownership.spans:
            found.others[key] = _nobodys(read)
        else:
            found.others.pop(key, None)
    return found


def _belonging(read: Read, span: OwnedSpan, foreign: set[Claimed]) -> Read:
    reader, via, method, confidence = span.contact_id, "", span.method, span.confidence
    if (read.visitor_id, span.contact_id) in foreign:
        reader, via, method = "", span.contact_id, IdentifyMethod.forwarded
        confidence = CONFIDENCE[method]
    known = read.last_ms >= span.evidence_ms
    said = (reader, via, method, confidence, known)
    if said == (read.contact_id, read.via, read.method, read.confidence, read.known):
        return read
    return read.but(contact_id=reader, via=via, method=method, confidence=confidence, known=known)


def _nobodys(read: Read) -> Read:
    return read.but(contact_id="", via="", method=None, confidence=0, known=False)
