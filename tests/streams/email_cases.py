"""The words in which sequences of opens, clicks and reads are told, and the sources that tell of them.

Times are milliseconds after the mail was sent. `H`, `M` and `U` stand for human, machine and unconfirmed, in the order
of the opens and clicks of a sequence.
"""

from typing import Any, NamedTuple

from schemas.emails import MailFact, Mailing, MailKind
from schemas.events import EmailAgent
from schemas.reads import ClickMark, Read

SITE = "https://www.example.com"
PRICE, GUIDE, DEMO, BLOG, TEAM = (f"{SITE}/{name}" for name in ("pricing", "guide", "demo", "blog", "team"))
SENT_MS = 1_790_000_000_000
S, MIN, H = 1_000, 60_000, 3_600_000

CLICKDIMENSIONS = "support.clickdimensions.com/hc/en-us/articles/15707875851917 (Apple MPP)"
VALIDITY = "knowledge.validity.com/hc/en-us/articles/4406957796251 (Gmail's image proxy)"
BIRD = "bird.com/zh-sg/blog/gmail-prefetching-images"
WORDTOTHEWISE = "wordtothewise.com/2024/08/prefetches-and-proxies"
LIVE_DIRECT = "check.live-direct-marketing.online/blog/bot-clicks-security-scanners-detect"
MAUTIC_TRAP = "github.com/mautic/mautic/issues/9798 (honeypot)"
MAUTIC_GATEWAYS = "github.com/mautic/mautic/issues/16263 (SafeLinks, Mimecast, Proofpoint, Barracuda)"
GOPHISH = "github.com/gophish/gophish/issues/1607 (JavaScript as proof)"
RESEND = "github.com/resend/resend-node/issues/901 (one click, two events)"
STRONGGRID = "github.com/Jericho/StrongGrid/issues/405 (sg_machine_open)"
WARMBLY = "github.com/warmbly/warmbly/pull/412 (open and click in one moment)"
MILLIONSEND = "github.com/MillionSend/millionsend/pull/22 (bursts minutes later)"
LISTMONK = "github.com/knadh/listmonk/issues/1025 (half of the opens in two minutes)"
MARKETO = "Marketo's bot filter, by proximity: shared/protocols e"
SLACK = "docs.slack.dev: link unfurling, Slackbot-LinkExpanding"
META = "developers.facebook.com: facebookexternalhit, as WhatsApp and iMessage show links"
MICROSOFT = "learn.microsoft.com: Exchange Online Protection's addresses; Safe Links at the time of the click"
DESIGN = "the rules of this project: a person must be seen on the page"


class Case(NamedTuple):
    law: str
    source: str
    facts: tuple[MailFact, ...]
    reads: tuple[Read, ...]
    verdicts: str


def fact(kind: MailKind, at: int, number: int = 0, **said: Any) -> MailFact:
    name = str(said.get("url", "")).rpartition("/")[2]
    return MailFact(event_id=f"{kind}-{at}-{name}-{number}", kind=kind, at_ms=SENT_MS + at, **said)


def delivered(at: int = 0) -> MailFact:
    return fact(MailKind.delivered, at)


def opened(at: int, agent: EmailAgent = EmailAgent.browser, number: int = 0, **said: Any) -> MailFact:
    return fact(MailKind.opened, at, number, agent=agent, **said)


def clicked(
    at: int, url: str = PRICE, agent: EmailAgent = EmailAgent.browser, number: int = 0, **said: Any
) -> MailFact:
    return fact(MailKind.clicked, at, number, url=url, agent=agent, **said)


def landed(at: int, visitor: str = "v1") -> MailFact:
    return fact(MailKind.landed, at, visitor_id=visitor)


def read(
    at: int,
    url: str = PRICE,
    active: int = 20 * S,
    depth: int = 60,
    visitor: str = "v1",
    contact: str = "dana",
    **said: Any,
) -> Read:
    return Read(
        page_view_id=f"pv-{at}-{url.rpartition('/')[2]}-{visitor}",
        visitor_id=visitor,
        site="www",
        contact_id=contact,
        url=url,
        started_ms=SENT_MS + at,
        last_ms=SENT_MS + at + active,
        active_ms=active,
        depth_pct=depth,
        **said,
    )


def mailing(case: Case) -> Mailing:
    return Mailing(contact_id="dana", campaign_id="spring", facts={one.event_id: one for one in case.facts})


def case(law: str, source: str, verdicts: str, *what: MailFact | Read) -> Case:
    facts = tuple(one for one in what if isinstance(one, MailFact))
    return Case(law, source, facts, tuple(one for one in what if isinstance(one, Read)), verdicts)


APPLE, PROXY, PREFETCH = EmailAgent.apple_privacy, EmailAgent.gmail_proxy, EmailAgent.gmail_prefetch
CHAT, SCANNER = EmailAgent.chat_preview, EmailAgent.scanner
ALL = (PRICE, GUIDE, DEMO, BLOG, TEAM)
BROWSER_MARK = ClickMark(element="a.buy")
