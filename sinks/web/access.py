"""Who sees what: a rep the own accounts, a manager the team's, marketing all. Everything asks here, nothing elsewhere.

What is of no account, such as a message that nothing could be made of, is for marketing, who also run the system.

Rights follow the directory as it is at each request: who leaves it, or hands an account on, sees it no longer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from schemas.channel import ChannelKind
from schemas.directory import Account, Directory, Rep


class For(Enum):
    """Whom a page or a number is for."""

    anyone = "anyone"
    signed_in = "signed_in"
    leads = "leads"
    marketing = "marketing"


@dataclass(frozen=True)
class Sight:
    """What one address may see. An address of nobody's sees nothing."""

    address: str
    marketing: bool
    reps: tuple[Rep, ...]
    directory: Directory

    @cached_property
    def team(self) -> frozenset[str]:
        """Ids of the reps whose accounts are seen: oneself, and whoever reports here, through any number of levels."""
        if self.marketing:
            return frozenset(self.directory.reps)
        return _team({rep.rep_id for rep in self.reps}, list(self.directory.reps.values()))

    @property
    def leads(self) -> bool:
        """Whether this is marketing, or a manager of somebody."""
        return self.marketing or len(self.team) > len(self.reps)

    @property
    def known(self) -> bool:
        """Whether the address is anybody's who may sign in."""
        return self.marketing or bool(self.reps)

    def is_among(self, whom: For) -> bool:
        """Say whether what is for some people is for this address."""
        rights = {For.anyone: True, For.signed_in: self.known, For.leads: self.leads, For.marketing: self.marketing}
        return rights[whom]

    @cached_property
    def accounts(self) -> dict[str, Account]:
        """The accounts that are seen, by id."""
        found = list(self.directory.accounts.values())
        return {one.account_id: one for one in found if self.marketing or not self.team.isdisjoint(owners_of(one))}

    def account(self, account_id: str) -> Account | None:
        """Return an account if it is seen; None if it is not, or there is none: the two can't be told apart."""
        return self.accounts.get(account_id)

    def rep(self, rep_id: str) -> Rep | None:
        """Return a rep whose accounts are seen; None for anybody else."""
        return self.directory.reps.get(rep_id) if rep_id in self.team else None


def sight_of(address: str, marketers: Iterable[str], directory: Directory) -> Sight:
    """Return what an address may see."""
    own = address.casefold()
    reps = tuple(rep for rep in list(directory.reps.values()) if own in addresses_of(rep))
    return Sight(address, own in {one.casefold() for one in marketers}, reps, directory)


def addresses_of(rep: Rep) -> set[str]:
    """Return the mail addresses of a rep, in one case."""
    return {channel.target.casefold() for channel in rep.channels if channel.kind is ChannelKind.email}


def owners_of(account: Account) -> set[str]:
    """Return who looks after an account, in this stage or another one."""
    return {account.rep_id, *account.owners.values()}


def _team(heads: set[str], reps: Iterable[Rep]) -> frozenset[str]:
    under: dict[str, list[str]] = {}
    for rep in reps:
        if rep.manager_id:
            under.setdefault(rep.manager_id, []).append(rep.rep_id)
    found, waiting = set[str](), list(heads)
    while waiting:  # a circle of managers ends, too
        rep_id = waiting.pop()
        if rep_id not in found:
            found.add(rep_id)
            waiting += under.get(rep_id, [])
    return frozenset(found)
