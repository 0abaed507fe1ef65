"""WeCom (WeChat Work): Markdown to a group's robot."""

from typing import Any

from sinks.delivery.channels.answers import Answer, Sent, judged_by_errcode
from sinks.delivery.channels.cutting import cut
from sinks.delivery.channels.markdown import headline_of, paragraphs
from sinks.delivery.channels.rates import Window
from sinks.delivery.document import MessageDocument

WINDOWS = (Window(20, 60.0),)
MAX_BYTES = 4_096  # of the content, in UTF-8
_MINUTE_S = 60.0
_TOO_MANY = frozenset({45009, 45033})


def payload(document: MessageDocument) -> dict[str, Any]:
    """Return the message as Markdown, within the bytes that WeCom takes."""
    return cut(document, _message, lambda made: len(made["markdown"]["content"].encode()) <= MAX_BYTES)


def judge(answer: Answer) -> Sent:
    """Read what WeCom answered: its refusals have status 200 too.

    Raises:
        SendError: it was not taken.
    """
    return judged_by_errcode("WeCom", answer, _TOO_MANY, _MINUTE_S)


def _message(document: MessageDocument, missing: str) -> dict[str, Any]:
    content = "\n\n".join([f"**{headline_of(document)}**", *paragraphs(document, missing)])
    return {"msgtype": "markdown", "markdown": {"content": content}}
