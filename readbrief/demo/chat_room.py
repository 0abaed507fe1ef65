"""A chat room that takes what Apprise's `json://` posts, and keeps the last messages in memory."""

import re
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup, escape

_MARKDOWN = re.compile(
    r"\\(?P<literal>[^\w\s])"
    r"|\*\*(?P<bold>(?:\\.|[^*\n\\])+)\*\*"
    r"|\[(?P<text>(?:\\.|[^\]\n\\])+)\]\((?P<url>https?://[^\s()\"<>]+)\)"
    r"|(?P<bare>https?://[^\s\"<>()\[\]]+)"
    r"|^- (?=\S)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class ChatMessage:
    """One message as it came."""

    received: datetime
    title: str
    text: str

    @property
    def shown(self) -> Markup:
        """Return the text escaped, with the Markdown that chats know: bold, links, list items."""
        return chat_markup(self.text)


class ChatRoom:
    """The messages of one chat, the newest last."""

    def __init__(self, keep: int = 200) -> None:
        """Note how many messages to keep."""
        self._messages: deque[ChatMessage] = deque(maxlen=keep)
        self._lock = threading.Lock()
        self.count = 0

    def say(self, title: str, text: str) -> None:
        """Take one message."""
        with self._lock:
            self.count += 1
            self._messages.append(ChatMessage(datetime.now().astimezone(), title, text))

    def messages(self) -> tuple[ChatMessage, ...]:
        """Return the messages that are kept, the oldest first."""
        with self._lock:
            return tuple(self._messages)


def chat_markup(text: str) -> Markup:
    """Return a message as HTML: all of it escaped, and only what this page makes itself is markup."""
    html = Markup()
    end = 0
    for found in _MARKDOWN.finditer(text):
        html += escape(text[end : found.start()]) + _piece(found)
        end = found.end()
    return html + escape(text[end:])


def _piece(found: re.Match[str]) -> Markup:
    link = Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>')
    if found["literal"]:
        return escape(found["literal"])
    if found["bold"]:
        return Markup("<b>{}</b>").format(chat_markup(found["bold"]))
    if found["url"]:
        return link.format(found["url"], _link_text(found["text"]))
    if found["bare"]:
        return link.format(found["bare"], found["bare"])
    return Markup("• ")


def _link_text(text: str) -> Markup:
    """Return the text of a link as HTML: escaped, its backslashes taken off."""
    return escape(re.sub(r"\\([^\w\s])", r"\1", text))
