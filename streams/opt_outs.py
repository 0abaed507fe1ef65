"""Who wants no marketing mail: for good, and under whatever account. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from schemas.directory import OptOut
from schemas.emails import Mailing, MailKind
from schemas.ids import derived_id

MAX_OPT_OUTS = 1_000
OPTED_OUT = (MailKind.complained, MailKind.unsubscribed)


@lru_cache(maxsize=20_000)
def opt_out_key(contact_id: str) -> str:
    """Return under what it is remembered that a contact opted out: not their id, as they may have been forgotten."""
    return derived_id("opted-out", contact_id)


def with_opt_outs(known: Mapping[str, int], dropped: Iterable[Mailing]) -> Mapping[str, int]:
    """Return which contacts opted out, and when, with those of mailings that are dropped; of too many the latest."""
    new = dict(known)
    for one in dropped:
        said = [fact.at_ms for fact in one.facts.values() if fact.kind in OPTED_OUT]
        if said:
            key = opt_out_key(one.contact_id)
            new[key] = min(*said, new.get(key, said[0]))
    if new == known:
        return known
    latest = sorted(new, key=lambda key: (-new[key], key))[:MAX_OPT_OUTS]
    return {key: new[key] for key in sorted(latest)}


def untold(here: Mapping[str, int], everywhere: Mapping[str, int]) -> Iterator[OptOut]:
    """Yield what one account knows of opt-outs, and the others have not been told."""
    return (OptOut(who=who, at_ms=at_ms) for who, at_ms in here.items() if who not in everywhere)
