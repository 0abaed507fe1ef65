"""What reaches a rep's outbox."""

from typing import Annotated

from pydantic import Field

from schemas.brief import Brief
from schemas.delivery import Outcome
from schemas.message import Id, Message, Model, Reader, UnixMs


class Released(Model):
    """A brief that has left the outbox already."""

    brief_id: Id
    account_id: Id
    at_ms: UnixMs
    within: Annotated[Reader, Field(description="The brief that told it, if it was merged into another")] = ""
    unopened: Annotated[Brief | None, Field(description="The brief, while its manager may have to hear of it")] = None
    escalated_to: Annotated[Reader, Field(description="The manager who heard of it, until the rep opens it")] = ""


class RepMail(Message):
    """Briefs for one rep, or, when state is rebuilt, which briefs have left already."""

    rep_id: Id
    briefs: tuple[Brief, ...] = ()
    released: Annotated[tuple[Released, ...], Field(description="Only in a replay")] = ()
    outcomes: Annotated[tuple[Outcome, ...], Field(description="Only in a replay: what the rep answered")] = ()
    forgotten: Annotated[tuple[Id, ...], Field(description="Briefs that name somebody who is forgotten")] = ()
    forgotten_accounts: tuple[Id, ...] = ()
