"""Feishu, or Lark: an interactive card to a group's robot; signed, if the robot has a secret."""

import base64
import hashlib
import hmac
import re
from typing import Any

from sinks.delivery.channels.answers import Answer, Sent, coded, refusal
from sinks.delivery.channels.cutting import cut
from sinks.delivery.channels.rates import Window
from sinks.delivery.channels.texts import MAX_HEADLINE, encoded, markdown_link, pieces, usable
from sinks.delivery.document import BriefDocument, Line, MessageDocument, Section
from sinks.delivery.outside_text import clipped, without_calls
from sinks.delivery.send_errors import PermanentSendError, TransientSendError

WINDOWS = (Window(5, 1.0), Window(100, 60.0))
MAX_BYTES = 20_000 - 200  # the signature comes on top
_TOO_MANY = frozenset({11232, 99991400})
_BAD_OR_TOO_MANY = 9499
_ACTIVE = re.compile(r"[&<>*_~`\[\]()#\\+$|!-]")


def payload(document: MessageDocument) -> dict[str, Any]:
    """Return the message as a card, within the bytes that Feishu takes."""
    return cut(document, _message, lambda made: len(encoded(made)) <= MAX_BYTES)


def signed(made: dict[str, Any], secret: str, now_ms: int) -> dict[str, Any]:
    """Return the request with the time and the secret's word for it; here the key is what elsewhere is the message."""
    now = str(now_ms // 1000)
    word = hmac.new(f"{now}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": now, "sign": base64.b64encode(word).decode(), **made}


def judge(answer: Answer) -> Sent:
    """Read what Feishu answered: some of its refusals have status 200.

    Raises:
        SendError: it was not taken.
    """
    if not answer.is_success and answer.status not in {400, 403, 404}:
        raise refusal("Feishu", answer, "")
    code = coded(answer, "code", "StatusCode")
    if code == 0 and answer.is_success:
        return Sent()
    if code in _TOO_MANY or (code == _BAD_OR_TOO_MANY and "too many" in answer.text().lower()):
        raise TransientSendError(f"Feishu takes no more for now (code {code})", answer.retry_after_s or 1.0)
    raise PermanentSendError(f"Feishu refused: code {code}, status {answer.status}")


def _message(document: MessageDocument, missing: str) -> dict[str, Any]:
    elements: list[dict[str, Any]] = []
    for number, brief in enumerate(document.briefs):
        elements += [{"tag": "hr"}] if number else []
        elements += _brief(brief, headed=document.has_headline_of_its_own(brief))
    if missing:
        elements.append({"tag": "note", "elements": [_plain(missing)]})
    title = _plain(clipped(document.headline, MAX_HEADLINE))
    card = {
        "config": {"wide_screen_mode": True},
        "header": {"title": title, "template": "blue"},
        "elements": elements or [{"tag": "div", "text": title}],
    }
    return {"msg_type": "interactive", "card": card}


def _brief(brief: BriefDocument, *, headed: bool) -> list[dict[str, Any]]:
    elements = []
    if headed:
        elements.append(_marked(f"**{_escaped(clipped(brief.headline.text, MAX_HEADLINE))}**"))
    elements += [_marked(_section(section)) for section in brief.sections]
    buttons = [
        {"tag": "button", "text": _plain(label), "url": url, "type": "default"}
        for _, label, url in usable(brief.buttons)
    ]
    return [*elements, {"tag": "action", "actions": buttons}] if buttons else elements


def _section(section: Section) -> str:
    lines = [f"**{_escaped(clipped(section.title, MAX_HEADLINE))}**"] if section.title else []
    for line in section.lines:
        lines.append("• " + _line(line))
        lines += ["\u2003· " + _line(detail) for detail in line.detail]
    return "\n".join(lines)


def _line(line: Line) -> str:
    parts = ((_escaped(text), url) for text, url in pieces(line))
    return "".join(markdown_link(text, url) if url else text for text, url in parts)


def _escaped(text: str) -> str:
    return _ACTIVE.sub(lambda sign: f"&#{ord(sign[0])};", without_calls(text))


def _marked(text: str) -> dict[str, Any]:
    return {"tag": "div", "text": {"tag": "lark_md", "content": text}}


def _plain(text: str) -> dict[str, Any]:
    return {"tag": "plain_text", "content": text}
