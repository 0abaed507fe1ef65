"""Accounts, contacts, reps and content, as imported from the CRM and the CMS."""

from datetime import time
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from schemas.addresses import address_id
from schemas.channel import ChannelKind
from schemas.domains import DomainOwners
from schemas.message import Domain, Id, Label, Language, Line, Message, Model, Network, UnixMs, Url
from schemas.networks import NetworkOwners
from schemas.time_zones import TimeZoneName
from schemas.urls import canonical_url

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{4,14}(;ext=\d{1,8})?$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s<>\",;:]+@[^@\s<>\",;:]+\.[^@\s<>\",;:.]+$", max_length=254)]


class Stage(StrEnum):
    """The stage of buying that a content serves."""

    problem = "problem"
    solution = "solution"
    comparison = "comparison"
    price = "price"
    security = "security"
    contract = "contract"
    onboarding = "onboarding"
    renewal = "renewal"


class Lifecycle(StrEnum):
    """The path of a customer."""

    visitor = "visitor"
    lead = "lead"
    qualified_lead = "qualified_lead"
    opportunity = "opportunity"
    won = "won"
    delivery = "delivery"
    use = "use"
    renewal = "renewal"
    referral = "referral"
    lost = "lost"


class BuyingRole(StrEnum):
    """A contact's part in buying."""

    initiator = "initiator"
    influencer = "influencer"
    decider = "decider"
    buyer = "buyer"
    user = "user"


class Function(StrEnum):
    """A contact's function in the company."""

    executive = "executive"
    department_head = "department_head"
    user = "user"
    technical_lead = "technical_lead"
    technician = "technician"
    purchasing_head = "purchasing_head"
    purchaser = "purchaser"


class Account(Message):
    """A company, with the rep who looks after it."""

    kind: Literal["account"] = "account"
    account_id: Id
    name: Label
    rep_id: Id
    industry: Slug | None = None
    lifecycle: Lifecycle = Lifecycle.lead
    owners: Annotated[
        dict[Lifecycle, Id], Field(description="Who looks after it in a stage, where that is not rep_id")
    ] = Field(default_factory=dict)
    domains: Annotated[
        tuple[Domain, ...], Field(max_length=50, description="Internet domains of its own, such as acme.example")
    ] = ()
    networks: Annotated[
        tuple[Network, ...], Field(max_length=200, description="IP networks of its own, such as 203.0.113.0/24")
    ] = ()

    @property
    def entity_id(self) -> str:
        """The key under which the directory topic keeps it."""
        return f"account:{self.account_id}"


class Membership(Model):
    """An account that a contact belonged to, up to a moment."""

    account_id: Id
    until_ms: UnixMs


class Contact(Message):
    """A known person of one account."""

    kind: Literal["contact"] = "contact"
    contact_id: Id
    account_id: Id
    name: Label
    email: Email | None = None
    title: Label = ""
    role: BuyingRole | None = None
    function: Function | None = None
    phone: Annotated[Phone | None, Field(description="As dialled from anywhere: +49305550134, also ;ext=12")] = None
    earlier: Annotated[
        tuple[Membership, ...], Field(max_length=20, description="Accounts before this one; kept by the import")
    ] = ()

    @property
    def entity_id(self) -> str:
        """The key under which the directory topic keeps it."""
        return f"contact:{self.contact_id}"


class Channel(Model):
    """A way to reach a rep: an address for email, the name of a configured target for chat."""

    kind: ChannelKind
    target: Annotated[str, StringConstraints(min_length=1, max_length=254)]
    also: Annotated[
        bool, Field(description="Gets every message beside the first channel; others only if those before them fail")
    ] = False


class WorkingHours(Model):
    """When a rep may be disturbed, by the clock of their own time zone; end 00:00 means midnight."""

    start: time = time(8)
    end: time = time(18)
    days: Annotated[tuple[Annotated[int, Field(ge=0, le=6)], ...], Field(description="0 is Monday")] = (0, 1, 2, 3, 4)


class Rep(Message):
    """The person who gets briefs."""

    kind: Literal["rep"] = "rep"
    rep_id: Id
    name: Label
    language: Language = "en"
    time_zone: TimeZoneName = "UTC"
    working_hours: WorkingHours = WorkingHours()
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    daily_cap: Annotated[int, Field(ge=1, le=1000)] = 10
    manager_id: Id | None = None

    @property
    def entity_id(self) -> str:
        """The key under which the directory topic keeps it."""
        return f"rep:{self.rep_id}"


class Content(Message):
    """One page or asset of the site."""

    kind: Literal["content"] = "content"
    url: Url
    title: Line
    topics: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()
    stage: Stage | None = None
    owner: Label = ""
    reading_time_s: Annotated[int, Field(ge=1, le=86_400, description="Expected reading time")] = 180

    @model_validator(mode="before")
    @classmethod
    def _canonical(cls, values: object) -> object:
        if isinstance(values, dict) and isinstance(values.get("url"), str):
            return {**values, "url": canonical_url(values["url"])}
        return values

    @property
    def entity_id(self) -> str:
        """The key under which the directory topic keeps it."""
        return f"content:{self.url}"


class OptOut(Message):
    """That somebody wants no marketing mail, whatever account they belong to; told by the streams, not imported."""

    kind: Literal["opt_out"] = "opt_out"
    who: Annotated[Id, Field(description="A hash of the contact's id: they may have been forgotten")]
    at_ms: UnixMs

    @property
    def entity_id(self) -> str:
        """The key under which the directory topic keeps it."""
        return f"opt_out:{self.who}"


Entity = Annotated[Account | Contact | Rep | Content, Field(discriminator="kind")]
"""What the directory is told from outside."""

Entry = Annotated[Account | Contact | Rep | Content | OptOut, Field(discriminator="kind")]
"""What stands on the directory's topic."""

_ENTRY: TypeAdapter[Account | Contact | Rep | Content | OptOut] = TypeAdapter(Entry)


def entry_from_bytes(data: bytes) -> Account | Contact | Rep | Content | OptOut:
    """Read one entry of the directory's topic.

    Raises:
        pydantic.ValidationError: the bytes are no such entry; the error names the field.
    """
    return _ENTRY.validate_json(data)


class Directory:
    """The current state of the directory, by id; built up from the `directory` topic or a file."""

    def __init__(self, address_key: bytes | None = None) -> None:
        """Start empty; with a key, contacts are also found by the id of their address."""
        self._address_key = address_key
        self.version = 0
        """Counts the changes, so that what was found out by it can be kept until there is another."""
        self._by_address: dict[str, set[str]] = {}
        self._by_domain = DomainOwners()
        self._by_network = NetworkOwners()
        self._by_account: dict[str, set[str]] = {}
        self.accounts: dict[str, Account] = {}
        self.contacts: dict[str, Contact] = {}
        self.reps: dict[str, Rep] = {}
        self.contents: dict[str, Content] = {}
        self.opt_outs: dict[str, int] = {}

    def put(self, entity: Account | Contact | Rep | Content | OptOut) -> None:
        """Add an entity, or replace the one with its id."""
        match entity:
            case Account():
                self.accounts[entity.account_id] = entity
                self._by_domain.put(entity.account_id, entity.domains)
                self._by_network.put(entity.account_id, entity.networks)
            case Contact():
                self._unlink(entity.contact_id)
                self._by_account.setdefault(entity.account_id, set()).add(entity.contact_id)
                self.contacts[entity.contact_id] = entity
                if self._address_key and entity.email:
                    named = self._by_address.setdefault(address_id(self._address_key, entity.email), set())
                    named.add(entity.contact_id)
            case Rep():
                self.reps[entity.rep_id] = entity
            case Content():
                self.contents[entity.url] = entity
            case OptOut():
                self.opt_outs[entity.who] = entity.at_ms
        self.version += 1

    def remove(self, entity_id: str) -> None:
        """Forget the entity with this topic key, if it is there."""
        kind, _, key = entity_id.partition(":")
        if kind == "contact":
            self._unlink(key)
        if kind == "account":
            self._by_domain.put(key, ())
            self._by_network.put(key, ())
        table: dict[str, dict[str, object]] = {
            "account": self.accounts,  # type: ignore[dict-item]
            "contact": self.contacts,  # type: ignore[dict-item]
            "rep": self.reps,  # type: ignore[dict-item]
            "content": self.contents,  # type: ignore[dict-item]
            "opt_out": self.opt_outs,  # type: ignore[dict-item]
        }
        table.get(kind, {}).pop(key, None)
        self.version += 1

    def account_of(self, contact_id: str, at_ms: int | None = None) -> Account | None:
        """Return the account a contact belongs to, now or at a moment (Unix ms), or None if either is unknown."""
        contact = self.contacts.get(contact_id)
        if contact is None:
            return None
        then = [each for each in contact.earlier if at_ms is not None and at_ms < each.until_ms]
        first = min(then, key=lambda each: each.until_ms, default=None)
        return self.accounts.get(first.account_id if first else contact.account_id)

    def contacts_of(self, account_id: str) -> list[Contact]:
        """Return the known contacts of an account, by id."""
        named = sorted(self._by_account.get(account_id, ()))
        # The feed's thread may take one away in between.
        return [contact for contact_id in named if (contact := self.contacts.get(contact_id))]

    def contact_named(self, name: str) -> str | None:
        """Return the contact with this id, or else the only one with this address id; None if there is none."""
        if name in self.contacts:
            return name
        named = tuple(self._by_address.get(name, ()))
        return named[0] if len(named) == 1 else None

    def account_by_domain(self, domain: str) -> str | None:
        """Return the only account with a domain under this registrable one; None if there is none, or several."""
        return self._by_domain.find(domain)

    def account_by_network(self, network: str) -> str | None:
        """Return the only account whose network a truncated client network lies in, the narrowest one deciding."""
        return self._by_network.find(network)

    def _unlink(self, contact_id: str) -> None:
        contact = self.contacts.get(contact_id)
        if contact:
            self._by_account.get(contact.account_id, set()).discard(contact_id)
        if self._address_key and contact and contact.email:
            self._by_address.get(address_id(self._address_key, contact.email), set()).discard(contact_id)

    def entities(self) -> list[Account | Contact | Rep | Content]:
        """Return all that is told from outside; what others refer to comes first."""
        reps, accounts, contacts = list(self.reps.values()), list(self.accounts.values()), list(self.contacts.values())
        return [*reps, *accounts, *contacts, *self.contents.values()]

    def size(self) -> int:
        """Return the number of entities."""
        return len(self.accounts) + len(self.contacts) + len(self.reps) + len(self.contents)
