"""What a rep can do with a brief that comes back by a signed link."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.channel import ChannelKind
from schemas.delivery import OutcomeKind
from schemas.message import Id, Language, Model

MAX_BRIEFS = 12  # in one link; a digest's pixel names no more, so that its address stays short


class FeedbackKind(StrEnum):
    """What a link is for; a token made for one is no good for another."""

    opened = "opened"
    clicked = "clicked"
    account_page = "account_page"
    useful = "useful"
    not_useful = "not_useful"
    objection = "objection"
    snooze = "snooze"
    call_made = "call_made"
    unsubscribe = "unsubscribe"

    @property
    def outcome(self) -> OutcomeKind:
        """The outcome it makes."""
        return _OUTCOMES[self]


_OUTCOMES = {
    FeedbackKind.opened: OutcomeKind.opened,
    FeedbackKind.clicked: OutcomeKind.clicked,
    FeedbackKind.account_page: OutcomeKind.clicked,
    FeedbackKind.useful: OutcomeKind.useful,
    FeedbackKind.not_useful: OutcomeKind.not_useful,
    FeedbackKind.objection: OutcomeKind.objection,
    FeedbackKind.snooze: OutcomeKind.snoozed,
    FeedbackKind.call_made: OutcomeKind.call_made,
    FeedbackKind.unsubscribe: OutcomeKind.unsubscribed,
}
# Each needs a page with a button: a scanner that follows every link of a mail must not answer in the rep's name.
ANSWERS = (
    FeedbackKind.useful,
    FeedbackKind.not_useful,
    FeedbackKind.objection,
    FeedbackKind.snooze,
    FeedbackKind.call_made,
    FeedbackKind.unsubscribe,
)


class FeedbackRef(Model):
    """What a link is about, and to whom it was sent."""

    delivery_id: Id
    rep_id: Id
    channel: ChannelKind
    language: Language
    brief_ids: Annotated[tuple[Id, ...], Field(max_length=MAX_BRIEFS)]
    account_ids: Annotated[tuple[Id, ...], Field(max_length=MAX_BRIEFS)]


FeedbackLinks = Callable[[FeedbackKind, FeedbackRef, str, int], str]
"""Makes the link of a kind: about what, where it leads (empty: nowhere), and when it was made, in Unix milliseconds."""

MARK_HEADER = "X-Readbrief-Bounce"
"""The header of a mail to a rep that holds its mark."""

MailMarks = Callable[[str, int], str]
"""Makes the signed mark of a delivery's mail, by its id, at a moment: a report that it came back is known by it."""
