"""Every message by name, for the exported JSON Schemas and the stored samples."""

from typing import Any

from pydantic import TypeAdapter

from schemas.activity import Activity, Identified
from schemas.brief import Brief
from schemas.dead_letter import DeadLetter
from schemas.decision import Decision
from schemas.delivery import Delivery, Outcome
from schemas.directory import Account, Contact, Content, OptOut, Rep
from schemas.emails import Mailing, Revocation
from schemas.envelope import Bundle, Envelope, Report
from schemas.events import (
    Click,
    Copy,
    Custom,
    EmailBounce,
    EmailClick,
    EmailComplaint,
    EmailDelivered,
    EmailOpen,
    EmailUnsubscribe,
    FormSubmit,
    Identify,
    PagePing,
    PageProgress,
    PageView,
    Withdraw,
)
from schemas.interest import Interest
from schemas.playbook import Playbook
from schemas.reads import Read
from schemas.rep_mail import RepMail
from schemas.settings import Settings

_MODELS = (
    PageView, PageProgress, PagePing, Click, Copy, FormSubmit, Custom, EmailDelivered, EmailOpen, EmailClick,
    EmailBounce, EmailComplaint, EmailUnsubscribe, Identify, Withdraw, Report, Envelope, Bundle, Identified, Activity,
    Read, Mailing, Interest, Brief, RepMail, Delivery, Outcome, Decision, DeadLetter, Revocation, Account, Contact, Rep,
    Content, OptOut, Playbook, Settings,
)  # fmt: skip

CATALOGUE: dict[str, TypeAdapter[Any]] = {model.__name__: TypeAdapter(model) for model in _MODELS}


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema (2020-12) of every message by its name."""
    return {name: adapter.json_schema(mode="validation") for name, adapter in CATALOGUE.items()}
