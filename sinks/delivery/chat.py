"""Chat messages to reps, over whatever service an Apprise URL names that `channels/` does not speak to itself.

Apprise judges by the HTTP status alone, which several services answer 200 with where they refuse a message: those are
in `channels/`. And it doesn't tell a refusal from an answer that came too late; it is given half a minute to come.
"""

import logging

import apprise

from schemas.settings import Settings
from sinks.delivery.chat_text import markdown
from sinks.delivery.render import Rendered
from sinks.delivery.send_errors import PermanentSendError, TransientSendError

_ANSWER_TIMEOUT_S = 30.0


def silence_url_logging() -> None:
    """Keep what Apprise and the HTTP clients log out of every log: it holds the targets' URLs, which are secrets."""
    for name in ("apprise", "urllib3", "requests", "httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False


def send_chat(settings: Settings, target: str, rendered: Rendered) -> None:
    """Send one message to a chat target of the settings.

    Raises:
        PermanentSendError: the settings have no such target, or its URL is none that Apprise knows.
        TransientSendError: the service did not take it.
    """
    service = _service(settings, target)
    title, body = rendered.subject, rendered.chat
    if service.title_maxlen <= 0:
        # Apprise would put the title into the body as Markdown, unescaped.
        title, body = "", f"**{markdown(rendered.subject)}**\n\n{rendered.chat}"
    carrier = apprise.Apprise()
    carrier.add(service)
    if not carrier.notify(title=title, body=body, body_format=apprise.NotifyFormat.MARKDOWN):
        raise TransientSendError(f"the chat service of target {target!r} did not take the message")


def _service(settings: Settings, target: str) -> apprise.NotifyBase:
    url = settings.chat_targets.get(target)
    if url is None:
        raise PermanentSendError(f"there is no chat target {target!r}: add it to READBRIEF_CHAT_TARGETS")
    silence_url_logging()
    service = apprise.Apprise.instantiate(url.get_secret_value(), suppress_exceptions=True)
    if not service:
        raise PermanentSendError(f"chat target {target!r} has no URL that Apprise understands")
    if service.socket_read_timeout == type(service).socket_read_timeout:
        service.socket_read_timeout = _ANSWER_TIMEOUT_S
    return service
