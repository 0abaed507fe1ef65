"""Forgetting people: what an account and a rep's outbox remember of them, taken out of the state. Pure.

A state that has forgotten is as if the people had never been: what was told of them is not put right, nor told again.
"""

from collections.abc import Mapping
from typing import TypeVar

from schemas.activity import Forgotten
from schemas.reads import Read
from streams.account_state import AccountState
from streams.corrections import Correctable

T = TypeVar("T")


def without(state: AccountState, forgotten: Forgotten) -> AccountState:
    """Return an account's state without what it knows of people; an empty one if the account itself is forgotten."""
    if forgotten.account:
        return AccountState(account_id=state.account_id)
    visitors, contacts = set(forgotten.visitors), set(forgotten.contacts)
    own = {*_of(state.reads, visitors, contacts), *_of(state.others, visitors, contacts)}
    views = own | set(forgotten.page_views)
    noted_view = state.noted.partition(":")[2]
    return state.model_copy(
        update={
            "reads": _less(state.reads, views),
            "others": _less(state.others, views),
            "told": _less(state.told, views),
            "owners": _less(state.owners, visitors),
            "mailings": {key: one for key, one in state.mailings.items() if one.contact_id not in contacts},
            "clicks": {
                key: one
                for key, one in state.clicks.items()
                if one.contact_id not in contacts and one.visitor_id not in visitors
            },
            "recent": tuple(left for one in state.recent if (left := _unsaid(one, views, contacts)).says),
            "doubt": None,
            "noted": "" if noted_view in views else state.noted,
        }
    )


def _of(reads: Mapping[str, Read], visitors: set[str], contacts: set[str]) -> set[str]:
    return {name for name, one in reads.items() if one.visitor_id in visitors or {one.contact_id, one.via} & contacts}


def _unsaid(brief: Correctable, views: set[str], contacts: set[str]) -> Correctable:
    """Return what a brief may have to be put right in, without page views of the forgotten."""
    gone = views | {name for name, who in brief.says.items() if who in contacts}
    return brief.model_copy(
        update={
            "says": _less(brief.says, gone),
            "told": _less(brief.told, gone),
            "urls": _less(brief.urls, gone),
            "left": brief.left - gone,
        }
    )


def _less(values: Mapping[str, T], keys: set[str]) -> dict[str, T]:
    return {key: value for key, value in values.items() if key not in keys}
