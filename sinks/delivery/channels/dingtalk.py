"""DingTalk: an action card, or Markdown for a digest, to a group's robot; signed, if the robot has a secret."""

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import quote

from sinks.delivery.channels.answers import Answer, Sent, judged_by_errcode
from sinks.delivery.channels.cutting import cut
from sinks.delivery.channels.markdown import headline_of, paragraphs
from sinks.delivery.channels.rates import Window
from sinks.delivery.channels.texts import encoded, usable
from sinks.delivery.document import MessageDocument

WINDOWS = (Window(20, 60.0),)
MAX_BYTES = 20_000
BLOCKED_S = 600.0  # who sends more than 20 in a minute is not heard for ten
_TOO_MANY = frozenset({130101, 410100})


def payload(document: MessageDocument) -> dict[str, Any]:
    """Return the message, within the bytes that DingTalk takes."""
    return cut(document, _message, lambda made: len(encoded(made)) <= MAX_BYTES)


def signature(secret: str, now_ms: int) -> str:
    """Return what is added to the address: the time, and the secret's word for it."""
    signed = hmac.new(secret.encode(), f"{now_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return f"timestamp={now_ms}&sign={quote(base64.b64encode(signed).decode(), safe='')}"


def judge(answer: Answer) -> Sent:
    """Read what DingTalk answered: its refusals have status 200 too.

    Raises:
        SendError: it was not taken.
    """
    return judged_by_errcode("DingTalk", answer, _TOO_MANY, BLOCKED_S)


def _message(document: MessageDocument, missing: str) -> dict[str, Any]:
    title = headline_of(document)
    buttons = usable(document.briefs[0].buttons) if len(document.briefs) == 1 else []
    text = "\n\n".join([f"### {title}", *paragraphs(document, missing, with_buttons=not buttons)])
    if not buttons:
        return {"msgtype": "markdown", "markdown": {"title": title, "text": text}, "at": {"isAtAll": False}}
    made = [{"title": label, "actionURL": url} for _, label, url in buttons]
    return {
        "msgtype": "actionCard",
        "actionCard": {"title": title, "text": text, "btnOrientation": "1", "btns": made},
    }
