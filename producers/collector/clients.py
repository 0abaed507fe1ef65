"""What a request tells of its client, and what is kept of that: a truncated address, and whether it is a machine."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, ip_address

from crawlerdetect import CrawlerDetect

from producers.intake import Client

_IPV4_BITS = 24
_IPV6_BITS = 48
_LONGEST_AGENT = 512
_ODD_WORD = re.compile(r"[^\s/;()]{65}")  # the detector takes quadratic time for such, and no browser has one

_detector = CrawlerDetect()


def client_of(host: str | None, user_agent: str | None) -> Client:
    """Return what is kept of a client."""
    return Client(network_of(host), is_automated(user_agent))


@lru_cache(maxsize=10_000)
def network_of(host: str | None) -> str | None:
    """Return the network of a client's address, /24 or /48: all of it that is ever stored. None if it has none."""
    try:
        address = ip_address((host or "").partition("%")[0])
    except ValueError:
        return None
    mapped = None if isinstance(address, IPv4Address) else address.ipv4_mapped
    address = mapped or address
    bits = _IPV4_BITS if isinstance(address, IPv4Address) else _IPV6_BITS
    dropped = address.max_prefixlen - bits
    return f"{type(address)(int(address) >> dropped << dropped)}/{bits}"


@lru_cache(maxsize=10_000)
def is_automated(user_agent: str | None) -> bool:
    """Say whether a user agent is a known bot's or automation's. A browser always has one, so none is a machine's."""
    if not user_agent or _ODD_WORD.search(user_agent[:_LONGEST_AGENT]):
        return True
    return bool(_detector.isCrawler(user_agent[:_LONGEST_AGENT]))
