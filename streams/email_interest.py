"""What the account made of marketing's emails: mailings as sets of facts, and their summary. Pure.

A mailing joins by the union of its facts, of which the latest are kept. Who opted out stays so: whatever is reported of
them later, they are no reader of emails again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from schemas.activity import ActivityItem
from schemas.emails import ClickedLink, EmailInterest, ListHealth, MailFact, Mailing, MailInterest, MailKind, Verdict
from schemas.events import (
    EMAIL_EVENTS,
    BounceKind,
    EmailBounce,
    EmailClick,
    EmailComplaint,
    EmailDelivered,
    EmailOpen,
    EmailUnsubscribe,
    Identify,
    IdentifyMethod,
)
from schemas.ids import derived_id
from schemas.reads import Read
from schemas.urls import canonical_url
from streams.email_verdicts import Judgement, judge, machine_reads
from streams.opt_outs import OPTED_OUT, opt_out_key

MAX_FACTS = 200
MAX_LISTED = 50
NOBODY: Mapping[str, int] = MappingProxyType({})
FOLLOWS_WITHIN_MS = 1_800_000
IN_PART = 0.5

_KINDS: dict[type, MailKind] = {
    EmailDelivered: MailKind.delivered,
    EmailOpen: MailKind.opened,
    EmailClick: MailKind.clicked,
    EmailBounce: MailKind.bounced,
    EmailComplaint: MailKind.complained,
    EmailUnsubscribe: MailKind.unsubscribed,
}
_SUREST = (Verdict.human, Verdict.unconfirmed, Verdict.machine)


class CountedClick(NamedTuple):
    """A link that was clicked, as far as it counts: when, how much of it, and the page views that confirm it."""

    at_ms: int
    share: float
    campaign_id: str
    page_view_ids: tuple[str, ...]


class Mails(NamedTuple):
    """What follows from an account's mailings: the summary, the clicks that count, and the reads that are machines'."""

    interest: EmailInterest | None = None
    counted: tuple[CountedClick, ...] = ()
    machine_reads: frozenset[str] = frozenset()
    newest_ms: int = 0


NO_MAILS = Mails()

Mailings = Mapping[str, Mailing]
"""An account's mailings, by their ids."""


def mailing_id(contact_id: str, campaign_id: str) -> str:
    """Return the id of one campaign's mail to one contact."""
    return derived_id("mail", contact_id, campaign_id)


def joined(mailings: Mailings, items: Iterable[ActivityItem]) -> Mailings:
    """Return the mailings with what some events tell of them; the very same if they tell nothing of any."""
    new: dict[str, dict[str, MailFact]] = {}
    named: dict[str, tuple[str, str]] = {}
    for item in items:
        told = _told(item)
        if told is None:
            continue
        contact_id, campaign_id, fact = told
        key = mailing_id(contact_id, campaign_id)
        named[key] = contact_id, campaign_id
        facts = new.setdefault(key, {})
        facts[fact.event_id] = _least(facts.get(fact.event_id), fact)
    if not new:
        return mailings
    after = dict(mailings)
    for key, facts in new.items():
        contact_id, campaign_id = named[key]
        after[key] = join(after.get(key), Mailing(contact_id=contact_id, campaign_id=campaign_id, facts=facts))
    return after


def join(a: Mailing | None, b: Mailing) -> Mailing:
    """Return the mailing with the facts of both; of too many the latest, but for those that opt out, which stay."""
    if a is None:
        facts = dict(b.facts)
    else:
        facts = dict(a.facts)
        for key, fact in b.facts.items():
            facts[key] = _least(facts.get(key), fact)
    ordered = sorted(facts.values(), key=lambda fact: (fact.kind in OPTED_OUT, fact.at_ms, fact.event_id))
    kept = {fact.event_id: fact for fact in ordered[-MAX_FACTS:]}
    return b.but(facts={key: kept[key] for key in sorted(kept)})


def still_of_use(mailings: Mailings, newest_read_ms: int, history_ms: int, emptied_ms: int) -> Mailings:
    """Return the mailings of which something is known within the history, or whose contact opted out.

    The history reaches back from what is newest of the account. What was before it was last emptied is no more.
    """
    newest_ms = max((newest_read_ms, *(_until_ms(one) for one in mailings.values())))
    since_ms = newest_ms - history_ms
    kept = {key: one for key, one in mailings.items() if _until_ms(one) >= since_ms or _says(one, *OPTED_OUT)}
    if emptied_ms:
        kept = {key: left for key, one in kept.items() if (left := _after(one, emptied_ms)).facts}
    return kept if kept != mailings else mailings


def mails_of(mailings: Mailings, reads: Iterable[Read], opted_out: Mapping[str, int] = NOBODY) -> Mails:
    """Return what follows from an account's mailings and reads; `opted_out` are contacts of whom no mail was kept."""
    told = [one for one in mailings.values() if _last_ms(one)]
    if not told:
        return NO_MAILS
    by_contact: dict[str, list[Read]] = {}
    for read in reads:
        by_contact.setdefault(read.contact_id, []).append(read)
    ordered = sorted(told, key=lambda one: (-_last_ms(one), one.contact_id, one.campaign_id))
    judged = [(one, judge(one, by_contact.get(one.contact_id, ()))) for one in ordered]
    machines = frozenset().union(*(machine_reads(verdicts) for _, verdicts in judged))
    health = _health(ordered, opted_out)
    out = {*health.complained, *health.unsubscribed}
    shown = [
        _mail(one, verdicts, by_contact.get(one.contact_id, ()))
        for one, verdicts in judged
        if one.contact_id not in out
    ]
    readers = sorted(
        {
            mail.contact_id
            for mail in shown
            if mail.opened is Verdict.human or any(click.verdict is Verdict.human for click in mail.clicks)
        }
    )
    counted = [
        CountedClick(click.at_ms, click.counted, mail.campaign_id, click.page_view_ids)
        for mail in shown
        for click in mail.clicks
        if click.counted
    ]
    interest = EmailInterest(mails=tuple(shown[:MAX_LISTED]), readers=tuple(readers[:MAX_LISTED]), health=health)
    return Mails(interest, tuple(sorted(counted)), machines, max(map(_last_ms, told)))


def _told(item: ActivityItem) -> tuple[str, str, MailFact] | None:
    """Return whose mail of which campaign an event tells of, and what; None if it tells of none."""
    event, at_ms = item.envelope.event, item.envelope.occurred_ms
    if isinstance(event, Identify):
        if event.method is not IdentifyMethod.email_link or event.campaign_id is None:
            return None
        fact = MailFact(event_id=event.event_id, kind=MailKind.landed, at_ms=at_ms, visitor_id=item.envelope.visitor_id)
        return event.contact_id, event.campaign_id, fact
    if not isinstance(event, EMAIL_EVENTS):
        return None
    said: dict[str, object] = {"network": item.envelope.client_network or "", "automated": item.envelope.automated}
    if isinstance(event, EmailOpen | EmailClick):
        said |= {name: getattr(event, name) for name in ("agent", "head", "data_center", "flagged")}
    if isinstance(event, EmailClick):
        said |= {"url": canonical_url(event.url), "link": event.link, "trap": event.trap, "snippet": event.snippet}
    if isinstance(event, EmailBounce):
        said["bounce"] = event.bounce
    fact = MailFact(event_id=event.event_id, kind=_KINDS[type(event)], at_ms=at_ms, **said)
    return item.contact_id, event.campaign_id, fact


def _least(a: MailFact | None, b: MailFact) -> MailFact:
    """Return one of two facts of one event: the earlier, then the one that reads first."""
    return b if a is None else min(a, b, key=lambda fact: (fact.at_ms, fact.model_dump_json()))


def _last_ms(mailing: Mailing) -> int:
    """Return when the newest that was told of a mail happened; 0 if only a browser landed by it, which is a read's."""
    return max((fact.at_ms for fact in mailing.facts.values() if fact.kind is not MailKind.landed), default=0)


def _until_ms(mailing: Mailing) -> int:
    return max((fact.at_ms for fact in mailing.facts.values()), default=0)


def _after(mailing: Mailing, at_ms: int) -> Mailing:
    facts = {key: fact for key, fact in mailing.facts.items() if fact.at_ms >= at_ms}
    return mailing if len(facts) == len(mailing.facts) else mailing.model_copy(update={"facts": facts})


def _says(mailing: Mailing, *kinds: MailKind) -> bool:
    return any(fact.kind in kinds for fact in mailing.facts.values())


def _health(mailings: Sequence[Mailing], opted_out: Mapping[str, int]) -> ListHealth:
    before = {one.contact_id for one in mailings if opted_out and opt_out_key(one.contact_id) in opted_out}
    found = [(fact, one.contact_id) for one in mailings for fact in one.facts.values()]

    def latest(*kinds: MailKind) -> dict[str, int]:
        told = sorted((fact.at_ms, who) for fact, who in found if fact.kind in kinds and not _may_pass(fact))
        return {who: at_ms for at_ms, who in told}

    def contacts(kind: MailKind) -> tuple[str, ...]:
        return tuple(sorted(latest(kind)))

    # An address that was put right takes mail again.
    arrived = latest(MailKind.delivered, MailKind.landed)
    gone = {who for who, at_ms in latest(MailKind.bounced).items() if at_ms >= arrived.get(who, 0)}
    return ListHealth(
        bounced=tuple(sorted(gone)),
        complained=contacts(MailKind.complained),
        unsubscribed=tuple(sorted({*contacts(MailKind.unsubscribed), *before})),
    )


def _may_pass(fact: MailFact) -> bool:
    return fact.bounce is BounceKind.temporary


def _mail(mailing: Mailing, judged: Mapping[str, Judgement], reads: Sequence[Read]) -> MailInterest:
    facts = mailing.facts.values()
    opens = [fact for fact in facts if fact.kind is MailKind.opened]
    opened = min(opens, key=lambda fact: _order(fact, judged), default=None)
    return MailInterest(
        contact_id=mailing.contact_id,
        campaign_id=mailing.campaign_id,
        last_ms=_last_ms(mailing),
        delivered_ms=min((fact.at_ms for fact in facts if fact.kind is MailKind.delivered), default=None),
        opened=judged[opened.event_id].verdict if opened else None,
        opened_ms=opened.at_ms if opened else None,
        open_reasons=judged[opened.event_id].reasons if opened else (),
        clicks=tuple(_clicks(mailing, judged, reads))[:MAX_LISTED],
    )


def _clicks(mailing: Mailing, judged: Mapping[str, Judgement], reads: Sequence[Read]) -> Iterator[ClickedLink]:
    """Yield the links that were clicked, each by its surest click: one click is often reported twice."""
    surest: dict[str, MailFact] = {}
    for fact in mailing.facts.values():
        if fact.kind is MailKind.clicked and not fact.trap:
            known = surest.get(fact.url)
            surest[fact.url] = fact if known is None else min(known, fact, key=lambda one: _order(one, judged))
    for fact in sorted(surest.values(), key=lambda one: (-one.at_ms, one.event_id)):
        verdict = judged[fact.event_id]
        links = {
            one.link
            for one in mailing.facts.values()
            if one.kind is MailKind.clicked and one.url == fact.url and one.link
        }
        in_part = verdict.verdict is Verdict.unconfirmed and not fact.snippet
        yield ClickedLink(
            url=fact.url,
            link=fact.link or min(links, default=""),
            at_ms=fact.at_ms,
            verdict=verdict.verdict,
            reasons=verdict.reasons,
            counted=1 if verdict.verdict is Verdict.human else IN_PART if in_part else 0,
            page_view_ids=_followed(verdict, reads),
        )


def _followed(verdict: Judgement, reads: Sequence[Read]) -> tuple[str, ...]:
    """Return what the browser read that a click brought: the page it led to, and the pages after it."""
    if verdict.verdict is Verdict.machine:
        return ()
    came = [(read.visitor_id, read.started_ms) for read in reads if read.page_view_id in verdict.page_view_ids]
    after = [
        read
        for read in reads
        if any(
            read.visitor_id == visitor_id and 0 <= read.started_ms - at_ms <= FOLLOWS_WITHIN_MS
            for visitor_id, at_ms in came
        )
    ]
    ordered = sorted(after, key=lambda read: (read.started_ms, read.page_view_id))
    return tuple(read.page_view_id for read in ordered[:MAX_LISTED])


def _order(fact: MailFact, judged: Mapping[str, Judgement]) -> tuple[int, int, str]:
    return _SUREST.index(judged[fact.event_id].verdict), -fact.at_ms, fact.event_id
