"""Lays a delivery out as a document: the headline, then what matters to a rep, in the order of use."""

from collections.abc import Callable, Iterator, Mapping
from zoneinfo import ZoneInfo

from schemas.brief import Brief
from schemas.delivery import Delivery
from schemas.directory import Directory
from sinks.delivery.document import BriefDocument, Button, ButtonKind, Line, MessageDocument, Section, SectionKind
from sinks.delivery.headline import headline_of
from sinks.delivery.phrases import Phrases, phrases_for
from sinks.delivery.said_advice import bring_lines, focus_lines, next_step_lines, say_lines
from sinks.delivery.said_email import email_lines
from sinks.delivery.said_people import reach_lines, who_lines
from sinks.delivery.said_reads import read_first_lines, what_lines
from sinks.delivery.speaker import Speaker
from sinks.delivery.standing import correction_lines, why_lines, why_now_lines

_HEADLINE_ACCOUNTS = 3
_SECTIONS: Mapping[SectionKind, tuple[int, Callable[[Speaker], Iterator[Line]]]] = {
    SectionKind.correction: (0, correction_lines),
    SectionKind.why_now: (1, why_now_lines),
    SectionKind.next_step: (1, next_step_lines),
    SectionKind.who: (2, who_lines),
    SectionKind.what: (2, what_lines),
    SectionKind.email: (2, email_lines),
    SectionKind.focus: (3, focus_lines),
    SectionKind.say: (3, say_lines),
    SectionKind.bring: (4, bring_lines),
    SectionKind.read_first: (5, read_first_lines),
    SectionKind.reach: (4, reach_lines),
    SectionKind.why: (6, why_lines),
}
"""Rank and lines of each section, in the order of the page."""

ButtonUrl = Callable[[Brief, ButtonKind], str | None]
"""Gives the signed link of a brief's button, or None where there is no such button."""


def no_buttons(_brief: Brief, _kind: ButtonKind) -> None:
    """Give a brief no buttons."""


def document_of(delivery: Delivery, directory: Directory, buttons: ButtonUrl = no_buttons) -> MessageDocument:
    """Lay a delivery out in the language of its newest brief, by the rep's clock."""
    phrases = phrases_for(delivery.newest.language)
    rep = directory.reps.get(delivery.rep_id)
    zone = ZoneInfo(rep.time_zone if rep else "UTC")
    speakers = [Speaker(brief, directory, phrases, zone) for brief in delivery.briefs]
    briefs = tuple(_brief_document(speaker, buttons) for speaker in speakers)
    return MessageDocument(
        delivery_id=delivery.delivery_id,
        language=phrases.language,
        headline=_headline(speakers, briefs, phrases),
        briefs=briefs,
        more=phrases.say("chat_more", n="{n}"),
    )


def _brief_document(speaker: Speaker, buttons: ButtonUrl) -> BriefDocument:
    brief = speaker.brief
    sections = (
        Section(kind, section_title(kind, speaker), rank, tuple(lines(speaker)))
        for kind, (rank, lines) in _SECTIONS.items()
    )
    links = ((kind, buttons(brief, kind)) for kind in ButtonKind)
    return BriefDocument(
        brief_id=brief.brief_id,
        account_id=brief.account_id,
        headline=headline_of(speaker),
        sections=tuple(section for section in sections if section.lines),
        buttons=tuple(Button(kind, speaker.phrases.say(f"button.{kind}"), url) for kind, url in links if url),
    )


def section_title(kind: SectionKind, speaker: Speaker) -> str:
    """Return a section's title in the rep's language."""
    return speaker.phrases.say(f"section.{kind}", temperature=speaker.temperature)


def _headline(speakers: list[Speaker], briefs: tuple[BriefDocument, ...], phrases: Phrases) -> str:
    # In the order of the briefs, which is that of their worth; of several on one account the newest says how it stands.
    newest: dict[str, Speaker] = {}
    for speaker in speakers:
        known = newest.setdefault(speaker.brief.account_id, speaker)
        if _decided(speaker) > _decided(known):
            newest[speaker.brief.account_id] = speaker
    if len(newest) == 1:
        (only,) = newest.values()
        return briefs[speakers.index(only)].headline.text
    accounts = [
        phrases.say("headline.digest_account", account=speaker.account, temperature=speaker.temperature)
        for speaker in newest.values()
    ]
    shown, hidden = accounts[:_HEADLINE_ACCOUNTS], len(accounts) - _HEADLINE_ACCOUNTS
    if hidden > 0:
        shown.append(phrases.say("headline.digest_more", n=hidden))
    return phrases.say("headline.digest", n=len(accounts), accounts=phrases.listed(tuple(shown)))


def _decided(speaker: Speaker) -> tuple[int, str]:
    return speaker.brief.decided_ms, speaker.brief.brief_id
