"""What a brief shows, as plain values: names from the directory, words from the phrases, nothing escaped yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.brief import Advice, Brief, ReadSummary, TriggerKind
from schemas.certainty import SAID_PLAINLY_FROM
from schemas.delivery import Delivery
from schemas.directory import Contact, Content, Directory
from schemas.interest import Reason, Temperature
from schemas.urls import canonical_url
from sinks.delivery.outside_text import clipped, one_line, web_address
from sinks.delivery.phrases import Phrases, phrases_for
from sinks.delivery.standing import StandingView, standing_of

_HEADLINE_NAME = 60
_HEADLINE_ACCOUNTS = 3
_USUAL_READING_TIME_S = Content.model_fields["reading_time_s"].default


@dataclass(frozen=True)
class ReadView:
    """One read, said in words; `attention_pct` is its active time as a share of the expected reading time."""

    title: str
    url: str | None
    when: str
    active: str
    depth: str
    depth_pct: int
    attention_pct: int
    lingered: str
    clicked: str
    before_known: bool


@dataclass(frozen=True)
class ReaderView:
    """One reader with what they read."""

    name: str
    position: str
    reads: tuple[ReadView, ...]


@dataclass(frozen=True)
class BriefView:
    """One brief, said in words."""

    headline: str
    temperature: Temperature
    temperature_word: str
    readers: tuple[ReaderView, ...]
    more_reads: str
    topics: str
    advice: Advice
    concerns_label: str
    why: tuple[str, ...]
    standing: StandingView
    trigger: str


@dataclass(frozen=True)
class MessageView:
    """A whole message: one brief, or a digest of several."""

    phrases: Phrases
    headline: str
    briefs: tuple[BriefView, ...]

    @property
    def is_digest(self) -> bool:
        """Tell whether there is more than one brief."""
        return len(self.briefs) > 1


def view_of(delivery: Delivery, directory: Directory) -> MessageView:
    """Say a delivery in the language of its newest brief, by the rep's clock."""
    phrases = phrases_for(delivery.briefs[-1].language)
    rep = directory.reps.get(delivery.rep_id)
    zone = ZoneInfo(rep.time_zone if rep else "UTC")
    briefs = tuple(_Speaker(brief, directory, phrases, zone).view() for brief in delivery.briefs)
    return MessageView(phrases, _message_headline(delivery, directory, phrases, briefs), briefs)


def account_name(account_id: str, directory: Directory, phrases: Phrases) -> str:
    """Return an account's name, or a neutral phrase if the directory doesn't know it."""
    account = directory.accounts.get(account_id)
    return (one_line(account.name) if account else "") or phrases.say("an_account")


def lead_read(brief: Brief) -> ReadSummary | None:
    """Return the read that a headline tells: the one that triggered it if it was of high intent, else the longest."""
    if brief.trigger.kind is TriggerKind.high_intent:
        for read in brief.reads:
            if read.page_view_id == brief.trigger.page_view_id:
                return read
    return max(brief.reads, key=lambda read: read.active_s, default=None)


def _message_headline(delivery: Delivery, directory: Directory, phrases: Phrases, briefs: tuple[BriefView, ...]) -> str:
    newest = {brief.account_id: (brief, view) for brief, view in zip(delivery.briefs, briefs, strict=True)}
    if len(newest) == 1:
        return briefs[-1].headline
    accounts = [
        phrases.say(
            "headline.digest_account",
            account=clipped(account_name(brief.account_id, directory, phrases), _HEADLINE_NAME),
            temperature=view.temperature_word,
        )
        for brief, view in newest.values()
    ]
    shown, hidden = accounts[:_HEADLINE_ACCOUNTS], len(accounts) - _HEADLINE_ACCOUNTS
    if hidden > 0:
        shown.append(phrases.say("headline.digest_more", n=hidden))
    return phrases.say("headline.digest", n=len(accounts), accounts=phrases.listed(tuple(shown)))


@dataclass(frozen=True)
class _Speaker:
    """Says one brief; holds what every sentence needs."""

    brief: Brief
    directory: Directory
    phrases: Phrases
    zone: ZoneInfo

    def view(self) -> BriefView:
        brief, say = self.brief, self.phrases.say
        return BriefView(
            headline=self._headline(),
            temperature=brief.interest.temperature,
            temperature_word=say(f"temperature.{brief.interest.temperature}"),
            readers=self._readers(),
            more_reads=say("read.more", n=brief.more_reads) if brief.more_reads else "",
            topics=self.phrases.listed(tuple(one_line(topic) for topic in brief.advice.topics)),
            advice=brief.advice,
            concerns_label=self._concerns_label(),
            why=tuple(map(self._reason, brief.interest.reasons)),
            standing=standing_of(brief, self.directory, self.phrases),
            trigger=self._trigger(),
        )

    def _headline(self) -> str:
        account = clipped(account_name(self.brief.account_id, self.directory, self.phrases), _HEADLINE_NAME)
        temperature = self.phrases.say(f"temperature.{self.brief.interest.temperature}")
        read = lead_read(self.brief)
        if read is None:
            return self.phrases.say("headline.bare", account=account, temperature=temperature)
        told = self.phrases.say(
            "headline.read",
            account=account,
            temperature=temperature,
            reader=clipped(self._headline_name(read), _HEADLINE_NAME),
            title=self._quoted_title(read, _HEADLINE_NAME),
            depth=self.phrases.percent(read.depth_pct),
        )
        section = clipped(read.section, _HEADLINE_NAME)
        return told + (self.phrases.say("headline.lingered", section=self.phrases.quoted(section)) if section else "")

    def _readers(self) -> tuple[ReaderView, ...]:
        reads: dict[tuple[str, ...], list[ReadSummary]] = {}
        for read in self.brief.reads:
            reads.setdefault(_reader_of(read), []).append(read)
        keenest_first = sorted(reads.values(), key=lambda theirs: -sum(read.active_s for read in theirs))
        return tuple(
            ReaderView(self._who(theirs), self._position(theirs[0].contact_id), tuple(map(self._read, theirs)))
            for theirs in keenest_first
        )

    def _who(self, reads: Sequence[ReadSummary]) -> str:
        """Return a reader's name, and how sure it is where it is not: the surest of their reads decides."""
        read = max(reads, key=lambda each: each.confidence)
        if read.contact_id:
            return self._sure_name(read)
        kind = read.method.value if read.method and self.phrases.has(f"unknown.{read.method.value}") else "plain"
        account = account_name(self.brief.account_id, self.directory, self.phrases)
        return self.phrases.say(f"unknown.{kind}", account=account, name=self._name(read.via))

    def _headline_name(self, read: ReadSummary) -> str:
        return self._sure_name(read) if read.contact_id else self.phrases.say("someone")

    def _sure_name(self, read: ReadSummary) -> str:
        name = self._name(read.contact_id)
        if read.confidence >= SAID_PLAINLY_FROM or self._contact(read.contact_id) is None:
            return name
        return self.phrases.say("probably", name=name)

    def _read(self, read: ReadSummary) -> ReadView:
        content = self.directory.contents.get(canonical_url(read.url))
        expected_s = content.reading_time_s if content else _USUAL_READING_TIME_S
        section = one_line(read.section)
        clicked = tuple(self.phrases.quoted(click) for click in map(one_line, read.clicked) if click)
        lingered = self.phrases.say(
            "read.lingered", section=self.phrases.quoted(section), time=self.phrases.duration(read.section_s)
        )
        return ReadView(
            title=one_line(read.title) or self.phrases.say("untitled"),
            url=web_address(read.url),
            when=self._moment(read.started_ms),
            active=self.phrases.duration(read.active_s),
            depth=self.phrases.percent(read.depth_pct),
            depth_pct=read.depth_pct,
            attention_pct=min(100, round(100 * read.active_s / expected_s)),
            lingered=lingered if section else "",
            clicked=self.phrases.say("read.clicked", clicked=self.phrases.listed(clicked)) if clicked else "",
            before_known=read.before_known,
        )

    def _contact(self, contact_id: str) -> Contact | None:
        return self.directory.contacts.get(contact_id)

    def _name(self, contact_id: str) -> str:
        if not contact_id:
            return self.phrases.say("unknown_reader")
        contact = self._contact(contact_id)
        return (one_line(contact.name) if contact else "") or self.phrases.say("a_reader")

    def _position(self, contact_id: str) -> str:
        contact = self._contact(contact_id)
        if contact is None:
            return ""
        parts = [one_line(contact.title)]
        parts += [self.phrases.say(f"function.{contact.function}")] if contact.function else []
        parts += [self.phrases.say(f"role.{contact.role}")] if contact.role else []
        return " · ".join(dict.fromkeys(part for part in parts if part))

    def _concerns_label(self) -> str:
        contacts = (self._contact(read.contact_id) for read in self.brief.reads)
        functions = dict.fromkeys(contact.function for contact in contacts if contact and contact.function)
        if not functions:
            return self.phrases.say("concerns_plain")
        words = tuple(self.phrases.say(f"function.{function}") for function in functions)
        return self.phrases.say("concerns", functions=self.phrases.listed(words))

    def _reason(self, reason: Reason) -> str:
        detail = one_line(reason.detail)
        match reason.kind:
            case "returned":
                detail = self._name(reason.detail)
            case "high_intent":
                detail = self.phrases.quoted(detail) if detail else self.phrases.say("untitled")
        key = f"reason.{reason.kind}"
        # A kind that a newer writer added is said by its own name.
        words = self.phrases.say(key, detail=detail) if self.phrases.has(key) else reason.kind.replace("_", " ")
        return self.phrases.say("reason.scored", reason=one_line(words), points=f"{reason.points:.0f}")

    def _trigger(self) -> str:
        brief, say = self.brief, self.phrases.say
        kind, when = brief.trigger.kind, self._moment(brief.trigger.met_ms)
        if kind is TriggerKind.high_intent:
            for read in brief.reads:
                if read.page_view_id == brief.trigger.page_view_id:
                    return say("trigger.high_intent", title=self._quoted_title(read, _HEADLINE_NAME), when=when)
            return say("trigger.high_intent_plain", when=when)
        if kind is TriggerKind.temperature_up and (rise := brief.interest.rise):
            words = {
                side: say(f"temperature.{level}") for side, level in (("before", rise.before), ("after", rise.after))
            }
            return say("trigger.temperature_up", when=when, **words)
        if kind is TriggerKind.returned_after_silence and (silence := brief.interest.silence):
            return say("trigger.returned_after_silence", n=silence.days, when=when)
        if kind in {TriggerKind.temperature_up, TriggerKind.returned_after_silence}:  # of an older writer
            kind = TriggerKind.session_end
        return say(f"trigger.{kind}", when=when)

    def _quoted_title(self, read: ReadSummary, limit: int) -> str:
        title = clipped(read.title, limit)
        return self.phrases.quoted(title) if title else self.phrases.say("untitled")

    def _moment(self, unix_ms: int) -> str:
        return self.phrases.moment(datetime.fromtimestamp(unix_ms / 1000, self.zone))


def _reader_of(read: ReadSummary) -> tuple[str, ...]:
    """Return what one reader's reads have in common; unknown readers are told apart by how they were recognised."""
    return (read.contact_id,) if read.contact_id else ("", read.method or "", read.via)
