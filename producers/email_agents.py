"""What fetched a mail's picture or followed its link: by its user agent, and by the network it came from. Pure.

The networks are those that mail gateways and rented servers publish as theirs; an operator adds more by setting. The
list is short on purpose: a network that is missing makes a click `unconfirmed`, never a person's.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from producers.collector.clients import is_automated
from schemas.events import EmailAgent

MAX_AGENT = 512
MACHINES = frozenset((EmailAgent.apple_privacy, EmailAgent.gmail_prefetch, EmailAgent.chat_preview, EmailAgent.scanner))
"""Agents that are no person's; a machine may also say to be a browser."""

_APPLE_PRIVACY = "Mozilla/5.0"  # that, and nothing more
_GMAIL_PREFETCH = "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
_CHAT = re.compile(
    r"slackbot|slack-imgproxy|telegrambot|whatsapp|discordbot|skypeuripreview|microsoftpreview|linkedinbot|twitterbot"
    r"|facebookexternalhit|facebot|mattermost|rocket\.chat|iframely|embedly|viber|dingtalkbot|larkurl|feishu-|"
    r"google-chat|mastodon",
    re.IGNORECASE,
)
_SCANNER = re.compile(
    r"barracuda|proofpoint|mimecast|safelinks|bitdefender|messagelabs|symantec|fireeye|trend ?micro|ironport|sophos"
    r"|urlscan|virustotal|headlesschrome|phantomjs",
    re.IGNORECASE,
)

DATA_CENTERS: tuple[tuple[str, str], ...] = (
    ("40.92.0.0/15", "Microsoft Exchange Online Protection"),
    ("40.107.0.0/16", "Microsoft Exchange Online Protection"),
    ("52.100.0.0/14", "Microsoft Exchange Online Protection"),
    ("104.47.0.0/17", "Microsoft Exchange Online Protection"),
    ("67.231.144.0/20", "Proofpoint"),
    ("148.163.128.0/19", "Proofpoint"),
    ("91.220.42.0/24", "Mimecast"),
    ("195.130.217.0/24", "Mimecast"),
    ("205.139.110.0/24", "Mimecast"),
    ("207.211.30.0/23", "Mimecast"),
    ("64.235.144.0/20", "Barracuda"),
    ("209.222.80.0/21", "Barracuda"),
    ("68.232.128.0/19", "Cisco Secure Email"),
    ("3.80.0.0/12", "Amazon EC2"),
    ("34.192.0.0/12", "Amazon EC2"),
    ("54.144.0.0/12", "Amazon EC2"),
    ("52.0.0.0/11", "Amazon EC2"),
    ("34.64.0.0/10", "Google Cloud"),
    ("138.68.0.0/16", "DigitalOcean"),
    ("95.216.0.0/16", "Hetzner"),
    ("51.68.0.0/16", "OVH"),
)
"""Networks of mail gateways and rented servers, and whose they are."""


@lru_cache(maxsize=10_000)
def agent_of(user_agent: str | None) -> EmailAgent:
    """Return what a user agent is; `unknown` if there is none."""
    said = (user_agent or "").strip()[:MAX_AGENT]
    if not said:
        return EmailAgent.unknown
    if said == _APPLE_PRIVACY:
        return EmailAgent.apple_privacy
    if "GoogleImageProxy" in said or said.endswith(_GMAIL_PREFETCH):
        return EmailAgent.gmail_proxy if "GoogleImageProxy" in said else EmailAgent.gmail_prefetch
    if _CHAT.search(said):
        return EmailAgent.chat_preview
    if _SCANNER.search(said) or is_automated(said):
        return EmailAgent.scanner
    return EmailAgent.browser


def is_data_center(address: str | None, more: Iterable[str] = ()) -> bool:
    """Say whether an IP address is of a known network of servers, or of one of some more networks."""
    return _lies_in(address or "", tuple(more))


@lru_cache(maxsize=10_000)
def _lies_in(address: str, more: tuple[str, ...]) -> bool:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in _networks(more) if network.version == found.version)


@lru_cache(maxsize=16)
def _networks(more: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(each) for each in (*(network for network, _ in DATA_CENTERS), *more))
