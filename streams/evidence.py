"""What is known of who a visitor is: sets that only grow, so the order in which it arrives does not matter.

Evidence names a contact from a moment on. A withdrawal takes back what was told up to a moment. A sighting is the first
time a visitor was seen in a network of a company's.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

from schemas.directory import Directory
from schemas.envelope import Envelope
from schemas.events import CLAIMS, Identify, IdentifyMethod, Withdraw, page_view_of
from schemas.message import Domain, Id, Message, Model, UnixMs
from streams.envelope_heads import EnvelopeHead

MAX_EVIDENCE = 100
MAX_SIGHTINGS = 8


class Evidence(Model):
    """One sign that a visitor is a contact, from the moment it was given."""

    from_ms: UnixMs
    event_id: Id
    contact_id: Id
    method: IdentifyMethod
    domain: Domain | None = None


class Withdrawal(Model):
    """What was told up to a moment is not so: one piece of evidence, all about a contact, or all."""

    at_ms: UnixMs
    event_id: Id
    evidence_id: Id | None = None
    contact_id: Id | None = None


class Sighting(Model):
    """The first time a visitor came from a network that is a company's."""

    from_ms: UnixMs
    network: str


class Facts(Message):
    """All that was learnt of one visitor; `seen` counts what was new, and never shrinks."""

    evidence: tuple[Evidence, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    seen: int = 0


F = TypeVar("F", bound=Facts)


def learn(known: F, envelopes: Sequence[Envelope | EnvelopeHead], directory: Directory) -> F:
    """Return what is known after some envelopes of the visitor; the very same if they tell nothing new."""
    envelopes = [one for one in envelopes if one.client_network or not isinstance(one, EnvelopeHead)]
    if not envelopes:
        return known
    evidence = {sign.event_id: sign for sign in known.evidence}
    withdrawals = {one.event_id: one for one in known.withdrawals}
    sightings = {one.network: one.from_ms for one in known.sightings}
    news = 0
    for envelope in envelopes:
        event, at_ms = envelope.event, envelope.occurred_ms
        if isinstance(event, Identify) and event.event_id not in evidence:
            evidence[event.event_id] = Evidence(
                from_ms=at_ms,
                event_id=event.event_id,
                contact_id=event.contact_id,
                method=event.method,
                domain=event.domain,
            )
            news += 1
        elif isinstance(event, Withdraw) and event.event_id not in withdrawals:
            withdrawals[event.event_id] = Withdrawal(
                at_ms=at_ms, event_id=event.event_id, evidence_id=event.evidence_id, contact_id=event.contact_id
            )
            news += 1
        network = envelope.client_network
        if network and not page_view_of(event):
            continue  # mails are clicked by scanners, too
        if network and at_ms < sightings.get(network, at_ms + 1) and directory.account_by_network(network):
            sightings[network] = at_ms
    earliest = _earliest(sightings)
    if not news and earliest == known.sightings:
        return known
    return known.but(
        evidence=_bounded(evidence.values()),
        withdrawals=_latest(withdrawals.values()),
        sightings=earliest,
        seen=known.seen + news + (earliest != known.sightings),
    )


def standing(facts: Facts, directory: Directory) -> list[Evidence]:
    """Return the evidence that no withdrawal takes back, in order."""
    return [sign for sign in facts.evidence if not any(_takes_back(one, sign, directory) for one in facts.withdrawals)]


def standing_sightings(facts: Facts) -> list[Sighting]:
    """Return the sightings that no withdrawal takes back, in order: one of everything does, and for good."""
    last_ms = max((one.at_ms for one in facts.withdrawals if not (one.evidence_id or one.contact_id)), default=-1)
    return [one for one in facts.sightings if one.from_ms > last_ms]


def _takes_back(withdrawal: Withdrawal, sign: Evidence, directory: Directory) -> bool:
    if withdrawal.evidence_id:
        return sign.event_id == withdrawal.evidence_id
    if sign.from_ms > withdrawal.at_ms:
        return False
    if not withdrawal.contact_id or sign.contact_id == withdrawal.contact_id:
        return True
    return sign.method in CLAIMS and directory.contact_named(sign.contact_id) == withdrawal.contact_id


def _bounded(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    ordered = sorted(evidence, key=lambda sign: (sign.from_ms, sign.event_id))
    if len(ordered) > MAX_EVIDENCE:
        ordered = _ends_of_runs(ordered)
    return tuple(ordered[:1] + ordered[1:][-(MAX_EVIDENCE - 1) :])


def _latest(withdrawals: Iterable[Withdrawal]) -> tuple[Withdrawal, ...]:
    return tuple(sorted(withdrawals, key=lambda one: (one.at_ms, one.event_id))[-MAX_EVIDENCE:])


def _ends_of_runs(ordered: list[Evidence]) -> list[Evidence]:
    """Leave out signs between two others that name the same contact: a tracker may repeat a name on every page."""
    same = [a.contact_id == b.contact_id for a, b in pairwise(ordered)]
    return [sign for i, sign in enumerate(ordered) if i in {0, len(ordered) - 1} or not (same[i - 1] and same[i])]


def _earliest(sightings: dict[str, int]) -> tuple[Sighting, ...]:
    ordered = sorted((at_ms, network) for network, at_ms in sightings.items())[:MAX_SIGHTINGS]
    return tuple(Sighting(from_ms=at_ms, network=network) for at_ms, network in ordered)
