"""What of an account's reading asks for attention beside how much it is: who reads together, who may leave."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from schemas.directory import Content, Directory, Function
from schemas.playbook import CommitteeRules, TriggerRules
from schemas.reads import Read

DAY_MS = 86_400_000


def is_renewal_or_leaving(url: str, content: Content | None, rules: TriggerRules) -> bool:
    """Tell whether a page is one that customers read before they renew or leave."""
    if content and (content.stage in rules.customer_stages or set(content.topics) & set(rules.leaving_topics)):
        return True
    return any(fnmatchcase(url, pattern) for pattern in rules.leaving_urls)


def functions_together(
    reads: Iterable[Read],
    fresh: Sequence[Read],
    told: Mapping[str, int],
    directory: Directory,
    rules: TriggerRules,
    committee: CommitteeRules,
) -> tuple[Function, ...]:
    """Return the committee's functions that have read within days of the newest news, if the news brought one of them.

    Empty if they are too few, or if what is `fresh` is of functions only that had read in that time already.
    """
    if not fresh:
        return ()
    since_ms = max(read.last_ms for read in fresh) - rules.functions_days * DAY_MS
    news = {read.page_view_id for read in fresh if not told.get(read.page_view_id)}
    before: set[Function] = set()
    brought: set[Function] = set()
    for read in reads:
        if read.active_ms and read.last_ms >= since_ms and (function := _function_of(read, directory, committee)):
            (brought if read.page_view_id in news else before).add(function)
    together = before | brought
    if not brought - before or len(together) < rules.functions_at_least:
        return ()
    return tuple(function for function in dict.fromkeys(committee.functions) if function in together)


def _function_of(read: Read, directory: Directory, committee: CommitteeRules) -> Function | None:
    contact = directory.contacts.get(read.contact_id)
    if contact is None or contact.function is None:
        return None
    function = committee.counts_for.get(contact.function, contact.function)
    return function if function in committee.functions else None
