"""Who is this visitor? The state machine of the first stage.

A visitor's state is the set of evidence about it, so it does not matter in which order the evidence arrives. From
the set follow the spans of time in which the visitor was this contact or that one: what was read before the first
evidence belongs to the first contact, later evidence wins for later reads.
"""

from collections.abc import Callable, Sequence

from schemas.activity import ActivityItem, Identified
from schemas.envelope import Envelope
from schemas.events import CLAIMS, EmailClick, EmailOpen, Identify, IdentifyMethod
from schemas.message import Id, Message, Model, UnixMs

MAX_EVIDENCE = 100

AccountOf = Callable[[str], str | None]
ContactNamed = Callable[[str], str | None]


def as_named(name: str) -> str:
    """Take every name for a contact's id."""
    return name


class Evidence(Model):
    """One sign that a visitor is a contact, from the moment it was given."""

    from_ms: UnixMs
    event_id: Id
    contact_id: Id
    method: IdentifyMethod


class Span(Model):
    """A stretch of time in which the visitor was one contact of one account; open-ended if `until_ms` is None."""

    contact_id: Id
    account_id: Id
    method: IdentifyMethod
    evidence_ms: UnixMs
    from_ms: UnixMs
    until_ms: UnixMs | None = None


class VisitorState(Message):
    """All that identity needs of one visitor."""

    visitor_id: Id
    evidence: tuple[Evidence, ...] = ()
    announced: tuple[Span, ...] = ()


class Observation(Model):
    """What follows from some envelopes of one visitor."""

    state: VisitorState
    activity: tuple[tuple[str, ActivityItem], ...] = ()
    identified: tuple[Identified, ...] = ()
    changed: bool = False


def observe(
    state: VisitorState,
    envelopes: Sequence[Envelope],
    account_of: AccountOf,
    partition: int,
    offset: int,
    contact_named: ContactNamed = as_named,
) -> Observation:
    """Take in one visitor's envelopes of one bundle, which stood at a partition and offset of `events`.

    Evidence in the bundle counts for all of it. The activity of known people comes back with its account; a span
    that is new, or reaches further than announced, is announced for stitching.
    """
    evidence = _with_evidence(state.evidence, envelopes)
    resolved = _resolved(evidence, contact_named)
    spans = _spans(resolved, account_of)
    news = [span for span in spans if not _covered(span, state.announced)]
    announced = spans if news else state.announced
    after = VisitorState(visitor_id=state.visitor_id, evidence=evidence, announced=tuple(announced))
    return Observation(
        state=after,
        activity=tuple(_activity(envelopes, resolved, account_of, contact_named)),
        identified=tuple(_announcement(state.visitor_id, span, partition, offset) for span in news),
        changed=after != state,
    )


def sign_at(evidence: Sequence[Evidence], at_ms: int) -> Evidence | None:
    """Return the sign, of sorted evidence, that names the contact of a moment, or None if there is none at all."""
    if not evidence:
        return None
    named = evidence[0]
    for sign in evidence:
        if sign.from_ms > at_ms:
            break
        named = sign
    return named


def _with_evidence(known: tuple[Evidence, ...], envelopes: Sequence[Envelope]) -> tuple[Evidence, ...]:
    signs = {sign.event_id: sign for sign in known}
    for envelope in envelopes:
        event = envelope.event
        if isinstance(event, Identify) and event.event_id not in signs:
            signs[event.event_id] = Evidence(
                from_ms=envelope.occurred_ms,
                event_id=event.event_id,
                contact_id=event.contact_id,
                method=event.method,
            )
    if len(signs) == len(known):
        return known
    ordered = sorted(signs.values(), key=lambda sign: (sign.from_ms, sign.event_id))
    if len(ordered) > MAX_EVIDENCE:
        ordered = _ends_of_runs(ordered)
    return tuple(ordered[:1] + ordered[1:][-(MAX_EVIDENCE - 1) :])


def _ends_of_runs(ordered: list[Evidence]) -> list[Evidence]:
    """Leave out signs between two others that name the same contact: a tracker may repeat a name on every page."""
    return [
        sign
        for i, sign in enumerate(ordered)
        if i in {0, len(ordered) - 1} or not ordered[i - 1].contact_id == sign.contact_id == ordered[i + 1].contact_id
    ]


def _resolved(evidence: Sequence[Evidence], contact_named: ContactNamed) -> list[Evidence]:
    """Return the signs with what a site merely says turned into contacts; what names none (yet) is no sign."""
    found = []
    for sign in evidence:
        if sign.method not in CLAIMS:
            found.append(sign)
        elif contact_id := contact_named(sign.contact_id):
            found.append(sign if contact_id == sign.contact_id else sign.model_copy(update={"contact_id": contact_id}))
    return found


def _spans(evidence: Sequence[Evidence], account_of: AccountOf) -> list[Span]:
    """Return the spans whose account is known; the first reaches back to the beginning."""
    changes = [sign for i, sign in enumerate(evidence) if i == 0 or sign.contact_id != evidence[i - 1].contact_id]
    spans = []
    for i, sign in enumerate(changes):
        if account_id := account_of(sign.contact_id):
            spans.append(
                Span(
                    contact_id=sign.contact_id,
                    account_id=account_id,
                    method=sign.method,
                    evidence_ms=sign.from_ms,
                    from_ms=0 if i == 0 else sign.from_ms,
                    until_ms=changes[i + 1].from_ms if i + 1 < len(changes) else None,
                )
            )
    return spans


def _covered(span: Span, announced: Sequence[Span]) -> bool:
    return any(
        old.contact_id == span.contact_id
        and old.account_id == span.account_id
        and old.from_ms <= span.from_ms
        and (old.until_ms is None or (span.until_ms is not None and span.until_ms <= old.until_ms))
        for old in announced
    )


def _activity(
    envelopes: Sequence[Envelope], evidence: Sequence[Evidence], account_of: AccountOf, contact_named: ContactNamed
) -> list[tuple[str, ActivityItem]]:
    found = []
    for envelope in envelopes:
        event = envelope.event
        if isinstance(event, EmailOpen | EmailClick):
            contact_id, known = (
                contact_named(event.contact_id) or event.contact_id,
                True,
            )  # a mail names its recipient itself
        elif sign := sign_at(evidence, envelope.occurred_ms):
            contact_id, known = sign.contact_id, sign.from_ms <= envelope.occurred_ms
        else:
            continue
        if account_id := account_of(contact_id):
            found.append((account_id, ActivityItem(contact_id=contact_id, known=known, envelope=envelope)))
    return found


def _announcement(visitor_id: str, span: Span, partition: int, offset: int) -> Identified:
    return Identified(
        visitor_id=visitor_id,
        contact_id=span.contact_id,
        account_id=span.account_id,
        method=span.method,
        evidence_ms=span.evidence_ms,
        from_ms=span.from_ms,
        until_ms=span.until_ms,
        partition=partition,
        offset=offset,
    )
