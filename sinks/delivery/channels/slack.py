"""Slack: blocks, by an incoming webhook or a bot's token.

Text stands in `rich_text` and `plain_text` elements, which Slack shows as they are: no mention, link or markup comes of
them. Only a bot can edit what it has sent.
"""

from typing import Any

from sinks.delivery.channels.answers import Answer, Sent, json_of, refusal
from sinks.delivery.channels.cutting import cut
from sinks.delivery.channels.rates import Window
from sinks.delivery.channels.texts import MAX_HEADLINE, encoded, pieces, usable
from sinks.delivery.document import BriefDocument, Line, MessageDocument, Section
from sinks.delivery.outside_text import clipped
from sinks.delivery.send_errors import PermanentSendError, TransientSendError, UnknownSendError

WINDOWS = (Window(1, 1.0),)
MAX_BLOCKS = 50
MAX_CHARACTERS = 10_000  # Slack refuses messages well inside its documented limits from about 13,200 on
_RETRIED = frozenset({"ratelimited", "rate_limited", "service_unavailable", "request_timeout", "team_added_to_org"})
# Slack says of these that part of the call may have been done.
_UNSURE = frozenset({"internal_error", "fatal_error"})
UNEDITABLE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"})


def payload(document: MessageDocument) -> dict[str, Any]:
    """Return the message as blocks, within Slack's limits."""

    def fits(made: dict[str, Any]) -> bool:
        return len(made["blocks"]) <= MAX_BLOCKS and len(encoded(made).decode()) <= MAX_CHARACTERS

    return cut(document, _message, fits)


def judge(answer: Answer) -> Sent:
    """Read what a webhook answered.

    Raises:
        SendError: it was not taken, or it is not sure that it was.
    """
    if not answer.is_success:
        raise refusal("Slack", answer, answer.word())
    return Sent()


def judge_bot(answer: Answer) -> Sent:
    """Read what the Web API answered, which is 200 for refusals too; returns where the message stands.

    Raises:
        SendError: it was not taken, or it is not sure that it was.
    """
    if not answer.is_success:
        raise refusal("Slack", answer, "")
    said = json_of(answer)
    if said.get("ok") is True:
        return Sent(str(said.get("channel", "")), str(said.get("ts", "")))
    code = clipped(str(said.get("error", "unreadable answer")), 60)
    if code in _UNSURE:
        raise UnknownSendError(f"Slack answered {code}")
    if code in _RETRIED:
        raise TransientSendError(f"Slack refused: {code}", answer.retry_after_s or 1.0)
    raise PermanentSendError(f"Slack refused: {code}")


def _message(document: MessageDocument, missing: str) -> dict[str, Any]:
    headline = clipped(document.headline, MAX_HEADLINE)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(headline)}]
    for brief in document.briefs:
        elements = (
            [_section_of([_text(brief.headline.text, bold=True)])] if document.has_headline_of_its_own(brief) else []
        )
        elements += [element for section in brief.sections for element in _section(section)]
        if elements:
            blocks.append({"type": "rich_text", "elements": elements})
        blocks += _actions(brief)
    if missing:
        blocks.append({"type": "context", "elements": [_plain(missing)]})
    # What notifications show; it is read as markup, in which these three signs are all that act.
    text = headline.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": text, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _section(section: Section) -> list[dict[str, Any]]:
    elements = [_section_of([_text(section.title, bold=True)])] if section.title else []
    for line in section.lines:
        elements.append(_list([line], 0))
        if line.detail:
            elements.append(_list(list(line.detail), 1))
    return elements


def _list(lines: list[Line], indent: int) -> dict[str, Any]:
    items = [_section_of([_piece(text, url) for text, url in pieces(line)]) for line in lines]
    return {"type": "rich_text_list", "style": "bullet", "indent": indent, "elements": items}


def _piece(text: str, url: str | None) -> dict[str, Any]:
    return {"type": "link", "url": url, "text": text} if url else {"type": "text", "text": text}


def _text(text: str, *, bold: bool) -> dict[str, Any]:
    return {"type": "text", "text": clipped(text, 300), "style": {"bold": bold}}


def _section_of(elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": elements or [{"type": "text", "text": "…"}]}


def _actions(brief: BriefDocument) -> list[dict[str, Any]]:
    buttons = [
        {"type": "button", "action_id": kind, "text": _plain(label), "url": url}
        for kind, label, url in usable(brief.buttons)
    ]
    return [{"type": "actions", "elements": buttons}] if buttons else []


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": clipped(text, MAX_HEADLINE) or "…", "emoji": False}
