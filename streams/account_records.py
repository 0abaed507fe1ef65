"""An account's state as records: one per read and per mailing, so that a change writes that alone, and one head."""

from collections.abc import Iterator

from schemas.emails import Mailing
from schemas.message import Model
from schemas.reads import Read
from streams.accounts import AccountState
from streams.records import HEAD, Change, Records

MAILING = b"@"  # no page view's id begins so


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
    told = dict(head.told)
    reads, mailings = {}, {}
    for name, value in records.items():
        if name == HEAD:
            continue
        if name.startswith(MAILING):
            mailings[name.removeprefix(MAILING).decode()] = Mailing.model_validate_json(value)
            continue
        kept = _KeptRead.model_validate_json(value)
        reads[kept.read.page_view_id] = kept.read
        if kept.told:
            told[kept.read.page_view_id] = kept.told
    return head.model_copy(update={"reads": reads, "mailings": mailings, "told": told})


def changes_between(before: AccountState, after: AccountState, *, new: bool) -> Iterator[Change]:
    """Yield what must be written so that an account's records hold a state, and held another before, if not new."""
    key = after.account_id
    head = _head(after)
    if new or head != _head(before):
        yield Change(key, HEAD, head.to_bytes())
    for name, read in after.reads.items():
        old = before.reads.get(name)
        told = after.told.get(name, 0)
        if (old is not read and old != read) or told != before.told.get(name, 0):
            yield Change(key, name.encode(), _written(read, told))
    for name, mailing in after.mailings.items():
        if before.mailings.get(name) != mailing:
            yield Change(key, MAILING + name.encode(), mailing.model_dump_json(exclude_defaults=True).encode())
    for name in before.mailings:
        if name not in after.mailings:
            yield Change(key, MAILING + name.encode(), None)
    for name in before.reads:
        if name not in after.reads:
            yield Change(key, name.encode(), None)


def _head(state: AccountState) -> AccountState:
    """Return a state without its reads, and what was told of them."""
    told = {key: ms for key, ms in state.told.items() if key not in state.reads}
    return state.model_copy(update={"reads": {}, "mailings": {}, "told": told})


def _written(read: Read, told: int) -> bytes:
    return _KeptRead(read=read, told=told).model_dump_json(exclude_defaults=True).encode()
