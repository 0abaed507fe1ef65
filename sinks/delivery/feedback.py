"""The links of a message that bring back what the rep does with it."""

from dataclasses import dataclass, replace
from urllib.parse import quote

from schemas.brief import Brief
from schemas.channel import ChannelKind
from schemas.delivery import Delivery
from schemas.feedback import MAX_BRIEFS, FeedbackKind, FeedbackLinks, FeedbackRef
from sinks.delivery.document import ButtonKind, Line, MessageDocument
from sinks.delivery.outside_text import web_address
from sinks.delivery.phrases import phrases_for

_LONGEST = 2_000


@dataclass(frozen=True)
class Feedback:
    """Makes a delivery's links for one channel; `account_page_url` holds `{account_id}`, or is empty."""

    links: FeedbackLinks
    delivery: Delivery
    channel: ChannelKind
    account_page_url: str = ""

    def button_url(self, brief: Brief, kind: ButtonKind) -> str | None:
        """Return where a brief's button leads, None if it is not to be shown."""
        if kind is not ButtonKind.account_page:
            return self._link(FeedbackKind(kind), (brief,))
        page = self.account_page_url.replace("{account_id}", quote(brief.account_id, safe=""))
        return self._link(FeedbackKind.account_page, (brief,), page) if page else None

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

    def _link(self, kind: FeedbackKind, briefs: tuple[Brief, ...], url: str = "") -> str:
        return self.links(kind, self._about(briefs[:MAX_BRIEFS]), url, self.delivery.leaves_ms)

    def _about(self, briefs: tuple[Brief, ...]) -> FeedbackRef:
        return FeedbackRef(
            delivery_id=self.delivery.delivery_id,
            rep_id=self.delivery.rep_id,
            channel=self.channel,
            language=phrases_for(self.delivery.newest.language).language,
            brief_ids=tuple(brief.brief_id for brief in briefs),
            account_ids=tuple(dict.fromkeys(brief.account_id for brief in briefs)),
        )
