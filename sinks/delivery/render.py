"""From a delivery to what a rep sees: subject, HTML, plain text and chat."""

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.delivery import Delivery
from schemas.directory import Directory
from sinks.delivery.chat_text import chat_of
from sinks.delivery.outside_text import clipped, one_line
from sinks.delivery.view import MessageView, view_of

_MAX_SUBJECT = 200
_MAX_PREVIEW = 120


@dataclass(frozen=True)
class Rendered:
    """One message in every form; `subject` is one clean line and heads the chat message too."""

    subject: str
    html: str
    text: str
    chat: str


def _environment(*, escape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("sinks.delivery"),
        autoescape=escape,  # noqa: S701 - off only for plain text, where entities would show
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.globals["line"] = one_line
    return environment


_HTML = _environment(escape=True)
_TEXT = _environment(escape=False)


def render(delivery: Delivery, directory: Directory) -> Rendered:
    """Say a delivery in its language, with the names that the directory knows now."""
    message = view_of(delivery, directory)
    return Rendered(
        subject=clipped(message.headline, _MAX_SUBJECT),
        html=_filled(_HTML, "message.html.j2", message),
        text=_filled(_TEXT, "message.txt.j2", message).strip() + "\n",
        chat=chat_of(message),
    )


def _filled(environment: Environment, template: str, message: MessageView) -> str:
    phrases = message.phrases
    return environment.get_template(template).render(
        message=message,
        language=phrases.language,
        say=phrases.say,
        quoted=phrases.quoted,
        labelled=phrases.labelled,
        preview=_preview(message),
    )


def _preview(message: MessageView) -> str:
    """Return what an inbox shows beside the subject: the next step, else why now."""
    first = message.briefs[0]
    return clipped(first.advice.next_step or first.trigger, _MAX_PREVIEW)
