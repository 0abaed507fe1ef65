"""Companies by the network a reader comes from.

The collector truncates addresses to /24 (IPv4) and /48 (IPv6) before anything is stored, so a network narrower than
that is matched by its truncation: all of the /24 or /48 around it counts.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

TRUNCATED = {4: 24, 6: 48}
MAX_REMEMBERED = 100_000

Key = tuple[int, int, int]
"""IP version, length of the prefix, and the prefix as a number."""


class NetworkOwners:
    """Which accounts have which networks; found in as many look-ups as there are prefix lengths, or in one again."""

    def __init__(self) -> None:
        """Start without any."""
        self._accounts: dict[Key, frozenset[str]] = {}
        self._keys: dict[str, frozenset[Key]] = {}
        self._lengths: tuple[tuple[int, int], ...] = ()
        self._found: dict[str, str | None] = {}

    def put(self, account_id: str, networks: Iterable[str]) -> None:
        """Set an account's networks, in place of those it had."""
        now = frozenset(_key(_truncated(ip_network(network))) for network in networks)
        before = self._keys.pop(account_id, frozenset())
        if now:
            self._keys[account_id] = now
        if now == before:
            return
        for gone in before - now:
            self._accounts[gone] -= {account_id}
        for key in now:
            self._accounts[key] = self._accounts.get(key, frozenset()) | {account_id}
        held = {key[:2] for keys in self._keys.values() for key in keys}
        self._lengths = tuple(sorted(held, reverse=True))
        # A new dictionary: who looks something up just now puts an outdated answer into the old one.
        self._found = {}

    def find(self, network: str) -> str | None:
        """Return the only account whose network this truncated one lies in; the narrowest decides, a tie is nobody's.

        Raises:
            ValueError: it is no network.
        """
        if not self._lengths:
            return None
        remembered = self._found
        if network in remembered:
            return remembered[network]
        if len(remembered) >= MAX_REMEMBERED:
            remembered = self._found = {}
        remembered[network] = found = self._search(ip_network(network))
        return found

    def _search(self, network: IPv4Network | IPv6Network) -> str | None:
        for version, length in self._lengths:
            if version == network.version and length <= network.prefixlen:
                accounts = self._accounts.get(_key(network.supernet(new_prefix=length)))
                if accounts:
                    return next(iter(accounts)) if len(accounts) == 1 else None
        return None


def _truncated(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    longest = TRUNCATED[network.version]
    return network.supernet(new_prefix=longest) if network.prefixlen > longest else network


def _key(network: IPv4Network | IPv6Network) -> Key:
    return (
        network.version,
        network.prefixlen,
        int(network.network_address) >> (network.max_prefixlen - network.prefixlen),
    )
