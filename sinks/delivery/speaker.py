"""What every sentence of a brief needs: its words, the rep's clock, and the names that the directory knows now."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from schemas.brief import Brief, ReadSummary
from schemas.certainty import SAID_PLAINLY_FROM
from schemas.directory import Contact, Content, Directory
from schemas.urls import canonical_url
from sinks.delivery.document import Line
from sinks.delivery.outside_text import clipped, one_line, web_address
from sinks.delivery.phrases import Phrases

MAX_NAME = 60
MAX_TITLE = 90
TO_THE_END_PCT = 95


def account_name(account_id: str, directory: Directory, phrases: Phrases) -> str:
    """Return an account's name, or a neutral phrase if the directory doesn't know it."""
    account = directory.accounts.get(account_id)
    return (one_line(account.name) if account else "") or phrases.say("an_account")


@dataclass(frozen=True)
class Speaker:
    """Says one brief's facts in words; nothing is escaped yet."""

    brief: Brief
    directory: Directory
    phrases: Phrases
    zone: ZoneInfo

    @cached_property
    def account(self) -> str:
        """The account's name, short enough for a headline."""
        return clipped(account_name(self.brief.account_id, self.directory, self.phrases), MAX_NAME)

    @cached_property
    def account_evidence(self) -> str:
        """What the account's name rests on."""
        return f"account:{self.brief.account_id}"

    @cached_property
    def temperature(self) -> str:
        """The account's temperature, in a word."""
        return self.phrases.say(f"temperature.{self.brief.interest.temperature}")

    def contact(self, contact_id: str) -> Contact | None:
        """Return a contact, None if the directory does not know them (any more)."""
        return self.directory.contacts.get(contact_id)

    def name(self, contact_id: str) -> str:
        """Return a contact's name, or a neutral phrase."""
        if not contact_id:
            return self.phrases.say("unknown_reader")
        contact = self.contact(contact_id)
        return (clipped(contact.name, MAX_NAME) if contact else "") or self.phrases.say("a_reader")

    def reader(self, read: ReadSummary) -> str:
        """Return who a read's reader is, and that it is only likely where it is not sure."""
        if read.contact_id:
            name = self.name(read.contact_id)
            doubted = read.confidence < SAID_PLAINLY_FROM and self.contact(read.contact_id) is not None
            return self.phrases.say("probably", name=name) if doubted else name
        kind = read.method.value if read.method and self.phrases.has(f"unknown.{read.method.value}") else "plain"
        return self.phrases.say(f"unknown.{kind}", account=self.account, name=self.name(read.via))

    def position(self, contact_id: str) -> str:
        """Return a contact's title, function and part in buying; empty if nothing is known of them."""
        contact = self.contact(contact_id)
        if contact is None:
            return ""
        parts = [clipped(contact.title, MAX_NAME)]
        parts += [self.phrases.say(f"function.{contact.function}")] if contact.function else []
        parts += [self.phrases.say(f"role.{contact.role}")] if contact.role else []
        seen: dict[str, str] = {}
        for part in filter(None, parts):
            seen.setdefault(part.casefold(), part)
        return " · ".join(seen.values())

    def rep_name(self, rep_id: str) -> str:
        """Return a colleague's name, or a neutral phrase."""
        rep = self.directory.reps.get(rep_id)
        return (clipped(rep.name, MAX_NAME) if rep else "") or self.phrases.say("a_colleague")

    def content(self, url: str) -> Content | None:
        """Return what the directory knows of a page."""
        return self.directory.contents.get(canonical_url(url))

    def title(self, title: str) -> str:
        """Return a page's title, or a neutral phrase."""
        return clipped(title, MAX_TITLE) or self.phrases.say("untitled")

    def quoted(self, title: str) -> str:
        """Return a title in quotation marks; a neutral phrase has none."""
        text = clipped(title, MAX_TITLE)
        return self.phrases.quoted(text) if text else self.phrases.say("untitled")

    def depth(self, depth_pct: int) -> str:
        """Say how far a page was read."""
        if depth_pct >= TO_THE_END_PCT:
            return self.phrases.say("to_the_end")
        return self.phrases.say("to_depth", depth=self.phrases.percent(depth_pct))

    def moment(self, unix_ms: int) -> str:
        """Say a moment by the rep's clock."""
        return self.phrases.moment(datetime.fromtimestamp(unix_ms / 1000, self.zone))

    def day(self, unix_ms: int) -> str:
        """Say a day by the rep's clock."""
        return self.phrases.day(datetime.fromtimestamp(unix_ms / 1000, self.zone))

    def page(self, text: str, title: str, url: str, evidence: tuple[str, ...]) -> Line:
        """Return a line in which a page's title leads to it, where its address may be followed."""
        return Line(text, evidence, self.title(title), web_address(url))


def reads_evidence(reads: tuple[ReadSummary, ...]) -> tuple[str, ...]:
    """Return the evidence ids of reads."""
    return tuple(f"read:{read.page_view_id}" for read in reads)
