"""Did a person open or click, or a machine? A function of the set of what is known of one mail, whatever its order.

A click is a person's only if the snippet saw somebody active on the page that it led to. Without that it is a machine's
if anything speaks for one, else unconfirmed. *Hard* signs of a machine stand against any page: mail scanners run
scripts, too. *Soft* ones give way to a page that was plainly used, but for a click as early as the delivery itself.
An open is a person's if a person clicked in the same mail then, or if Gmail's proxy asked, which does so at the open.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.emails import MailFact, Mailing, MailKind, Verdict
from schemas.events import EmailAgent
from schemas.reads import Read

NEAR_TRAP_MS = 10_000
NEAR_MACHINE_MS = 10_000
BURSTS = ((3, 2_000), (5, 10_000))
"""So many different links, within so many milliseconds."""
PAIR_MS = 1_000
AT_DELIVERY_MS = 5_000
CLOCKS_MS = 2_000  # senders tell times in seconds
LANDS_WITHIN_MS = 600_000
LANDED_WITHIN_MS = 60_000
OPENED_BEFORE_MS = 1_800_000
SEEN_MS = 2_000
PLAINLY_SEEN_MS = 15_000
PLAINLY_SEEN_DEPTH = 20

_AGENTS = {
    EmailAgent.apple_privacy: "apple_privacy",
    EmailAgent.gmail_prefetch: "gmail_prefetch",
    EmailAgent.chat_preview: "chat_preview",
    EmailAgent.scanner: "known_agent",
}
AT_DELIVERY = "at_delivery"


class Judgement(NamedTuple):
    """The verdict on one open or click, what it rests on, and the page views in which somebody was seen."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    page_view_ids: tuple[str, ...] = ()


class _Signs(NamedTuple):
    hard: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        return 2 if self.hard else 1 if self.soft else 0


def judge(mailing: Mailing, reads: Iterable[Read]) -> dict[str, Judgement]:
    """Return the verdict on each open and click of a mail, by event, given what its contact read."""
    facts = sorted(mailing.facts.values(), key=lambda fact: (fact.at_ms, fact.event_id))
    clicks = [fact for fact in facts if fact.kind is MailKind.clicked]
    opens = [fact for fact in facts if fact.kind is MailKind.opened]
    signs = {fact.event_id: _signs(fact, facts, clicks) for fact in (*clicks, *opens)}
    seen = _seen(clicks, signs, facts, [read for read in reads if read.contact_id == mailing.contact_id])
    found = {click.event_id: _of_click(click, signs[click.event_id], seen.get(click.event_id, ())) for click in clicks}
    by_people = [click.at_ms for click in clicks if found[click.event_id].verdict is Verdict.human]
    delivered = [fact.at_ms for fact in facts if fact.kind is MailKind.delivered]
    return found | {each.event_id: _of_open(each, signs[each.event_id], by_people, delivered) for each in opens}


def machine_reads(judged: Mapping[str, Judgement]) -> frozenset[str]:
    """Return the page views that machines opened by the clicks of a mail."""
    return frozenset(
        page_view_id for one in judged.values() if one.verdict is Verdict.machine for page_view_id in one.page_view_ids
    )


def _of_click(click: MailFact, signs: _Signs, seen: Sequence[Read]) -> Judgement:
    pages = tuple(read.page_view_id for read in seen)
    if signs.hard:
        return Judgement(Verdict.machine, (*signs.hard, *signs.soft), pages)
    if not seen:
        if signs.soft:
            return Judgement(Verdict.machine, signs.soft)
        return Judgement(Verdict.unconfirmed, ("not_seen_yet",) if click.snippet else ("no_snippet",))
    if not signs.soft:
        return Judgement(Verdict.human, ("seen_on_page",), pages)
    if AT_DELIVERY not in signs.soft and any(map(_plainly, seen)):
        return Judgement(Verdict.human, ("used_the_page", *signs.soft), pages)
    return Judgement(Verdict.unconfirmed, ("seen_on_page", *signs.soft), pages)


def _of_open(opened: MailFact, signs: _Signs, by_people: Sequence[int], delivered: Sequence[int]) -> Judgement:
    if signs.hard or signs.soft:
        return Judgement(Verdict.machine, (*signs.hard, *signs.soft))
    if any(opened.at_ms - CLOCKS_MS <= at_ms <= opened.at_ms + OPENED_BEFORE_MS for at_ms in by_people):
        return Judgement(Verdict.human, ("clicked",))
    if opened.agent is EmailAgent.gmail_proxy and any(at_ms < opened.at_ms for at_ms in delivered):
        return Judgement(Verdict.human, ("gmail_proxy",))
    return Judgement(Verdict.unconfirmed, ("open_alone",))


def _signs(fact: MailFact, facts: Sequence[MailFact], clicks: Sequence[MailFact]) -> _Signs:
    near_trap = any(one.trap and abs(one.at_ms - fact.at_ms) <= NEAR_TRAP_MS for one in clicks)
    hard = _those(
        trap=fact.trap,
        near_trap=near_trap and not fact.trap,
        head=fact.head,
        **{_AGENTS.get(fact.agent, ""): fact.agent in _AGENTS},
        sender_says=fact.flagged,
        burst=any(_in_burst(one, clicks) for one in clicks if one is fact or _at_once(one, fact)),
    )
    if fact.automated and not hard and not fact.data_center:
        hard = ("known_agent",)
    soft = _those(
        data_center=fact.data_center,
        at_delivery=any(_at_delivery(fact, one) for one in facts),
        pair=fact.kind is MailKind.clicked and _links_around(fact, clicks, PAIR_MS) > 1,
        beside_machine=not hard and any(_beside(fact, one) for one in facts),
    )
    return _Signs(hard, soft)


def _those(**signs: bool) -> tuple[str, ...]:
    return tuple(name for name, stands in signs.items() if stands)


def _at_once(click: MailFact, opened: MailFact) -> bool:
    return opened.kind is MailKind.opened and abs(click.at_ms - opened.at_ms) <= CLOCKS_MS


def _in_burst(click: MailFact, clicks: Sequence[MailFact]) -> bool:
    return any(_links_around(click, clicks, within_ms) >= links for links, within_ms in BURSTS)


def _links_around(fact: MailFact, clicks: Sequence[MailFact], within_ms: int) -> int:
    """Return how many different links were clicked in the fullest stretch of so many milliseconds around a moment."""
    near = [one for one in clicks if abs(one.at_ms - fact.at_ms) <= within_ms]
    most = 0
    for first in near:
        end_ms = first.at_ms + within_ms
        if first.at_ms <= fact.at_ms <= end_ms:
            most = max(most, len({(one.url, one.link) for one in near if first.at_ms <= one.at_ms <= end_ms}))
    return most


def _at_delivery(fact: MailFact, other: MailFact) -> bool:
    return other.kind is MailKind.delivered and -CLOCKS_MS <= fact.at_ms - other.at_ms <= AT_DELIVERY_MS


def _beside(fact: MailFact, other: MailFact) -> bool:
    """Tell whether a machine that says so came from the same network at the same time."""
    says_so = other.head or other.trap or other.agent is EmailAgent.scanner
    near = abs(other.at_ms - fact.at_ms) <= NEAR_MACHINE_MS
    return says_so and near and bool(fact.network) and fact.network == other.network


def _seen(
    clicks: Sequence[MailFact], signs: Mapping[str, _Signs], facts: Sequence[MailFact], reads: Sequence[Read]
) -> dict[str, list[Read]]:
    """Return the reads that confirm a click, by click: each confirms one, the likeliest and then the nearest."""
    landed = [fact for fact in facts if fact.kind is MailKind.landed]
    seen: dict[str, list[Read]] = {}
    for read in sorted(reads, key=lambda one: (one.started_ms, one.page_view_id)):
        if read.active_ms < SEEN_MS:
            continue
        came = any(
            one.visitor_id == read.visitor_id and abs(one.at_ms - read.started_ms) <= LANDED_WITHIN_MS for one in landed
        )
        fitting = [click for click in clicks if _leads_to(click, read, came=came)]
        if fitting:
            best = min(fitting, key=lambda click: (signs[click.event_id].weight, -click.at_ms, click.event_id))
            seen.setdefault(best.event_id, []).append(read)
    return seen


def _leads_to(click: MailFact, read: Read, *, came: bool) -> bool:
    in_time = -CLOCKS_MS <= read.started_ms - click.at_ms <= LANDS_WITHIN_MS
    return in_time and click.snippet and (came or click.url == read.url)


def _plainly(read: Read) -> bool:
    used = bool(read.clicks or read.submitted_forms) or read.depth_pct >= PLAINLY_SEEN_DEPTH
    return read.active_ms >= PLAINLY_SEEN_MS and used
