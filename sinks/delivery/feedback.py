"""The links of a message that bring back what the rep does with it."""

from dataclasses import dataclass, replace

from schemas.brief import Brief
from schemas.channel import ChannelKind
from schemas.delivery import Delivery
from schemas.feedback import MAX_BRIEFS, FeedbackKind, FeedbackLinks, FeedbackRef
from sinks.delivery.document import Button, ButtonKind, Line, MessageDocument
from sinks.delivery.outside_text import web_address

_LONGEST = 2_000
_LABELS = {
    "en": ("Useful", "Not useful", "Objection heard", "Snooze this account", "Call made", "Account page"),
    "de": ("Nützlich", "Nicht nützlich", "Einwand gehört", "Konto pausieren", "Angerufen", "Zum Konto"),
    "zh-Hans": ("有用", "没用", "听到异议", "暂停该客户", "已致电", "客户页面"),
    "zh-Hant": ("有用", "沒用", "聽到異議", "暫停此客戶", "已致電", "客戶頁面"),
}


@dataclass(frozen=True)
class Feedback:
    """Makes a delivery's links for one channel; `account_page_url` holds `{account_id}`, or is empty."""

    links: FeedbackLinks
    delivery: Delivery
    channel: ChannelKind
    account_page_url: str = ""

    def buttons(self, brief: Brief) -> tuple[Button, ...]:
        """Return what a rep can answer to a brief, or open."""
        labels = _LABELS[_language(brief.language)]
        made: list[Button] = []
        for kind, label in zip(ButtonKind, labels, strict=True):
            url = self._account_page(brief) if kind is ButtonKind.account_page else ""
            if kind is not ButtonKind.account_page or url:
                made.append(Button(kind, label, self._link(FeedbackKind(kind), (brief,), url)))
        return tuple(made)

    @property
    def pixel(self) -> str:
        """The address of a picture that is asked for when the message is opened."""
        return self._link(FeedbackKind.opened, self.delivery.briefs)

    @property
    def unsubscribe(self) -> str:
        """The address at which the rep ends digests by mail."""
        return self._link(FeedbackKind.unsubscribe, self.delivery.briefs)

    def followed(self, document: MessageDocument) -> MessageDocument:
        """Return the message with pages' links led by way of the collector, where they stay short enough."""
        by_id = {brief.brief_id: brief for brief in self.delivery.briefs}
        briefs = [
            replace(
                said,
                sections=tuple(
                    replace(section, lines=tuple(self._line(line, by_id.get(said.brief_id)) for line in section.lines))
                    for section in said.sections
                ),
            )
            for said in document.briefs
        ]
        return replace(document, briefs=tuple(briefs))

    def _line(self, line: Line, brief: Brief | None) -> Line:
        detail = tuple(self._line(each, brief) for each in line.detail)
        url = line.url
        # Numbers to call and addresses to write to are not pages.
        if brief is not None and url is not None and web_address(url):
            link = self._link(FeedbackKind.clicked, (brief,), url)
            url = link if len(link) <= _LONGEST else url
        return replace(line, url=url, detail=detail)

    def _account_page(self, brief: Brief) -> str:
        return self.account_page_url.replace("{account_id}", brief.account_id)

    def _link(self, kind: FeedbackKind, briefs: tuple[Brief, ...], url: str = "") -> str:
        return self.links(kind, self._about(briefs[:MAX_BRIEFS]), url, self.delivery.released_ms)

    def _about(self, briefs: tuple[Brief, ...]) -> FeedbackRef:
        return FeedbackRef(
            delivery_id=self.delivery.delivery_id,
            rep_id=self.delivery.rep_id,
            channel=self.channel,
            language=_language(briefs[-1].language),
            brief_ids=tuple(brief.brief_id for brief in briefs),
            account_ids=tuple(dict.fromkeys(brief.account_id for brief in briefs)),
        )


def _language(tag: str) -> str:
    """Return the language of the buttons: that of the tag, or English."""
    parts = tag.lower().split("-")
    if parts[0] == "zh":
        return "zh-Hant" if {"hant", "tw", "hk", "mo"} & set(parts[1:]) else "zh-Hans"
    return parts[0] if parts[0] in _LABELS else "en"
