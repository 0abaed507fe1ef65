"""Who is this? From bundles of events to the activity of known people."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from schemas.activity import Activity, ActivityItem, Forgotten, Ownership
from schemas.directory import Directory
from schemas.envelope import Envelope
from schemas.events import Withdraw
from schemas.topics import ACTIVITY, IDENTIFIED
from streams.envelope_heads import envelopes_in
from streams.identity import Observation, VisitorState, observe
from streams.records import HEAD, Change, Table
from streams.stage import Incoming, Send, Work

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
        by_account: dict[str, list[tuple[ActivityItem, int]]] = defaultdict(list)
        owners: dict[str, list[Ownership]] = defaultdict(list)
        for visitor_id, (found, at) in self._by_visitor(messages, table).items():
            records = table.get(visitor_id)
            state = VisitorState.from_bytes(records[HEAD]) if records else VisitorState(visitor_id=visitor_id)
            envelopes = [Envelope.model_validate_json(bytes(raw)) for raw in found]
            bytes_of = {id(envelope): len(memoryview(raw)) for envelope, raw in zip(envelopes, found, strict=True)}
            seen = observe(state, envelopes, self._directory, at.partition, at.offset)
            if any(isinstance(one.event, Withdraw) and one.event.forget for one in envelopes):
                work.changes.append(Change(visitor_id, HEAD, None))
                work.sends += _forgotten(visitor_id, seen)
                continue
            for account_id, item in seen.activity:
                by_account[account_id].append((item, ITEM_BYTES + bytes_of[id(item.envelope)]))
            for account_id, ownership in seen.owners.items():
                owners[account_id].append(ownership)
            # Stitching waits for the store to hold the same partition of `events`, so the news must be on it, too.
            work.sends += [Send(IDENTIFIED, visitor_id, news, at.partition) for news in seen.identified]
            if seen.changed:
                work.changes.append(Change(visitor_id, HEAD, seen.state.to_bytes()))
        work.sends += _activities(by_account, owners)
        return work

    def _by_visitor(self, messages: Sequence[Incoming], table: Table) -> dict[str, tuple[list[msgspec.Raw], Incoming]]:
        """Return the envelopes of visitors who are, or now become, known, and the last message they stand in."""
        found: dict[str, list[msgspec.Raw]] = defaultdict(list)
        last: dict[str, Incoming] = {}
        telling: set[str] = set()
        for message in messages:
            for head, raw in envelopes_in(message.value):
                of_mail = head.event.type.startswith(MAIL)
                if head.automated and not of_mail:
                    continue  # a machine is nobody, and reads nothing; in a mail, it tells who else is none
                found[head.visitor_id].append(raw)
                last[head.visitor_id] = message
                if of_mail or head.event.type in TELLING or self._is_a_companys(head.client_network):
                    telling.add(head.visitor_id)
        return {key: (raws, last[key]) for key, raws in found.items() if key in telling or table.get(key) is not None}

    def _is_a_companys(self, network: str | None) -> bool:
        return network is not None and self._directory.account_by_network(network) is not None


def _forgotten(visitor_id: str, seen: Observation) -> Iterator[Send]:
    """Yield what tells the accounts that a visitor's reads were; of the rest, nothing is told any more."""
    for account_id in seen.owners:
        yield Send(ACTIVITY, account_id, Activity(account_id=account_id, forgotten=Forgotten(visitors=(visitor_id,))))


def _activities(
    by_account: dict[str, list[tuple[ActivityItem, int]]], owners: dict[str, list[Ownership]]
) -> Iterator[Send]:
    """Yield each account's messages: whose the visitors are goes first, before or with what they did."""
    for account_id in dict.fromkeys((*owners, *by_account)):
        whose = [(one, OWNERSHIP_BYTES + SPAN_BYTES * len(one.spans)) for one in owners.get(account_id, ())]
        for part in _parts([*whose, *by_account.get(account_id, ())]):
            yield Send(
                ACTIVITY,
                account_id,
                Activity(
                    account_id=account_id,
                    owners=tuple(one for one in part if isinstance(one, Ownership)),
                    items=tuple(one for one in part if isinstance(one, ActivityItem)),
                ),
            )


def _parts(sized: Iterable[tuple[Ownership | ActivityItem, int]]) -> Iterator[tuple[Ownership | ActivityItem, ...]]:
    """Yield what comes with its size in bytes, in parts that a message can hold."""
    part: list[Ownership | ActivityItem] = []
    size = 0
    for one, its_bytes in sized:
        if part and size + its_bytes > MAX_PART_BYTES:
            yield tuple(part)
            part, size = [], 0
        part.append(one)
        size += its_bytes
    if part:
        yield tuple(part)
