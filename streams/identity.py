"""Who is this visitor? The state machine of the first stage.

From the evidence that stands follow the spans of time in which the visitor was this reader or that one: what was read
before the first evidence belongs to the first contact, later evidence wins for later reads. Each account concerned
is told the spans that are its own, with a rank, so that the newest word stands whatever the order in which words come.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from schemas.activity import Identified, OwnedSpan, Ownership
from schemas.certainty import CONFIDENCE
from schemas.directory import Directory
from schemas.envelope import Envelope
from schemas.events import CLAIMS, EMAIL_EVENTS, IdentifyMethod, Withdraw, page_view_of
from schemas.message import Id, Model, UnixMs
from streams.envelope_heads import EnvelopeHead
from streams.evidence import Evidence, Facts, learn, standing, standing_sightings


class Span(OwnedSpan):
    """A stretch of time in which the visitor was one reader of one account."""

    account_id: Id

    def owned(self) -> OwnedSpan:
        """Return it as its account is told."""
        values = dict(vars(self))
        del values["account_id"]
        return OwnedSpan.trusted(values)


class Gone(Model):
    """A contact that is no longer in the directory: what they read until then stays with the account, unnamed."""

    contact_id: Id
    account_id: Id
    until_ms: UnixMs


class VisitorState(Facts):
    """All that identity needs of one visitor: what was learnt, and what was announced when."""

    visitor_id: Id
    announced: tuple[Span, ...] = ()
    gone: tuple[Gone, ...] = ()
    announced_facts: int = 0
    turn: int = 0
    changed_ms: UnixMs = 0


class Did(msgspec.Struct, gc=False):
    """What somebody known did; `known` if they were when it happened."""

    contact_id: str
    known: bool
    envelope: Envelope | EnvelopeHead


class Observation(NamedTuple):
    """What follows from some envelopes of one visitor; `told` are the accounts that are to hear whose it is."""

    state: VisitorState
    activity: list[tuple[str, Did]]
    told: list[str]
    identified: tuple[Identified, ...]
    changed: bool

    @property
    def owners(self) -> dict[str, Ownership]:
        """What each account that is to hear of it is told."""
        return {account_id: ownership(self.state, account_id) for account_id in self.told}


class _Sign(NamedTuple):
    """One piece of evidence, resolved: somebody of an account, by name if there is one."""

    from_ms: int
    contact_id: str
    account_id: str | None
    method: IdentifyMethod


def observe(
    state: VisitorState, envelopes: Sequence[Envelope | EnvelopeHead], directory: Directory, partition: int, offset: int
) -> Observation:
    """Take in one visitor's envelopes of one bundle, which stood at a partition and offset of `events`.

    Evidence in the bundle counts for all of it. The activity of known people comes back with its account, the whole of
    a visitor's going to every account concerned, as each knows which reads are its own. A span that is new, or was
    wrong, is announced; an account that was not concerned before has the visitor's history stitched.
    """
    after = _without_gone(learn(state, envelopes, directory), envelopes, directory)
    spans = _spans(_signs(after, directory), after.gone, directory)
    if spans != state.announced:
        newest_ms = max((one.occurred_ms for one in envelopes), default=0)
        after = after.but(
            announced=spans,
            announced_facts=after.seen,
            turn=max(offset, state.turn + 1),
            changed_ms=max(newest_ms, state.changed_ms),
        )
    activity = _activity(envelopes, spans, directory)
    concerned = {span.account_id for span in spans}
    if spans != state.announced:
        told = concerned | {span.account_id for span in state.announced}
    else:
        told = concerned & {account_id for account_id, _ in activity}
    return Observation(
        state=after,
        activity=activity,
        told=sorted(told),
        identified=tuple(_announcements(state, after, partition, offset)),
        changed=after is not state,
    )


def seen_again(state: VisitorState, heads: Sequence[Envelope | EnvelopeHead], directory: Directory) -> Observation:
    """Take in what says nothing of who the visitor is, while the directory is as it was when the state came about.

    It is what `observe` comes to then, without looking at the evidence again.
    """
    activity = _activity(heads, state.announced, directory)
    told = {span.account_id for span in state.announced} & {account_id for account_id, _ in activity}
    return Observation(state, activity, sorted(told), (), changed=False)


def says_who(head: EnvelopeHead | Envelope) -> bool:
    """Tell whether what happened may say who the visitor is: by itself, or by where it came from."""
    return not isinstance(head, EnvelopeHead) or head.client_network is not None


def _without_gone(
    state: VisitorState, envelopes: Sequence[Envelope | EnvelopeHead], directory: Directory
) -> VisitorState:
    """Note who was announced and has gone from the directory since; that is found out with the visitor's next event."""
    if not state.announced and not state.gone:
        return state
    noticed_ms = min((one.occurred_ms for one in envelopes), default=0)
    gone = {one.contact_id: one for one in state.gone if one.contact_id not in directory.contacts}
    for span in state.announced:
        if span.contact_id and span.contact_id not in directory.contacts and span.contact_id not in gone:
            left = Gone(contact_id=span.contact_id, account_id=span.account_id, until_ms=noticed_ms)
            gone[span.contact_id] = left
    now = tuple(gone.values())
    return state if now == state.gone else state.but(gone=now)


def _signs(facts: VisitorState, directory: Directory) -> list[_Sign]:
    """Return what stands, resolved; where nothing names an account, the networks the visitor came from do."""
    signs = [sign for one in standing(facts, directory) if (sign := _resolved(one, directory, facts.gone))]
    # Somebody of an account of which a contact is named, too: most likely that contact, by another address.
    named = {sign.account_id for sign in signs if sign.contact_id}
    signs = [sign for sign in signs if sign.contact_id or sign.account_id not in named]
    if any(sign.account_id for sign in signs):
        return signs
    return [
        _Sign(one.from_ms, "", account_id, IdentifyMethod.network)
        for one in standing_sightings(facts)
        if (account_id := directory.account_by_network(one.network))
    ]


def _resolved(sign: Evidence, directory: Directory, gone: Sequence[Gone]) -> _Sign | None:
    """Return who a piece of evidence names; what a site merely says may name none (yet), and then is no sign."""
    contact_id = sign.contact_id
    if sign.method in CLAIMS:
        named = directory.contact_named(sign.contact_id)
        if named is None and not any(one.contact_id == contact_id for one in gone):
            account_id = directory.account_by_domain(sign.domain) if sign.domain else None
            return _Sign(sign.from_ms, "", account_id, IdentifyMethod.domain) if account_id else None
        contact_id = named or contact_id
    accounts = [account_id for account_id, _ in _memberships(contact_id, directory, gone) if account_id]
    return _Sign(sign.from_ms, contact_id, accounts[-1] if accounts else None, sign.method)


def _memberships(contact_id: str, directory: Directory, gone: Sequence[Gone]) -> list[tuple[str | None, int | None]]:
    """Return of which accounts a contact was, each with the moment it ended, in order; None for one that is no more."""
    contact = directory.contacts.get(contact_id)
    found: list[tuple[str, int | None]]
    if contact is None:
        found = [(one.account_id, one.until_ms) for one in gone if one.contact_id == contact_id]
    else:
        earlier = sorted(contact.earlier, key=lambda each: each.until_ms)
        found = [*((each.account_id, each.until_ms) for each in earlier), (contact.account_id, None)]
    return [(account_id if account_id in directory.accounts else None, until) for account_id, until in found]


def _spans(signs: Sequence[_Sign], gone: Sequence[Gone], directory: Directory) -> tuple[Span, ...]:
    """Return the spans whose account is known; the first reaches back to the beginning.

    Who changed account is the earlier account's up to the change, and then the later one's.
    """
    runs: list[list[_Sign]] = []
    for sign in signs:
        if runs and runs[-1][0][1:3] == sign[1:3]:
            runs[-1].append(sign)
        else:
            runs.append([sign])
    spans = []
    for i, run in enumerate(runs):
        first, begin = run[0], 0 if i == 0 else run[0].from_ms
        end = runs[i + 1][0].from_ms if i + 1 < len(runs) else None
        surest = max((sign.method for sign in run), key=lambda method: (CONFIDENCE[method], method))
        periods = _memberships(first.contact_id, directory, gone) if first.contact_id else [(first.account_id, None)]
        for account_id, until in periods:
            stop = min((moment for moment in (until, end) if moment is not None), default=None)
            if account_id and (stop is None or stop > begin):
                span = Span(
                    contact_id=first.contact_id if first.contact_id in directory.contacts else "",
                    account_id=account_id,
                    method=surest,
                    confidence=CONFIDENCE[surest],
                    evidence_ms=first.from_ms,
                    from_ms=begin,
                    until_ms=stop,
                )
                spans.append(span)
            begin = max(begin, stop) if stop is not None else begin
    return tuple(spans)


def ownership(state: VisitorState, account_id: str) -> Ownership:
    """Return when a visitor was an account's, as an account is told."""
    return Ownership(
        visitor_id=state.visitor_id,
        facts=state.announced_facts,
        turn=state.turn,
        changed_ms=state.changed_ms,
        spans=tuple(span.owned() for span in state.announced if span.account_id == account_id),
    )


def _activity(
    envelopes: Sequence[Envelope | EnvelopeHead], spans: Sequence[Span], directory: Directory
) -> list[tuple[str, Did]]:
    found = []
    accounts = tuple(dict.fromkeys(span.account_id for span in spans))
    for envelope in envelopes:
        event, at_ms = envelope.event, envelope.occurred_ms
        if isinstance(envelope, Envelope):  # a head is neither of these two
            if isinstance(event, Withdraw):
                continue
            if isinstance(event, EMAIL_EVENTS):  # a mail names its recipient itself
                contact_id = directory.contact_named(event.contact_id) or event.contact_id
                if account := directory.account_of(contact_id):
                    found.append((account.account_id, Did(contact_id, known=True, envelope=envelope)))
                continue
        now = _span_at(spans, at_ms)
        if now and len(accounts) == 1:
            found.append((now.account_id, Did(now.contact_id, now.evidence_ms <= at_ms, envelope)))
            continue
        # A page view may reach from one reader's span into another's, and belongs to whose it began in.
        for account_id in accounts if page_view_of(event) else ((now.account_id,) if now else ()):
            if now and now.account_id == account_id:
                found.append((account_id, Did(now.contact_id, now.evidence_ms <= at_ms, envelope)))
            else:
                found.append((account_id, Did("", known=False, envelope=envelope)))
    return found


def _span_at(spans: Sequence[Span], at_ms: int) -> Span | None:
    # Run for each event: a loop costs a third of what a generator does.
    for span in spans:
        if span.covers(at_ms):
            return span
    return None


def _announcements(before: VisitorState, after: VisitorState, partition: int, offset: int) -> Iterable[Identified]:
    had = {span.account_id for span in before.announced}
    standing_keys = {(span.from_ms, span.contact_id) for span in after.announced}
    for span in before.announced:
        if (span.from_ms, span.contact_id) not in standing_keys:
            yield _announcement(after, span, partition, offset, withdrawn=True)
    for span in after.announced:
        if span not in before.announced:
            yield _announcement(after, span, partition, offset, stitch=span.account_id not in had)
        had.add(span.account_id)


def _announcement(
    state: VisitorState, span: Span, partition: int, offset: int, *, withdrawn: bool = False, stitch: bool = False
) -> Identified:
    return Identified(
        visitor_id=state.visitor_id,
        partition=partition,
        offset=offset,
        withdrawn=withdrawn,
        stitch=stitch,
        ownership=ownership(state, span.account_id) if stitch else None,
        **vars(span),
    )
