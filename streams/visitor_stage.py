"""Who is this? From bundles of events to the activity of known people."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from schemas.activity import Activity, Forgotten
from schemas.directory import Directory
from schemas.envelope import Envelope
from schemas.events import Withdraw
from schemas.topics import ACTIVITY, IDENTIFIED
from streams.activity_bytes import Item, Whose, activity_bytes
from streams.envelope_heads import EnvelopeHead, Sender, envelopes_in, head_of, senders_in
from streams.identity import Observation, VisitorState, observe, ownership, says_who, seen_again
from streams.records import HEAD, Change, Records, Table
from streams.stage import Incoming, Send, Work, Written

MAIL = "email_"
TELLING = frozenset(("identify", "withdraw"))
"""Types of events, beside those of mails, that say by themselves who it is, or is not."""
PLAIN = frozenset(("page_view", "page_progress", "page_ping", "click", "copy"))
"""Types of nearly all events, which say nothing of that."""

MAX_PART_BYTES = 256 * 1024  # of one message, about: an event may have some kilobytes, a broker takes a megabyte
ITEM_BYTES, OWNERSHIP_BYTES = 250, 2  # at most, beside an envelope, and beside what is written of whose it is


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
        owners: dict[str, list[Whose]] = defaultdict(list)
        version = self._directory.version  # before it is asked: what changes meanwhile is looked at next time
        for visitor_id, heard in self._by_visitor(messages, table).items():
            envelopes = list(map(_read, heard.raws))
            raw_of = dict(zip(map(id, envelopes), heard.raws, strict=True))
            before = _known(visitor_id, table.get(visitor_id))
            telling = [one for one in envelopes if says_who(one)]
            if before.version == version and not telling:
                seen = seen_again(before.state, envelopes, self._directory)
            else:
                seen = observe(before.state, envelopes, self._directory, *heard.at)
            if any(isinstance(one.event, Withdraw) and one.event.forget for one in telling):
                work.changes.append(Change(visitor_id, HEAD, None))
                work.sends += _forgotten(visitor_id, seen)
                continue
            after = _Known(seen.state, before.told if seen.state is before.state else {}, version)
            after.told.update({news.account_id: Whose.of(news.ownership) for news in seen.identified if news.ownership})
            for account_id, did in seen.activity:
                raw = raw_of[id(did.envelope)]
                by_account[account_id].append((Item(did.contact_id, did.known, raw), ITEM_BYTES + len(raw)))
            for account_id in seen.told:
                owners[account_id].append(after.whose_for(account_id))
            # Stitching waits for the store to hold the same partition of `events`, so the news must be on it, too.
            work.sends += [Send(IDENTIFIED, visitor_id, news, heard.at.partition) for news in seen.identified]
            if seen.changed:
                work.changes.append(Change(visitor_id, HEAD, seen.state.to_bytes()))
            work.decoded[visitor_id] = after
        came_ms = min((message.at_ms for message in messages), default=0)
        work.sends += _activities(by_account, owners, came_ms)
        return work

    def _by_visitor(self, messages: Sequence[Incoming], table: Table) -> dict[str, "_Heard"]:
        """Return the envelopes of visitors who are, or now become, known, and where the last of them stands."""
        senders = [senders_in(message.value) for message in messages]
        # Run for every event there is: a look-up leaves out what is plain, and who is known is asked for all at once.
        unplain = (one for each in senders for one in each if one.event.type not in PLAIN or one.client_network)
        telling = {one.visitor_id for one in unplain if self._tells(one)}
        concerned = telling | table.among([one.visitor_id for each in senders for one in each])
        found: dict[str, _Heard] = {}
        for message, each in zip(messages, senders, strict=True):
            wanted = [n for n, one in enumerate(each) if one.visitor_id in concerned and not _is_nobodys(one)]
            if not wanted:
                continue
            raws, at = envelopes_in(message.value), _At(message.partition, message.offset)
            for number in wanted:
                visitor_id = each[number].visitor_id
                heard = found.get(visitor_id)
                if heard is None:
                    heard = found[visitor_id] = _Heard([], at)
                heard.raws.append(raws[number])
                heard.at = at
        return found

    def _tells(self, sender: Sender) -> bool:
        """Tell whether an event says by itself that its visitor may be somebody known."""
        kind, network = sender.event.type, sender.client_network
        if kind.startswith(MAIL):
            return True
        return (kind in TELLING or (network is not None and self._is_a_companys(network))) and not sender.automated

    def _is_a_companys(self, network: str) -> bool:
        return self._directory.account_by_network(network) is not None


def _forgotten(visitor_id: str, seen: Observation) -> Iterator[Send]:
    """Yield what tells the accounts that a visitor's reads were; of the rest, nothing is told any more."""
    for account_id in seen.told:
        yield Send(ACTIVITY, account_id, Activity(account_id=account_id, forgotten=Forgotten(visitors=(visitor_id,))))


class _At(NamedTuple):
    """Where a bundle stands."""

    partition: int
    offset: int


@dataclass(slots=True)
class _Heard:
    """The envelopes that concern somebody, as they came, and where the last of them stands."""

    raws: list[msgspec.Raw]
    at: _At


def _is_nobodys(sender: Sender) -> bool:
    """Tell whether a machine did it, which is nobody and reads nothing; in a mail, it tells who else is none."""
    return sender.automated and not sender.event.type.startswith(MAIL)


def _read(raw: msgspec.Raw) -> Envelope | EnvelopeHead:
    """Return as much of an envelope as identity asks for: all of it if it tells who somebody is."""
    head = head_of(raw)
    kind = head.event.type
    if kind not in PLAIN and (kind in TELLING or kind.startswith(MAIL)):
        return Envelope.model_validate_json(bytes(raw))
    return head


class _Known(NamedTuple):
    """A visitor's state, and what accounts were told by it, written: most of what comes changes neither.

    `version` is that of the directory by which the state came about; -1 if it is not known.
    """

    state: VisitorState
    told: dict[str, Whose]
    version: int = -1

    def whose_for(self, account_id: str) -> Whose:
        """Return what an account is told."""
        if account_id not in self.told:
            self.told[account_id] = Whose.of(ownership(self.state, account_id))
        return self.told[account_id]


def _known(visitor_id: str, records: Records | None) -> _Known:
    if records is None:
        return _Known(VisitorState(visitor_id=visitor_id), {})
    if isinstance(records.decoded, _Known):
        return records.decoded
    return _Known(VisitorState.from_bytes(records[HEAD]), {})


def _activities(
    by_account: dict[str, list[tuple[Item, int]]], owners: dict[str, list[Whose]], came_ms: int
) -> Iterator[Send]:
    """Yield each account's messages: whose the visitors are goes first, before or with what they did."""
    for account_id in dict.fromkeys((*owners, *by_account)):
        whose = [(one, OWNERSHIP_BYTES + len(one.json)) for one in owners.get(account_id, ())]
        for part in _parts([*whose, *by_account.get(account_id, ())]):
            yield Send(ACTIVITY, account_id, Written(activity_bytes(account_id, part, came_ms)))


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
