"""What they read, in order of weight; and what of it the rep had better read first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from schemas.brief import Brief, ReadSummary
from schemas.urls import canonical_url
from sinks.delivery.document import Line
from sinks.delivery.outside_text import clipped
from sinks.delivery.speaker import MAX_NAME, Speaker, reads_evidence

MAX_CONTENTS = 4
MAX_SECTIONS = 2
MAX_CLICKS = 3
MAX_KNOWN = 3
MAX_READ_FIRST = 2


@dataclass(frozen=True)
class ReadContent:
    """One content as one reader has read it, in as many page views as it took."""

    reads: tuple[ReadSummary, ...]

    @cached_property
    def longest(self) -> ReadSummary:
        """The page view that was read longest."""
        return max(self.reads, key=lambda read: (read.active_s, read.page_view_id))

    @property
    def active_s(self) -> int:
        """Seconds of active reading in all page views."""
        return sum(read.active_s for read in self.reads)

    @property
    def depth_pct(self) -> int:
        """How far the deepest page view came."""
        return max(read.depth_pct for read in self.reads)

    @property
    def weight(self) -> tuple[int, int]:
        """What orders contents: their worth, or the time where an older writer did not tell it."""
        return sum(read.weight_ms for read in self.reads), self.active_s

    @cached_property
    def bands(self) -> tuple[int, ...]:
        """Active milliseconds in each tenth of the page; empty if no page view told."""
        told = [read.bands for read in self.reads if read.bands]
        return tuple(map(sum, zip(*told, strict=True))) if told else ()


def contents_of(brief: Brief) -> tuple[ReadContent, ...]:
    """Return what each reader has read, the weightiest first."""
    groups: dict[tuple[str, ...], list[ReadSummary]] = {}
    for read in brief.reads:
        groups.setdefault((*reader_key(read), canonical_url(read.url)), []).append(read)
    contents = (ReadContent(tuple(reads)) for reads in groups.values())
    return tuple(sorted(contents, key=lambda content: content.weight, reverse=True))


def reader_key(read: ReadSummary) -> tuple[str, ...]:
    """Return what one reader's reads have in common; unknown readers are told apart by how they were recognised."""
    return (read.contact_id,) if read.contact_id else ("", read.method or "", read.via)


def what_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield what was read, the weightiest first, then what is left out and what had been known before."""
    brief, contents = speaker.brief, contents_of(speaker.brief)
    several = len({reader_key(read) for read in brief.reads}) > 1
    for content in contents[:MAX_CONTENTS]:
        yield _content_line(content, speaker, with_reader=several)
    more = brief.more_reads + sum(len(content.reads) for content in contents[MAX_CONTENTS:])
    if more:
        evidence = reads_evidence(tuple(read for content in contents[MAX_CONTENTS:] for read in content.reads))
        yield Line(speaker.phrases.say("read.more", n=more), ("brief:more_reads", *evidence))
    yield from _known_before(speaker)


def _content_line(content: ReadContent, speaker: Speaker, *, with_reader: bool) -> Line:
    phrases, longest = speaker.phrases, content.longest
    measure = phrases.say(
        "read.measure", active=phrases.duration(content.active_s), depth=speaker.depth(content.depth_pct)
    )
    if len(content.reads) > 1:
        measure = phrases.say("read.times", measure=measure, n=len(content.reads))
    evidence = (*reads_evidence(content.reads), f"content:{canonical_url(longest.url)}")
    if with_reader:
        measure = phrases.say("read.by", measure=measure, reader=speaker.reader(longest))
        evidence += (f"contact:{longest.contact_id or longest.via}", speaker.account_evidence)
    text = phrases.labelled(speaker.title(longest.title), measure)
    line = speaker.page(text, longest.title, longest.url, evidence)
    return replace(line, bands=_shares(content.bands), detail=tuple(_details(content, speaker)))


def _shares(bands: tuple[int, ...]) -> tuple[int, ...]:
    whole = sum(bands)
    return tuple(round(100 * band / whole) for band in bands) if whole else ()


def _details(content: ReadContent, speaker: Speaker) -> Iterator[Line]:
    phrases, longest = speaker.phrases, content.longest
    attention = []
    if section := clipped(longest.section, MAX_NAME):
        time = phrases.duration(longest.section_s)
        attention.append(phrases.say("read.lingered", section=phrases.quoted(section), time=time))
    skipped = [phrases.quoted(clipped(title, MAX_NAME)) for title in longest.skipped if title.strip()]
    if skipped:
        attention.append(phrases.say("read.skipped", sections=phrases.listed(tuple(skipped[:MAX_SECTIONS]))))
    if attention:
        yield Line(" · ".join(attention), reads_evidence((longest,)))
    clicks = {
        phrases.quoted(clipped(text, MAX_NAME)): number
        for read in content.reads
        for number, text in zip(read.clicked_ids or ("",) * len(read.clicked), read.clicked, strict=False)
        if text.strip()
    }
    if clicks:
        shown = tuple(clicks)[:MAX_CLICKS]
        events = tuple(f"event:{clicks[text]}" for text in shown if clicks[text])
        yield Line(
            phrases.say("read.clicked", clicked=phrases.listed(shown)), (*reads_evidence(content.reads), *events)
        )
    yield _circumstances(content, speaker)


def _circumstances(content: ReadContent, speaker: Speaker) -> Line:
    """Return when it was read, whether the rep knows of it already, and what brought the reader."""
    phrases, newest = speaker.phrases, content.reads[-1]
    facts = [speaker.moment(newest.started_ms)]
    told_s = sum(read.told_s for read in content.reads)
    if told_s:
        facts.append(phrases.say("read.more_of_it", time=phrases.duration(told_s)))
    elif not speaker.brief.hand_over:
        facts.append(phrases.say("read.again" if is_known(content, speaker.brief) else "read.new"))
    campaigns = dict.fromkeys(read.campaign_id for read in content.reads if read.campaign_id)
    if campaigns:
        facts.append(phrases.say("read.campaign", campaign=phrases.listed(tuple(map(phrases.quoted, campaigns)))))
    if any(read.before_known for read in content.reads):
        facts.append(phrases.say("read.before_known"))
    url = canonical_url(newest.url)
    return Line(" · ".join(facts), (*reads_evidence(content.reads), f"summary:contents.{url}"))


def is_known(content: ReadContent, brief: Brief) -> bool:
    """Tell whether the account had read a content before what this brief tells of it."""
    url = canonical_url(content.longest.url)
    here = sum(canonical_url(read.url) == url for read in brief.reads)
    return any(known.url == url and known.reads > here for known in brief.interest.contents)


def _known_before(speaker: Speaker) -> Iterator[Line]:
    brief, phrases = speaker.brief, speaker.phrases
    if brief.hand_over or brief.more_reads:
        return
    here = {canonical_url(read.url) for read in brief.reads}
    known = [content for content in brief.interest.contents if content.url not in here][:MAX_KNOWN]
    if known:
        said = tuple(
            phrases.say("read.known", title=speaker.quoted(each.title), time=phrases.duration(each.active_ms // 1000))
            for each in known
        )
        evidence = tuple(f"summary:contents.{each.url}" for each in known)
        label = phrases.say("read.known_before")
        yield Line(phrases.labelled(label, phrases.listed(said)), evidence, lead=label)


def read_first_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield the pages that the account has read and the rep has not been told of, with the time that they take."""
    phrases = speaker.phrases
    pages: dict[str, ReadContent] = {}
    for content in contents_of(speaker.brief):
        if speaker.brief.hand_over or not (is_known(content, speaker.brief) or any(r.told_s for r in content.reads)):
            pages.setdefault(canonical_url(content.longest.url), content)
    for url, content in list(pages.items())[:MAX_READ_FIRST]:
        title, page = speaker.title(content.longest.title), speaker.content(url)
        evidence = (*reads_evidence((content.longest,)), f"content:{url}")
        text = title
        if page:
            text = phrases.say("read_first.page", title=title, time=phrases.duration(page.reading_time_s))
        yield speaker.page(text, content.longest.title, content.longest.url, evidence)
