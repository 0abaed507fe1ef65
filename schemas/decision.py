"""Why, and why not: what was decided about telling a rep of an account, and by which rule."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.brief import TriggerKind
from schemas.message import Id, Label, Message, Reader, UnixMs


class Verdict(StrEnum):
    """What became of the news of an account."""

    sent = "sent"
    merged = "merged"
    held = "held"
    withheld = "withheld"
    escalated = "escalated"


class Rule(StrEnum):
    """The rule that decided."""

    free = "free"
    at_once = "at_once"
    digest = "digest"
    waiting_brief = "waiting_brief"
    quiet_hours = "quiet_hours"
    daily_cap = "daily_cap"
    cooldown = "cooldown"
    snoozed = "snoozed"
    not_useful = "not_useful"
    digest_full = "digest_full"
    rep_gone = "rep_gone"
    account_gone = "account_gone"
    unopened = "unopened"
    no_manager = "no_manager"
    no_owner = "no_owner"
    unripe = "unripe"
    below_minimum = "below_minimum"
    nothing_new = "nothing_new"
    not_told = "not_told"


class Decision(Message):
    """One decision. Its id is derived from what it is about, so that the same one taken again is the same."""

    decision_id: Id
    account_id: Id
    rep_id: Annotated[Reader, Field(description="Empty if there is nobody to tell")] = ""
    brief_id: Annotated[Reader, Field(description="Empty if it was not worth a brief")] = ""
    verdict: Verdict
    rule: Rule
    trigger: Annotated[TriggerKind | None, Field(description="Why the brief was made")] = None
    at_ms: UnixMs
    until_ms: Annotated[UnixMs | None, Field(description="Of what is held: when it is looked at again")] = None
    with_brief_id: Annotated[Reader, Field(description="Of what is merged or escalated: the brief that tells it")] = ""
    subject: Annotated[Label, Field(description="Of what is withheld: the page view that it is about")] = ""
