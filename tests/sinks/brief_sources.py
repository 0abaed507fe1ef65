"""What a brief's evidence says: all words and figures that a sentence resting on it may hold.

A sentence is traced by taking out what its evidence supports, then the words that the phrases of the language have;
what is left was invented.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from schemas.brief import Brief, ReadSummary
from schemas.directory import Directory, Function
from schemas.emails import EmailInterest, ListHealth
from schemas.interest import Committee, ContentInterest, Reason, Rise, Silence, Trend
from schemas.playbook import Playbook
from schemas.urls import canonical_url
from sinks.delivery.document import Line
from sinks.delivery.outside_text import clipped, one_line
from sinks.delivery.phrases import Phrases
from sinks.delivery.said_people import international

_FACTS = ("function.", "role.", "stage.", "lifecycle.", "temperature.", "reach.")
"""Phrases that say what somebody or something is: no words of the language, but facts that need evidence."""


@cache
def phrase_words(texts: tuple[str, ...]) -> frozenset[str]:
    """Return the literal parts of phrases."""
    parts = {part.strip() for text in texts for part in re.split(r"\{\w+\}", text)}
    return frozenset(filter(None, parts))


class Sources:
    """Looks up evidence where it came from: the brief's reads, the directory, the playbook file."""

    def __init__(
        self, brief: Brief, directory: Directory, playbook: Playbook, phrases: Phrases, zone: ZoneInfo
    ) -> None:
        self.brief, self.directory, self.playbook = brief, directory, playbook
        self.phrases, self.zone = phrases, zone
        texts = [
            text
            for key, phrase in phrases.table.items()
            if not key.startswith(_FACTS)
            for text in ([phrase] if isinstance(phrase, str) else phrase.values())
        ]
        self._words = phrase_words((*texts, phrases.listed(("{a}", "{b}")), phrases.listed(("{a}", "{b}", "{c}"))))

    def invented(self, line: Line) -> str:
        """Return what a sentence says beyond its evidence; empty if nothing."""
        rest = one_line(line.text)
        supported = set(filter(None, self.supported(line.evidence)))
        for text in sorted(supported | self._words, key=lambda text: (-len(text), text)):
            if text in rest:
                rest = _whole(text).sub("\x00", rest)
        return "".join(char for char in rest if char.isalnum())

    def supported(self, evidence: Sequence[str]) -> Iterator[str]:
        """Yield the words and figures that evidence stands for."""
        reads = [read for each in evidence if each.startswith("read:") if (read := self._read(each[5:]))]
        yield from self._reads(reads)
        for each in evidence:
            kind, _, key = each.partition(":")
            if kind != "read":
                yield from map(str, getattr(self, f"_{kind}")(key))

    def _read(self, page_view_id: str) -> ReadSummary | None:
        return next((read for read in self.brief.reads if read.page_view_id == page_view_id), None)

    def _reads(self, reads: list[ReadSummary]) -> Iterator[str]:
        for read in reads:
            yield from (clipped(text, limit) for text in (read.title, read.section) for limit in (60, 90))
            yield from (clipped(text, 60) for text in (*read.skipped, *read.clicked))
            yield from (self._time(read.section_s), self._time(read.active_s), self.moment(read.started_ms))
            yield from (self.phrases.percent(read.depth_pct), self.phrases.percent(read.confidence), read.campaign_id)
        if reads:
            yield self._time(sum(read.active_s for read in reads))
            yield self._time(sum(read.told_s for read in reads))
            yield str(len(reads))

    def _event(self, event_id: str) -> Iterator[str]:
        clicks = {
            number: text
            for read in self.brief.reads
            for number, text in zip(read.clicked_ids, read.clicked, strict=True)
        }
        yield clipped(clicks[event_id], 60)

    def _contact(self, contact_id: str) -> Iterator[str]:
        if contact := self.directory.contacts.get(contact_id):
            yield from (contact.name, contact.title, contact.email or "", international(contact.phone or ""))
            yield self._word("function", contact.function)
            yield self._word("role", contact.role)

    def _account(self, account_id: str) -> Iterator[str]:
        yield clipped(self.directory.accounts[account_id].name, 60)

    def _rep(self, rep_id: str) -> Iterator[str]:
        if rep := self.directory.reps.get(rep_id):
            yield rep.name

    def _content(self, url: str) -> Iterator[str]:
        if content := self.directory.contents.get(url):
            yield from (content.title, content.owner, self._time(content.reading_time_s))

    def _playbook(self, path: str) -> Iterator[str]:
        value: Any = self.playbook
        for step in path.split("."):
            value = (
                value[int(step)]
                if isinstance(value, tuple)
                else value[step]
                if isinstance(value, dict)
                else getattr(value, step)
            )
        if path.startswith("concerns."):
            yield self._word("function", Function(path.split(".")[1]))
        if isinstance(value, str | dict):
            yield one_line(self.playbook.say(value, self.brief.language))
        elif hasattr(value, "reach"):
            yield f"{value.name}, {value.reach}"

    def _summary(self, name: str) -> Iterator[str]:
        kind, _, url = name.partition(".")
        value = getattr(self.brief.interest, kind)
        if kind.startswith("active_ms"):
            yield self._time(value // 1000)
        elif kind == "unknown_visitors":
            yield str(value)
        elif kind in {"temperature", "buying_stage"}:
            yield self._word(kind.removeprefix("buying_"), value)
        elif value is not None:
            yield from getattr(self, f"_{kind}")(value, url)

    def _contents(self, contents: tuple[ContentInterest, ...], url: str) -> Iterator[str]:
        for content in contents:
            if content.url == canonical_url(url):
                yield from (content.title, self._time(content.active_ms // 1000))

    def _email(self, email: EmailInterest, name: str) -> Iterator[str]:
        contact_id, _, campaign_id = name.partition("/")
        kind = contact_id.removeprefix("health.")
        if kind in ListHealth.model_fields and campaign_id in getattr(email.health, kind):
            phrase = "reach.came_back" if kind == "bounced" else "reach.no_marketing"
            address = self.directory.contacts[campaign_id].email
            yield self.phrases.say(phrase, address=address)
        for mail in email.mails:
            if (mail.contact_id, mail.campaign_id) == (contact_id, campaign_id):
                yield campaign_id
                yield self.moment(mail.opened_ms or 0)
                clicks = [click for click in mail.clicks if click.counted]
                yield str(len(clicks) - 2)
                for click in clicks:
                    yield from (click.link, clipped(click.url, 60), self.moment(click.at_ms))
                    yield str(len(click.page_view_ids))

    def _reasons(self, reasons: tuple[Reason, ...], _: str) -> Iterator[str]:
        for reason in reasons:
            yield from (self.phrases.number(reason.points), reason.detail)

    def _trend(self, trend: Trend, _: str) -> Iterator[str]:
        yield self._time(trend.usual_week_ms // 1000)

    def _silence(self, silence: Silence, _: str) -> Iterator[str]:
        yield str(silence.days)

    def _rise(self, rise: Rise, _: str) -> Iterator[str]:
        yield from (self._word("temperature", level) for level in (rise.before, rise.after))

    def _committee(self, committee: Committee, _: str) -> Iterator[str]:
        yield from (self._word("function", function) for function in committee.missing)

    def _brief(self, name: str) -> Iterator[str]:
        value = getattr(self.brief, name)
        match name:
            case "trigger":
                yield self.moment(value.met_ms)
                yield from (*(clipped(form, 60) for form in value.forms), value.campaign_id)
                yield from (self._word("function", function) for function in value.functions)
            case "rep_told_ms":
                yield self.moment(value)
            case "unopened_h":
                yield self._time(round(value * 3600))
            case "more_reads":
                shown = {(read.contact_id, canonical_url(read.url)) for read in self.brief.reads}
                yield from map(str, range(value, value + len(shown) + 1))
            case "correction":
                yield self.moment(value.told_ms)
            case "hand_over":
                yield self._word("lifecycle", self.brief.lifecycle)
            case "advice":
                for focus in value.focus:
                    yield from (self._time(focus.active_s), str(focus.readers))
                yield from (colleague.name for colleague in value.bring if not colleague.path and not colleague.rep_id)

    def _word(self, kind: str, value: StrEnum | None) -> str:
        return self.phrases.say(f"{kind}.{value}") if value else ""

    def _time(self, seconds: int) -> str:
        return self.phrases.duration(seconds)

    def moment(self, unix_ms: int) -> str:
        """Say a moment by the rep's clock."""
        return self.phrases.moment(datetime.fromtimestamp(unix_ms / 1000, self.zone))


@lru_cache(4_000)
def _whole(text: str) -> re.Pattern[str]:
    """Match a text where no word or number of a spaced script goes on before or after it."""
    before = r"(?<![A-Za-z0-9])" if re.match(r"[A-Za-z0-9]", text) else ""
    after = r"(?![A-Za-z0-9])" if re.search(r"[A-Za-z0-9]$", text) else ""
    return re.compile(before + re.escape(text) + after)
