"""Which service an address of `READBRIEF_CHAT_TARGETS` means.

A known host says it, or a scheme that names the service before the transport, for a gateway of one's own:
`wecom+https://gateway.internal/cgi-bin/webhook/send?key=KEY`. A Slack bot's is `slackbot+https://TOKEN@slack.com/CHANNEL`.
DingTalk's and Feishu's robots may have a secret: it is the parameter `secret` of the address, and is not sent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from sinks.delivery.channels import dingtalk, feishu, slack, teams, wecom
from sinks.delivery.channels.answers import Answer, Sent
from sinks.delivery.channels.rates import Window
from sinks.delivery.channels.texts import encoded
from sinks.delivery.document import MessageDocument

_HOSTS = {
    "hooks.slack.com": "slack",
    "hooks.slack-gov.com": "slack",
    "qyapi.weixin.qq.com": "wecom",
    "oapi.dingtalk.com": "dingtalk",
    "open.feishu.cn": "feishu",
    "open.larksuite.com": "feishu",
}
_TEAMS_DOMAINS = (".logic.azure.com", ".powerautomate.com", ".powerplatform.com", ".webhook.office.com")
_TRANSPORTS = frozenset({"http", "https"})


@dataclass(frozen=True)
class Service:
    """How a chat service wants its messages, how many, and what its answers mean."""

    name: str
    payload: Callable[[MessageDocument], dict[str, Any]]
    judge: Callable[[Answer], Sent]
    windows: tuple[Window, ...]
    takes_long_links: bool = True


@dataclass(frozen=True)
class Request:
    """One HTTP POST."""

    url: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, repr=False)
class ChatTarget:
    """A service, and where in it messages go. Address, secret and token are never shown."""

    service: Service
    url: str
    secret: str = ""
    token: str = ""
    place: str = ""

    @property
    def can_edit(self) -> bool:
        """Tell whether a message that was sent can be changed."""
        return bool(self.token)

    def request(self, document: MessageDocument, now_ms: int, edited: Sent | None = None) -> Request:
        """Return the request that sends a message, or puts it in the place of one that was sent."""
        made = self.service.payload(document)
        url, headers = self.url, {"content-type": "application/json; charset=utf-8"}
        if self.service.name == "dingtalk" and self.secret:
            url += ("&" if "?" in url else "?") + dingtalk.signature(self.secret, now_ms)
        if self.service.name == "feishu" and self.secret:
            made = feishu.signed(made, self.secret, now_ms)
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
            where = {"channel": edited.place, "ts": edited.message} if edited else {"channel": self.place}
            made = {**where, **made}
            url += "/api/chat.update" if edited else "/api/chat.postMessage"
        return Request(url, encoded(made), headers)


SERVICES = {
    each.name: each
    for each in (
        Service("slack", slack.payload, slack.judge, slack.WINDOWS),
        Service("slackbot", slack.payload, slack.judge_bot, slack.WINDOWS),
        Service("teams", teams.payload, teams.judge, teams.WINDOWS),
        Service("wecom", wecom.payload, wecom.judge, wecom.WINDOWS, takes_long_links=False),
        Service("dingtalk", dingtalk.payload, dingtalk.judge, dingtalk.WINDOWS),
        Service("feishu", feishu.payload, feishu.judge, feishu.WINDOWS),
    )
}


def chat_target(url: str) -> ChatTarget | None:
    """Return the target that an address means; None if it is none of these services'."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    named, plus, transport = parts.scheme.rpartition("+")
    name = named if plus else _service_of(host)
    service = SERVICES.get(name)
    if service is None or transport not in _TRANSPORTS or not host:
        return None
    asked = parse_qsl(parts.query, keep_blank_values=True)
    secret = next((value for key, value in asked if key == "secret"), "") if name in {"dingtalk", "feishu"} else ""
    query = urlencode([(key, value) for key, value in asked if key != "secret"]) if secret else parts.query
    at = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    if name == "slackbot":
        place = parts.path.strip("/")
        token = parts.username or ""
        return ChatTarget(service, f"{transport}://{at}", token=token, place=place) if place and token else None
    return ChatTarget(service, urlunsplit((transport, at, quote(parts.path, safe="/%:@-._~"), query, "")), secret)


def _service_of(host: str) -> str:
    return _HOSTS.get(host) or ("teams" if host.endswith(_TEAMS_DOMAINS) else "")
