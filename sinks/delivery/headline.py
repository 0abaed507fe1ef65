"""The one line: the account, what changed, and why now."""

from schemas.brief import Brief, TriggerKind
from schemas.certainty import SAID_PLAINLY_FROM
from sinks.delivery.document import Line
from sinks.delivery.outside_text import clipped
from sinks.delivery.said_reads import ReadContent, contents_of
from sinks.delivery.speaker import MAX_NAME, TO_THE_END_PCT, Speaker, reads_evidence

TWICE = 2
HOUR_S = 3600


def headline_of(speaker: Speaker) -> Line:
    """Say what changed, then who did what."""
    brief, phrases = speaker.brief, speaker.phrases
    change, evidence = _change(speaker)
    content = lead_content(brief)
    if content is None or brief.correction or brief.escalates:
        return Line(change, evidence)
    who, who_evidence = _who(content, speaker)
    finished = content.depth_pct >= TO_THE_END_PCT
    deed = phrases.say(
        "headline.deed_to_the_end" if finished else "headline.deed",
        who=who,
        title=speaker.quoted(clipped(content.longest.title, MAX_NAME)),
        depth=phrases.percent(content.depth_pct),
    )
    if (times := len(content.reads)) > 1:
        key = "headline.twice" if times == TWICE else "headline.times"
        deed = phrases.say(key, deed=deed, n=times)
    rests_on = (*evidence, *who_evidence, *reads_evidence(content.reads))
    return Line(phrases.say("headline.whole", change=change, deed=deed), tuple(dict.fromkeys(rests_on)))


def lead_content(brief: Brief) -> ReadContent | None:
    """Return what a headline tells of: what the trigger is about, else the weightiest."""
    contents = contents_of(brief)
    if brief.trigger.kind is TriggerKind.high_intent:
        for content in contents:
            if any(read.page_view_id == brief.trigger.page_view_id for read in content.reads):
                return content
    return contents[0] if contents else None


def _change(speaker: Speaker) -> tuple[str, tuple[str, ...]]:
    brief, phrases = speaker.brief, speaker.phrases
    facts = {"account": speaker.account, "temperature": speaker.temperature}
    evidence = (speaker.account_evidence, "summary:temperature")
    if brief.correction:
        return phrases.say("change.correction", **facts), (speaker.account_evidence, "brief:correction")
    if brief.escalates:
        return _escalated(speaker)
    kind = brief.trigger.kind
    if kind is TriggerKind.temperature_up and brief.interest.rise is None:
        kind = TriggerKind.session_end
    if kind is TriggerKind.returned_after_silence:
        if silence := brief.interest.silence:
            return phrases.say("change.returned_after_silence", n=silence.days, **facts), (
                speaker.account_evidence,
                "summary:silence",
            )
        kind = TriggerKind.session_end
    key = f"change.{kind}"
    # A kind that a newer writer added says how the account stands.
    key = key if phrases.has(key) else f"change.{TriggerKind.session_end}"
    return phrases.say(key, **facts), (*evidence, "brief:trigger")


def _escalated(speaker: Speaker) -> tuple[str, tuple[str, ...]]:
    """Say to a manager whose account it is, and for how long the brief was left unopened."""
    brief, phrases = speaker.brief, speaker.phrases
    facts = {
        "account": speaker.account,
        "temperature": speaker.temperature,
        "rep": speaker.rep_name(brief.escalated_from),
    }
    evidence = (speaker.account_evidence, "summary:temperature", f"rep:{brief.escalated_from}")
    if brief.unopened_h is None:  # of an older writer
        return phrases.say("change.escalated_plain", **facts), evidence
    time = phrases.duration(round(brief.unopened_h * HOUR_S))
    return phrases.say("change.escalated", time=time, **facts), (*evidence, "brief:unopened_h")


def _who(content: ReadContent, speaker: Speaker) -> tuple[str, tuple[str, ...]]:
    phrases, read = speaker.phrases, content.longest
    surest = max(each.confidence for each in content.reads)
    contact = speaker.contact(read.contact_id)
    if not read.contact_id:
        return phrases.say("someone"), (f"read:{read.page_view_id}",)
    evidence = (f"contact:{read.contact_id}",)
    if contact is None:
        return phrases.say("a_reader"), (f"read:{read.page_view_id}",)
    who = speaker.name(read.contact_id)
    if contact.function:
        who = phrases.say("headline.its", function=phrases.say(f"function.{contact.function}"))
    return (who if surest >= SAID_PLAINLY_FROM else phrases.say("probably", name=who)), evidence
