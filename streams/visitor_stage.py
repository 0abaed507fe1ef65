"""Who is this? From bundles of events to the activity of known people."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from schemas.activity import Ownership
from schemas.directory import Directory
from schemas.envelope import Envelope
from schemas.events import Withdraw
from schemas.topics import ACTIVITY, IDENTIFIED
from streams.activity_bytes import Item, Whose, activity_bytes
from streams.envelope_heads import EnvelopeHead, Glance, envelopes_in, glance_at, heads_in
from streams.identity import VisitorState, observe
from streams.records import HEAD, Change, Records, Table
from streams.stage import Incoming, Send, Work, Written

MAIL = "email_"
TELLING = frozenset(("identify", "withdraw"))
"""Types of events, beside those of mails, that say by themselves who it is, or is not."""

MAX_PART_BYTES = 256 * 1024  # of one message, about: an event may have some kilobytes, a broker takes a megabyte
ITEM_BYTES, OWNERSHIP_BYTES, SPAN_BYTES = 250, 300, 400  # at most, beside an envelope, spans, and for each span


class VisitorStage:
    """The stage with one state per visitor who is known; of the others nothing is kept."""

    def __init__(self, directory: Directory) -> None:
        """Take the living directory, which says which account a contact belongs to."""
        self._directory = directory

    def handle(
        self,
        messages: Sequence[Incoming],
        table: Table,
        now_ms: int,  # noqa: ARG002 - identity knows no time
        due: Collection[str] = (),  # noqa: ARG002 - and waits for nothing
    ) -> Work:
        """Work through bundles; each visitor's state is written at most once."""
        work = Work()
        by_account: dict[str, list[tuple[Item, int]]] = defaultdict(list)
        owners: dict[str, list[Ownership]] = defaultdict(list)
        for visitor_id, (found, at) in self._by_visitor(messages, table).items():
            envelopes = [_read(one) for one in found]
            raw_of = {id(envelope): one.raw for envelope, one in zip(envelopes, found, strict=True)}
            seen = observe(_state_of(visitor_id, table.get(visitor_id)), envelopes, self._directory, *at)
            for account_id, (contact_id, known, envelope) in seen.activity:
                raw = raw_of[id(envelope)]
                by_account[account_id].append((Item(contact_id, known, raw), ITEM_BYTES + len(memoryview(raw))))
            for account_id, ownership in seen.owners.items():
                owners[account_id].append(ownership)
            # Stitching waits for the store to hold the same partition of `events`, so the news must be on it, too.
            work.sends += [Send(IDENTIFIED, visitor_id, news, at.partition) for news in seen.identified]
            if any(isinstance(one.event, Withdraw) and one.event.forget for one in envelopes):
                work.changes.append(Change(visitor_id, HEAD, None))
                continue
            if seen.changed:
                work.changes.append(Change(visitor_id, HEAD, seen.state.to_bytes()))
            work.decoded[visitor_id] = seen.state
        work.sends += _activities(by_account, owners)
        return work

    def _by_visitor(self, messages: Sequence[Incoming], table: Table) -> dict[str, tuple[list["_Found"], "_At"]]:
        """Return the envelopes of visitors who are, or now become, known, and where the last of them stands."""
        heads = [heads_in(message.value) for message in messages]
        telling = {head.visitor_id for each in heads for head in each if self._tells(head)}
        found: dict[str, tuple[list[_Found], _At]] = {}
        for message, each in zip(messages, heads, strict=True):
            wanted = [
                number
                for number, head in enumerate(each)
                if (head.visitor_id in telling or table.get(head.visitor_id) is not None) and not _is_nobodys(head)
            ]
            if not wanted:
                continue
            raws, at = envelopes_in(message.value), _At(message.partition, message.offset)
            for number in wanted:
                head = each[number]
                known = found.get(head.visitor_id)
                found[head.visitor_id] = (known[0] if known else [], at)
                found[head.visitor_id][0].append(_Found(head, raws[number]))
        return found

    def _tells(self, head: EnvelopeHead) -> bool:
        """Tell whether a head says by itself that its visitor may be somebody known. Run for every event there is."""
        kind, network = head.event.type, head.client_network
        if kind.startswith(MAIL):
            return True
        return (kind in TELLING or (network is not None and self._is_a_companys(network))) and not head.automated

    def _is_a_companys(self, network: str) -> bool:
        return self._directory.account_by_network(network) is not None


class _Found(NamedTuple):
    """An envelope that concerns somebody, as it came."""

    head: EnvelopeHead
    raw: msgspec.Raw


class _At(NamedTuple):
    """Where a bundle stands."""

    partition: int
    offset: int


def _is_nobodys(head: EnvelopeHead) -> bool:
    """Tell whether a machine did it, which is nobody and reads nothing; in a mail, it tells who else is none."""
    return head.automated and not head.event.type.startswith(MAIL)


def _read(found: _Found) -> Envelope | Glance:
    """Return as much of an envelope as identity asks for: all of it if it tells who somebody is."""
    if found.head.event.type in TELLING or found.head.event.type.startswith(MAIL):
        return Envelope.model_validate_json(bytes(found.raw))
    return glance_at(found.raw)


def _state_of(visitor_id: str, records: Records | None) -> VisitorState:
    if records is None:
        return VisitorState(visitor_id=visitor_id)
    if isinstance(records.decoded, VisitorState):
        return records.decoded
    return VisitorState.from_bytes(records[HEAD])


def _activities(by_account: dict[str, list[tuple[Item, int]]], owners: dict[str, list[Ownership]]) -> Iterator[Send]:
    """Yield each account's messages: whose the visitors are goes first, before or with what they did."""
    for account_id in dict.fromkeys((*owners, *by_account)):
        whose = [(Whose.of(one), OWNERSHIP_BYTES + SPAN_BYTES * len(one.spans)) for one in owners.get(account_id, ())]
        for part in _parts([*whose, *by_account.get(account_id, ())]):
            yield Send(ACTIVITY, account_id, Written(activity_bytes(account_id, part)))


def _parts(sized: Iterable[tuple[Whose | Item, int]]) -> Iterator[list[Whose | Item]]:
    """Yield what comes with its size in bytes, in parts that a message can hold."""
    part: list[Whose | Item] = []
    size = 0
    for one, its_bytes in sized:
        if part and size + its_bytes > MAX_PART_BYTES:
            yield part
            part, size = [], 0
        part.append(one)
        size += its_bytes
    if part:
        yield part
