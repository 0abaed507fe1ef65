"""An account's state as records, so that a change writes little, and no record grows with the account.

There is one for each read, for each visitor's ownership and for each mailing, and a head with what little is left. The
names of reads are their page views; a sign before the name, which no id begins with, tells the others apart.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.activity import Ownership
from schemas.emails import Mailing
from schemas.message import Model
from schemas.reads import Read
from streams.account_state import AccountState
from streams.records import HEAD, Change, Records

OTHERS = b"~"
OWNER = b"@"
MAILING = b"#"
TOLD = b"!"
_HELD_BY_OLD_HEADS = (b'"others":{"', b'"owners":{"', b'"mailings":{"')
"""Heads of before there were so many records: what they hold has none of its own yet."""
_ELSEWHERE: Mapping[str, Any] = {"reads": {}, "others": {}, "owners": {}, "mailings": {}, "told": {}}
_IN_HEAD = tuple(name for name in AccountState.model_fields if name not in _ELSEWHERE)


class _KeptRead(Model):
    read: Read
    told: int = 0


def state_of(account_id: str, records: Records | None) -> AccountState:
    """Return the state that an account's records hold; without records, an empty one.

    Raises:
        pydantic.ValidationError: a record can't be read.
    """
    if records is None:
        return AccountState(account_id=account_id)
    if isinstance(records.decoded, AccountState):
        return records.decoded
    head = AccountState.from_bytes(records[HEAD]) if HEAD in records else AccountState(account_id=account_id)
    reads, others, owners, told = {}, dict(head.others), dict(head.owners), dict(head.told)
    mailings = dict(head.mailings)
    for name, value in records.items():
        sign = name[:1]
        if name == HEAD:
            continue
        if sign == OWNER:
            owners[name[1:].decode()] = Ownership.model_validate_json(value)
        elif sign == OTHERS:
            others[name[1:].decode()] = Read.model_validate_json(value)
        elif sign == MAILING:
            mailings[name[1:].decode()] = Mailing.model_validate_json(value)
        elif sign == TOLD:
            told[name[1:].decode()] = int(value)
        else:
            kept = _KeptRead.model_validate_json(value)
            reads[kept.read.page_view_id] = kept.read
            if kept.told:
                told[kept.read.page_view_id] = kept.told
    return head.model_copy(
        update={"reads": reads, "others": others, "owners": owners, "mailings": mailings, "told": told}
    )


def changes_between(before: AccountState, after: AccountState, records: Records | None) -> Iterator[Change]:
    """Yield what must be written so that an account's records, which hold one state, hold another."""
    key, there = after.account_id, records or Records()
    if HEAD not in there or _differs_in_head(before, after):
        yield Change(key, HEAD, after.but(**_ELSEWHERE).to_bytes())
    is_whole = any(held in there.get(HEAD, b"") for held in _HELD_BY_OLD_HEADS)
    told = _differing(before.told, after.told)
    for name in dict.fromkeys(
        (*_differing(before.reads, after.reads), *(name for name in told if name in after.reads))
    ):
        if name in after.reads:
            yield Change(key, name.encode(), _written(after.reads[name], after.told.get(name, 0)))
        else:
            yield Change(key, name.encode(), None)
    for sign, was, now in (
        (OTHERS, before.others, after.others),
        (OWNER, before.owners, after.owners),
        (MAILING, before.mailings, after.mailings),
    ):
        missing = [name for name in now if sign + name.encode() not in there] if is_whole else ()
        for name in dict.fromkeys((*_differing(was, now), *missing)):
            value = now[name].to_compact_bytes() if name in now else None
            yield Change(key, sign + name.encode(), value)
    yield from _told_ahead(key, before, after, there)


def _differs_in_head(before: AccountState, after: AccountState) -> bool:
    was, now = vars(before), vars(after)
    return any(now[name] is not was[name] and now[name] != was[name] for name in _IN_HEAD)


def _told_ahead(key: str, before: AccountState, after: AccountState, there: Records) -> Iterator[Change]:
    """Yield what changed of what was told of reads that are not there: with those that are, their records have it."""
    ahead = {name: ms for name, ms in after.told.items() if name not in after.reads}
    for name, ms in ahead.items():
        if ms != before.told.get(name) or TOLD + name.encode() not in there:
            yield Change(key, TOLD + name.encode(), b"%d" % ms)
    for name in before.told:
        if name not in ahead and TOLD + name.encode() in there:
            yield Change(key, TOLD + name.encode(), None)


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the keys under which something else stands; most values are the very same object."""
    if before is after:
        return []
    changed = [key for key, value in after.items() if (old := before.get(key)) is not value and old != value]
    if len(before) + len(changed) > len(after):
        changed += [key for key in before if key not in after]
    return changed


def _written(read: Read, told: int) -> bytes:
    said = read.to_compact_bytes()
    return b'{"read":%b,"told":%d}' % (said, told) if told else b'{"read":%b}' % said
