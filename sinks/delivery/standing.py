"""Why a brief comes now, how the account stands, who hands it over, and what an earlier brief had wrong."""

from collections.abc import Iterator

from schemas.brief import Brief, Correction, CorrectionKind, HandOver, TriggerKind
from schemas.interest import Interest, Reason
from sinks.delivery.document import Line
from sinks.delivery.outside_text import clipped, one_line
from sinks.delivery.phrases import Phrases
from sinks.delivery.speaker import MAX_NAME, Speaker

MAX_REASONS = 3
MAX_TITLES = 3


def correction_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield what an earlier brief said that no longer holds, or did not say."""
    correction = speaker.brief.correction
    if correction is None:
        return
    phrases = speaker.phrases
    evidence = ("brief:correction", *(f"read:{page_view_id}" for page_view_id in correction.page_view_ids))
    when = speaker.moment(correction.told_ms)
    if correction.kind is CorrectionKind.known_now:
        reader = speaker.name(correction.contact_id)
        yield Line(
            phrases.say("correction.known_now", reader=reader, when=when),
            (*evidence, f"contact:{correction.contact_id}"),
        )
    else:
        yield Line(phrases.say(f"correction.{correction.kind}", when=when), evidence)
    if titles := _titles(correction, speaker):
        yield Line(
            phrases.labelled(phrases.say("correction.pages"), phrases.listed(titles)),
            (*evidence, *(f"content:{url}" for url in correction.urls)),
        )


def _titles(correction: Correction, speaker: Speaker) -> tuple[str, ...]:
    contents = (speaker.content(url) for url in dict.fromkeys(correction.urls))
    return tuple(speaker.quoted(content.title) for content in contents if content)[:MAX_TITLES]


def why_now_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield who hands the account over, what made the brief, and how the account stands."""
    brief = speaker.brief
    if brief.hand_over:
        yield _hand_over(brief.hand_over, speaker)
    if brief.escalates and brief.rep_told_ms is not None:
        told = speaker.phrases.say(
            "escalated.told", rep=speaker.rep_name(brief.escalated_from), when=speaker.moment(brief.rep_told_ms)
        )
        yield Line(told, ("brief:rep_told_ms", f"rep:{brief.escalated_from}"))
    text, evidence = _trigger(speaker)
    yield Line(text, (*evidence, "brief:trigger"))
    facts, rests_on = _facts(brief, speaker.phrases)
    if facts:
        yield Line(" · ".join(facts), rests_on)


def _facts(brief: Brief, phrases: Phrases) -> tuple[tuple[str, ...], tuple[str, ...]]:
    interest = brief.interest
    facts = {}
    if interest.buying_stage:
        facts["summary:buying_stage"] = phrases.say("fact.stage", stage=phrases.say(f"stage.{interest.buying_stage}"))
    if interest.trend:
        facts["summary:trend"] = phrases.say(f"fact.{interest.trend.word}")
    # The headline and the trigger of one that returned say so already.
    silent = brief.trigger.kind is not TriggerKind.returned_after_silence
    if silent and interest.silence and interest.silence.page_view_id in brief.told:
        facts["summary:silence"] = phrases.say("fact.silence", n=interest.silence.days)
    return tuple(facts.values()), tuple(facts)


def _hand_over(hand_over: HandOver, speaker: Speaker) -> Line:
    phrases, lifecycle = speaker.phrases, speaker.brief.lifecycle
    who = speaker.rep_name(hand_over.from_rep_id) if hand_over.from_rep_id else phrases.say("marketing")
    stage = phrases.say(f"lifecycle.{lifecycle}") if lifecycle else ""
    reason = phrases.say(f"hand_over.{hand_over.reason}", lifecycle=stage)
    evidence = ("brief:hand_over", *([f"rep:{hand_over.from_rep_id}"] if hand_over.from_rep_id else []))
    return Line(phrases.say("hand_over.from", who=who, reason=reason), evidence)


def _trigger(speaker: Speaker) -> tuple[str, tuple[str, ...]]:
    brief, say = speaker.brief, speaker.phrases.say
    kind, when = brief.trigger.kind, speaker.moment(brief.trigger.met_ms)
    if kind is TriggerKind.high_intent:
        for read in brief.reads:
            if read.page_view_id == brief.trigger.page_view_id:
                title = speaker.quoted(read.title)
                return say("trigger.high_intent", title=title, when=when), (f"read:{read.page_view_id}",)
        return say("trigger.high_intent_plain", when=when), ()
    if kind is TriggerKind.temperature_up and (rise := brief.interest.rise):
        words = {side: say(f"temperature.{level}") for side, level in (("before", rise.before), ("after", rise.after))}
        return say("trigger.temperature_up", when=when, **words), ("summary:rise",)
    if kind is TriggerKind.returned_after_silence and (silence := brief.interest.silence):
        return say("trigger.returned_after_silence", n=silence.days, when=when), ("summary:silence",)
    if named := _named(speaker):
        return named, ()
    unsaid = kind in {TriggerKind.temperature_up, TriggerKind.returned_after_silence}  # of an older writer
    key = f"trigger.{kind}"
    return say(key if speaker.phrases.has(key) and not unsaid else "trigger.session_end", when=when), ()


def _named(speaker: Speaker) -> str:
    """Say which forms, campaign or functions a trigger is about; empty if it names none, as those of older writers."""
    trigger, phrases = speaker.brief.trigger, speaker.phrases
    when = speaker.moment(trigger.met_ms)
    match trigger.kind:
        case TriggerKind.form_sent if forms := tuple(clipped(form, MAX_NAME) for form in trigger.forms if form.strip()):
            named = phrases.listed(tuple(map(phrases.quoted, forms[:MAX_TITLES])))
            return phrases.say("trigger.form_sent_named", forms=named, when=when)
        case TriggerKind.campaign_click if trigger.campaign_id:
            campaign = phrases.quoted(trigger.campaign_id)
            return phrases.say("trigger.campaign_click_named", campaign=campaign, when=when)
        case TriggerKind.several_functions if trigger.functions:
            functions = phrases.listed(tuple(phrases.say(f"function.{each}") for each in trigger.functions))
            return phrases.say("trigger.several_functions_named", functions=functions, when=when)
        case _:
            return ""


def why_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield what the temperature rests on, and this week's reading beside a usual one."""
    for reason in speaker.brief.interest.reasons[:MAX_REASONS]:
        yield _reason(reason, speaker)
    if trend := _trend(speaker.brief.interest, speaker.phrases):
        yield Line(trend, ("summary:trend", "summary:active_ms_last_7_days", "summary:active_ms_prior_7_days"))


def _reason(reason: Reason, speaker: Speaker) -> Line:
    phrases, detail = speaker.phrases, clipped(reason.detail, MAX_NAME)
    evidence = ["summary:reasons", *(f"read:{page_view_id}" for page_view_id in reason.page_view_ids)]
    if reason.kind == "returned":
        evidence += [f"contact:{reason.detail}"] if reason.detail else []
        detail = speaker.name(reason.detail)
    elif reason.kind in {"high_intent", "email_click"}:
        detail = speaker.quoted(reason.detail)
    key = f"reason.{reason.kind}"
    # A kind that a newer writer added is said by its own name.
    words = phrases.say(key, detail=detail) if phrases.has(key) else one_line(reason.kind.replace("_", " "))
    return Line(phrases.say("reason.scored", reason=words, points=phrases.number(reason.points)), tuple(evidence))


def _trend(interest: Interest, phrases: Phrases) -> str:
    now = phrases.duration(interest.active_ms_last_7_days // 1000)
    if interest.trend and interest.trend.past_weeks:
        return phrases.say("trend.usual", now=now, usual=phrases.duration(interest.trend.usual_week_ms // 1000))
    if interest.trend:
        return phrases.say("trend.first", now=now)
    if not interest.active_ms_last_7_days and not interest.active_ms_prior_7_days:
        return ""
    return phrases.say("trend", now=now, before=phrases.duration(interest.active_ms_prior_7_days // 1000))
