"""What reaches a rep's outbox."""

from typing import Annotated

from pydantic import Field

from schemas.brief import Brief
from schemas.message import Id, Message, Model, UnixMs


class Released(Model):
    """A brief that has left the outbox already."""

    brief_id: Id
    account_id: Id
    at_ms: UnixMs


class RepMail(Message):
    """Briefs for one rep, or, when state is rebuilt, which briefs have left already."""

    rep_id: Id
    briefs: tuple[Brief, ...] = ()
    released: Annotated[tuple[Released, ...], Field(description="Only in a replay")] = ()
