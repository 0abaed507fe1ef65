"""From a delivery to what a rep sees: subject, HTML with its pictures, plain text and chat."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from schemas.delivery import Delivery
from schemas.directory import Directory
from sinks.delivery.chat_text import chat_of
from sinks.delivery.document import BriefDocument, Line, MessageDocument, SectionKind
from sinks.delivery.layout import ButtonUrl, document_of, no_buttons
from sinks.delivery.outside_text import clipped, one_line, web_address
from sinks.delivery.phrases import phrases_for
from sinks.delivery.picture import HEIGHT, WIDTH, Picture, busiest_part, picture_of
from sinks.templating import environment

_MAX_SUBJECT = 200
_MAX_PREVIEW = 120


@dataclass(frozen=True)
class Rendered:
    """One message in every form; `subject` is one clean line and heads the chat message too."""

    subject: str
    html: str
    text: str
    chat: str
    document: MessageDocument
    pictures: tuple[Picture, ...] = ()


def _environment(*, escape: bool) -> Environment:
    made = environment("sinks.delivery", escape=escape, keep_trailing_newline=True)
    made.filters["oneline"] = one_line
    made.globals |= {"linked": _linked, "picture": picture_of, "size": (WIDTH, HEIGHT)}
    return made


def _linked(line: Line) -> Markup:
    """Return a line's text after its lead as HTML, with its link in it."""
    text, url = one_line(line.text[len(line.lead) :]), web_address(line.url) if line.url else None
    if url is None and line.tel:
        url = f"tel:{line.tel}"
    before, title, after = text.partition(one_line(line.link_text)) if url and line.link_text else (text, "", "")
    # A number that is broken over two lines is misread.
    whole = ";white-space:nowrap" if line.tel else ""
    link = Markup('<a class="link" href="{}" style="color:#1d4ed8;text-decoration:none;font-weight:600{}">{}</a>')
    middle = link.format(url, whole, title) if title else Markup()
    return Markup("{}{}{}").format(before, middle, after)


_HTML = _environment(escape=True)
_TEXT = _environment(escape=False)


def render(
    delivery: Delivery,
    directory: Directory,
    buttons: ButtonUrl = no_buttons,
    followed: Callable[[MessageDocument], MessageDocument] = lambda document: document,
) -> Rendered:
    """Say a delivery in its language, with the names that the directory knows now.

    `followed` leads the pages' links in HTML by another way; text and chat show addresses, and keep them short.
    """
    document = document_of(delivery, directory, buttons)
    facts = _facts(delivery, document)
    return Rendered(
        subject=clipped(document.headline, _MAX_SUBJECT),
        html=_HTML.get_template("message.html.j2").render(facts | {"message": followed(document)}),
        text=_TEXT.get_template("message.txt.j2").render(facts).strip() + "\n",
        chat=chat_of(document),
        document=document,
        pictures=_pictures(document),
    )


def _facts(delivery: Delivery, document: MessageDocument) -> dict[str, Any]:
    phrases = phrases_for(delivery.newest.language)

    def bands_said(bands: tuple[int, ...]) -> str:
        begin, end = busiest_part(bands)
        return phrases.say("read.bands", begin=phrases.percent(begin), end=phrases.percent(end))

    return {
        "message": document,
        "pills": [
            (str(brief.interest.temperature), phrases.say(f"temperature.{brief.interest.temperature}"))
            for brief in delivery.briefs
        ],
        "bands_said": bands_said,
        "labelled": phrases.labelled,
        "preview": _preview(document.brief(delivery.newest.brief_id)),
    }


def _preview(brief: BriefDocument) -> str:
    """Return what an inbox shows beside the subject: the next step, else why now."""
    first = {section.kind: section.lines[0].text for section in brief.sections}
    return clipped(first.get(SectionKind.next_step) or first.get(SectionKind.why_now, ""), _MAX_PREVIEW)


def _pictures(document: MessageDocument) -> tuple[Picture, ...]:
    shown = {
        line.bands: picture_of(line.bands)
        for brief in document.briefs
        for section in brief.sections
        for line in section.lines
        if any(line.bands)
    }
    return tuple(shown.values())
