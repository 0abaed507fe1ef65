"""Microsoft Teams: an adaptive card to the webhook of a workflow.

Text stands in `TextRun` elements, which show it as it is; a `TextBlock` would read Markdown and dates in it.
"""

from typing import Any

from sinks.delivery.channels.answers import Answer, Sent, refusal
from sinks.delivery.channels.cutting import cut
from sinks.delivery.channels.rates import Window
from sinks.delivery.channels.texts import MAX_HEADLINE, encoded, pieces, usable
from sinks.delivery.document import BriefDocument, Line, MessageDocument
from sinks.delivery.outside_text import clipped
from sinks.delivery.send_errors import PermanentSendError, TransientSendError

WINDOWS = (Window(4, 1.0),)
MAX_BYTES = 28_000
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


def payload(document: MessageDocument) -> dict[str, Any]:
    """Return the message as an adaptive card, within the bytes that Teams takes."""
    return cut(document, _message, lambda made: len(encoded(made)) <= MAX_BYTES)


def judge(answer: Answer) -> Sent:
    """Read what a workflow's webhook answered; older webhooks report Teams' own refusal in the text of a 200.

    Raises:
        SendError: it was not taken.
    """
    if not answer.is_success:
        raise refusal("Teams", answer, "")
    text = answer.text()
    if "delivery failed" in text or "HTTP error" in text:
        if "429" in text or "HTTP error 5" in text:
            raise TransientSendError("Teams did not take it from its webhook", answer.retry_after_s)
        raise PermanentSendError("Teams refused it from its webhook")
    return Sent()


def _message(document: MessageDocument, missing: str) -> dict[str, Any]:
    headline = clipped(document.headline, MAX_HEADLINE)
    body: list[dict[str, Any]] = [_block([_run(headline, weight="Bolder", size="Large")])]
    for brief in document.briefs:
        body += _brief(brief, headed=document.has_headline_of_its_own(brief))
    if missing:
        body.append(_block([_run(missing, isSubtle=True)]))
    card = {
        "$schema": _SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "lang": document.language,
        "fallbackText": headline,
        "body": body,
        "msteams": {"width": "Full"},
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _brief(brief: BriefDocument, *, headed: bool) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if headed:
        blocks.append(_block([_run(clipped(brief.headline.text, 300), weight="Bolder")], separator=True))
    for section in brief.sections:
        if section.title:
            blocks.append(_block([_run(clipped(section.title, 200), weight="Bolder")]))
        for line in section.lines:
            blocks.append(_line("• ", line))
            blocks += [_line("\u2003· ", detail) for detail in line.detail]
    actions = [{"type": "Action.OpenUrl", "title": label, "url": url} for _, label, url in usable(brief.buttons)]
    return [*blocks, {"type": "ActionSet", "actions": actions}] if actions else blocks


def _line(mark: str, line: Line) -> dict[str, Any]:
    runs = [
        _run(text, selectAction={"type": "Action.OpenUrl", "url": url}, underline=True) if url else _run(text)
        for text, url in pieces(line)
    ]
    return _block([_run(mark), *runs], spacing="Small")


def _block(runs: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": runs, **more}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}
