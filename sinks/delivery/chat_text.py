"""A message as short Markdown for chat, within a limit of bytes, reading well as plain text too."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sinks.delivery.outside_text import clipped
from sinks.delivery.phrases import Phrases
from sinks.delivery.view import BriefView, MessageView, ReadView

# WeCom takes 4,096 bytes of UTF-8, the least of the known services; the rest is left for what a service adds.
MAX_CHAT_BYTES = 3_500
_MAX_TEXT = 240
_MAX_URL = 300
_ACTIVE = re.compile(r"[\\`*_\[\]<>~]|&(?=#?\w+;)")
_MENTION = re.compile(r"@(?=\w)")
_BARE_ADDRESS = re.compile(r"(?i)\b(https?|ftp)(?=://)|\b(www)(?=\.)")
_ZERO_WIDTH_SPACE = "\u200b"


def markdown(text: str) -> str:
    """Return outside text as Markdown that shows just that text: no markup, mention or link comes of it."""
    line = clipped(text, _MAX_TEXT)
    line = _MENTION.sub("@" + _ZERO_WIDTH_SPACE, line)
    line = _BARE_ADDRESS.sub(lambda found: found[0] + _ZERO_WIDTH_SPACE, line)
    return _ACTIVE.sub(lambda found: "\\" + found[0], line)


def markdown_link(text: str, url: str | None) -> str:
    """Return a Markdown link to a checked address; the text alone if there is none, or it is too long for chat."""
    if url is None or len(url.encode()) > _MAX_URL:
        return markdown(text)
    safe = url.replace("(", "%28").replace(")", "%29").replace("[", "%5B").replace("]", "%5D")
    return f"[{markdown(text)}]({safe})"


@dataclass(frozen=True, eq=False)
class _Item:
    """What is told whole or not at all; the lower the rank, the more it matters. Two with the same text are two."""

    rank: int
    brief: int
    text: str


def chat_of(message: MessageView, limit: int = MAX_CHAT_BYTES) -> str:
    """Return the message for chat, without its headline, in at most `limit` bytes together with it.

    What matters less is left out first, always by whole items, and the last line says how many are missing.
    """
    items = [item for index, brief in enumerate(message.briefs) for item in _items(index, brief, message)]
    kept = _fitting(items, limit - len(markdown(message.headline).encode()) * 2, message.phrases)
    lines = [item.text for item in items if item in kept]
    if len(kept) < len(items):
        lines.append("\n" + message.phrases.say("chat_more", n=len(items) - len(kept)))
    return "\n".join(lines).strip()


def _fitting(items: list[_Item], budget: int, phrases: Phrases) -> set[_Item]:
    spare = budget - len(phrases.say("chat_more", n=len(items)).encode()) - 2
    kept: set[_Item] = set()
    for item in sorted(items, key=lambda item: (item.rank, item.brief)):
        spare -= len(item.text.encode()) + 1
        if spare < 0:
            break
        kept.add(item)
    return kept


def _items(index: int, brief: BriefView, message: MessageView) -> Iterator[_Item]:
    phrases, advice = message.phrases, brief.advice
    if message.is_digest:
        yield _Item(0, index, f"\n**{markdown(brief.headline)}**")
    standing = brief.standing
    if standing.hand_over:
        yield _Item(1, index, phrases.labelled(f"\n**{phrases.say('hand_over')}**", markdown(standing.hand_over)))
    if standing.facts:
        yield _Item(2, index, markdown(" · ".join(standing.facts)))
    for number, (rank, text) in enumerate(_reading(brief, phrases)):
        yield _Item(rank if number else 1, index, text)
    objections = tuple(
        f"{phrases.quoted(clipped(each.says, _MAX_TEXT // 2))} → {each.answer}" for each in advice.objections
    )
    sections: tuple[tuple[int, str, tuple[str, ...]], ...] = (
        (6, phrases.say("missing"), standing.missing),
        (3, phrases.say("stress"), advice.stress),
        (4, phrases.say("ask"), advice.ask),
        (5, phrases.say("objections"), objections),
        (7, brief.concerns_label, advice.concerns),
        (6, phrases.say("references"), advice.references),
        (4, phrases.say("expert"), (advice.expert,) if advice.expert else ()),
        (2, phrases.say("next_step"), (advice.next_step,) if advice.next_step else ()),
        (8, phrases.say("why", temperature=brief.temperature_word), brief.why),
        (3, phrases.say("why_now"), (brief.trigger,)),
    )
    for rank, title, texts in sections:
        yield from (_Item(rank, index, text) for text in _section(title, texts, phrases))


def _reading(brief: BriefView, phrases: Phrases) -> Iterator[tuple[int, str]]:
    for reader in brief.readers:
        position = f" ({markdown(reader.position)})" if reader.position else ""
        yield 2, f"\n**{markdown(reader.name)}**{position}"
        for number, read in enumerate(reader.reads):
            yield (2 if number == 0 else 3), "- " + _read(read, phrases)
    for line in (brief.more_reads, brief.standing.unknown):
        if line:
            yield 8, "- " + line


def _read(read: ReadView, phrases: Phrases) -> str:
    facts = [markdown_link(read.title, read.url), phrases.say("read.measure", active=read.active, depth=read.depth)]
    facts += [markdown(fact) for fact in (read.lingered, read.clicked) if fact]
    facts += [phrases.say("read.before_known")] if read.before_known else []
    return " · ".join(facts)


def _section(title: str, texts: tuple[str, ...], phrases: Phrases) -> Iterator[str]:
    """Yield a section's items; the title goes with the first, after a blank line so that no list swallows it."""
    label = f"\n**{markdown(title)}**"
    if len(texts) == 1:
        yield phrases.labelled(label, markdown(texts[0]))
        return
    for number, text in enumerate(texts):
        yield ("" if number else label + "\n") + "- " + markdown(text)
