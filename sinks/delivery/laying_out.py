"""Lays out the view of a delivery as a document, for the channels that render one."""

from collections.abc import Mapping

from schemas.delivery import Delivery
from schemas.directory import Directory
from sinks.delivery.document import BriefDocument, Button, Line, MessageDocument, Section, SectionKind
from sinks.delivery.phrases import Phrases
from sinks.delivery.view import BriefView, ReadView, view_of


def document_of(delivery: Delivery, directory: Directory, buttons: Mapping[str, tuple[Button, ...]]) -> MessageDocument:
    """Return the message as a document, with the buttons of each brief by its id."""
    message = view_of(delivery, directory)
    briefs = tuple(
        BriefDocument(
            brief.brief_id,
            brief.account_id,
            Line(view.headline),
            _sections(view, message.phrases),
            buttons.get(brief.brief_id, ()),
        )
        for brief, view in zip(delivery.briefs, message.briefs, strict=True)
    )
    more = message.phrases.say("chat_more", n=2).replace("2", "{n}")
    return MessageDocument(delivery.delivery_id, message.phrases.language, message.headline, briefs, more)


def _sections(brief: BriefView, phrases: Phrases) -> tuple[Section, ...]:
    say, advice, standing = phrases.say, brief.advice, brief.standing
    readers = tuple(
        Line(f"{reader.name} {reader.position}".strip(), detail=tuple(_read(read, phrases) for read in reader.reads))
        for reader in brief.readers
    )
    objections = tuple(f"{phrases.quoted(each.says)} → {each.answer}" for each in advice.objections)
    sections = (
        Section(SectionKind.who, "", 2, readers),
        _texts(SectionKind.why_now, say("why_now"), 3, (brief.trigger,)),
        _texts(SectionKind.say, say("next_step"), 2, (advice.next_step,)),
        _texts(SectionKind.focus, say("stress"), 3, advice.stress),
        _texts(SectionKind.say, say("ask"), 4, advice.ask),
        _texts(SectionKind.say, say("objections"), 5, objections),
        _texts(SectionKind.bring, say("expert"), 4, (advice.expert,)),
        _texts(SectionKind.who, say("missing"), 6, standing.missing),
        _texts(SectionKind.say, say("references"), 6, advice.references),
        _texts(SectionKind.say, brief.concerns_label, 7, advice.concerns),
        _texts(SectionKind.why, say("why", temperature=brief.temperature_word), 8, brief.why),
    )
    return tuple(section for section in sections if section.lines)


def _texts(kind: SectionKind, title: str, rank: int, texts: tuple[str, ...]) -> Section:
    return Section(kind, title, rank, tuple(Line(text) for text in texts if text))


def _read(read: ReadView, phrases: Phrases) -> Line:
    facts = [read.title, phrases.say("read.measure", active=read.active, depth=read.depth), read.lingered, read.clicked]
    return Line(" · ".join(fact for fact in facts if fact), link_text=read.title, url=read.url)
