"""How an account stands, said in words: its stage, its rhythm, who hands it over, and who has not read yet."""

from dataclasses import dataclass

from schemas.brief import Brief, HandOver
from schemas.directory import Directory
from schemas.interest import Committee, Interest
from sinks.delivery.outside_text import clipped, one_line
from sinks.delivery.phrases import Phrases

_NAME = 60
_MAX_NAMES = 3


@dataclass(frozen=True)
class StandingView:
    """What a brief says beside the reads: short facts for its top, the hand-over, who is missing, this week's time."""

    facts: tuple[str, ...]
    hand_over: str
    missing: tuple[str, ...]
    unknown: str
    trend: str


def standing_of(brief: Brief, directory: Directory, phrases: Phrases) -> StandingView:
    """Say how the account of a brief stands."""
    interest = brief.interest
    # One who stands among the readers already needs no line of their own.
    beside = interest.unknown_visitors > any(not read.contact_id for read in brief.reads)
    unknown = phrases.say("unknown_visitors", n=interest.unknown_visitors) if beside else ""
    return StandingView(
        facts=_facts(brief, phrases),
        hand_over=_hand_over(brief.hand_over, brief, directory, phrases) if brief.hand_over else "",
        missing=_missing(interest.committee, directory, phrases) if interest.committee else (),
        unknown=unknown,
        trend=_trend(interest, phrases),
    )


def _facts(brief: Brief, phrases: Phrases) -> tuple[str, ...]:
    interest = brief.interest
    facts = []
    if interest.buying_stage:
        facts.append(phrases.say("fact.stage", stage=phrases.say(f"stage.{interest.buying_stage}")))
    if interest.trend:
        facts.append(phrases.say(f"fact.{interest.trend.word}"))
    if interest.silence and interest.silence.page_view_id in brief.told:
        facts.append(phrases.say("fact.silence", n=interest.silence.days))
    return tuple(facts)


def _hand_over(hand_over: HandOver, brief: Brief, directory: Directory, phrases: Phrases) -> str:
    rep = directory.reps.get(hand_over.from_rep_id)
    colleague = clipped(rep.name, _NAME) if rep else ""
    who = (colleague or phrases.say("a_colleague")) if hand_over.from_rep_id else phrases.say("marketing")
    lifecycle = phrases.say(f"lifecycle.{brief.lifecycle}") if brief.lifecycle else ""
    reason = phrases.say(f"hand_over.{hand_over.reason}", lifecycle=lifecycle)
    return phrases.say("hand_over.from", who=who, reason=reason)


def _missing(committee: Committee, directory: Directory, phrases: Phrases) -> tuple[str, ...]:
    """Return who is known of the functions that nobody has read for, then the functions of which nobody is known.

    Where nobody's function is known, nothing is missing but the directory's.
    """
    seats = {seat.function: seat for seat in committee.functions}
    if not any(seat.contacts or seat.readers for seat in seats.values()):
        return ()
    lines, nobody = [], []
    for function in committee.missing:
        contacts = (directory.contacts.get(contact_id) for contact_id in seats[function].unread_contacts[:_MAX_NAMES])
        names = tuple(clipped(contact.name, _NAME) for contact in contacts if contact)
        word = phrases.say(f"function.{function}")
        if names:
            lines.append(phrases.say("missing.known", function=word, names=phrases.listed(names)))
        else:
            nobody.append(word)
    if nobody:
        lines.append(phrases.say("missing.nobody", functions=phrases.listed(tuple(nobody))))
    return tuple(map(one_line, lines))


def _trend(interest: Interest, phrases: Phrases) -> str:
    now = phrases.duration(interest.active_ms_last_7_days // 1000)
    if interest.trend and interest.trend.past_weeks:
        return phrases.say("trend.usual", now=now, usual=phrases.duration(interest.trend.usual_week_ms // 1000))
    if interest.trend:
        return phrases.say("trend.first", now=now)
    if not interest.active_ms_last_7_days and not interest.active_ms_prior_7_days:
        return ""
    return phrases.say("trend", now=now, before=phrases.duration(interest.active_ms_prior_7_days // 1000))
