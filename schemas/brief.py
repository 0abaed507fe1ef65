"""One message for one rep about one account."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.certainty import CERTAIN
from schemas.directory import Function, Lifecycle
from schemas.events import IdentifyMethod
from schemas.interest import Interest
from schemas.message import Id, Message, Model, Percent, Reader, UnixMs


class TriggerKind(StrEnum):
    """Why a brief was worth it; the weightiest last."""

    session_end = "session_end"
    campaign_click = "campaign_click"
    returned_after_silence = "returned_after_silence"
    temperature_up = "temperature_up"
    several_functions = "several_functions"
    high_intent = "high_intent"
    renewal_or_leaving = "renewal_or_leaving"
    form_sent = "form_sent"
    hand_over = "hand_over"


class Trigger(Model):
    """What made the brief, and the moment from which it was due."""

    kind: TriggerKind
    met_ms: Annotated[UnixMs, Field(description="When the condition was met, by the collector's clock")]
    page_view_id: Id
    url: str
    forms: Annotated[tuple[str, ...], Field(description="Of form_sent: the forms that were sent")] = ()
    campaign_id: Annotated[Reader, Field(description="Of campaign_click: what brought the reader")] = ""
    functions: Annotated[tuple[Function, ...], Field(description="Of several_functions: who has read")] = ()


class HandOverReason(StrEnum):
    """Why an account is somebody else's now."""

    ripe = "ripe"
    revived = "revived"
    lifecycle = "lifecycle"
    owner = "owner"


class HandOver(Model):
    """From whom an account comes to the one who is told, and why."""

    from_rep_id: Annotated[Reader, Field(description="Empty: from marketing, which nurtured it")] = ""
    reason: HandOverReason


class ReadSummary(Model):
    """One read, as a rep wants it: what, how far, where the reader lingered and what they passed by."""

    page_view_id: Id
    contact_id: Reader
    title: str
    url: str
    started_ms: UnixMs
    active_s: int
    depth_pct: Percent
    section: Annotated[str, Field(description="Title of the section read longest; empty if the page has none")] = ""
    section_s: int = 0
    skipped: Annotated[tuple[str, ...], Field(description="Titles of sections passed by")] = ()
    bands: Annotated[tuple[int, ...], Field(description="Active ms in each tenth of the page, top first")] = ()
    clicked: tuple[str, ...] = ()
    clicked_ids: Annotated[tuple[Id, ...], Field(description="The events of `clicked`, in its order")] = ()
    told_s: Annotated[int, Field(ge=0, description="Seconds of it that an earlier brief has told")] = 0
    weight_ms: Annotated[int, Field(ge=0, description="What it is worth: active time, corrected by how well")] = 0
    campaign_id: Annotated[Reader, Field(description="The campaign that brought the reader")] = ""
    before_known: Annotated[bool, Field(description="Read before the reader was known")] = False
    confidence: Annotated[Percent, Field(description="How sure it is that it was this reader")] = CERTAIN
    method: Annotated[IdentifyMethod | None, Field(description="How the reader was recognised")] = None
    via: Annotated[Reader, Field(description="Whose forwarded link an unknown reader followed")] = ""


class Objection(Model):
    """What a customer may say, and the answer."""

    says: str
    answer: str


class Focus(Model):
    """A topic to stress, with the reads that show it."""

    topic: str
    name: str
    page_view_ids: Annotated[tuple[Id, ...], Field(description="The weightiest first")]
    active_s: int
    readers: int


class BringReason(StrEnum):
    """Why a colleague belongs to the next talk."""

    topic_expert = "topic_expert"
    content_owner = "content_owner"
    hot_and_large = "hot_and_large"
    silent_rep = "silent_rep"


class Colleague(Model):
    """Somebody of our own company to bring, by name, or by id where the directory has them."""

    reason: BringReason
    name: str = ""
    rep_id: Reader = ""
    about: Annotated[str, Field(description="The topic's name, or the content's URL")] = ""
    path: Annotated[str, Field(description="Where the playbook says so")] = ""


class Advice(Model):
    """What to stress and what to say, taken from the playbook in the rep's language."""

    topics: Annotated[tuple[str, ...], Field(description="Names of what they care about")] = ()
    stress: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    objections: tuple[Objection, ...] = ()
    concerns: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    expert: str = ""
    next_step: str = ""
    focus: Annotated[tuple[Focus, ...], Field(description="The heaviest first")] = ()
    bring: tuple[Colleague, ...] = ()
    sources: Annotated[
        dict[str, str], Field(description="Where in the playbook each text stands, as topics.pricing.stress.0")
    ] = Field(default_factory=dict)


class CorrectionKind(StrEnum):
    """Why an earlier brief was wrong, or told less than is known now."""

    machine_click = "machine_click"
    known_now = "known_now"
    withdrawn = "withdrawn"


class Correction(Model):
    """What an earlier brief said that no longer holds, or did not say."""

    kind: CorrectionKind
    told_ms: Annotated[UnixMs, Field(description="When the earlier brief was decided")]
    page_view_ids: Annotated[tuple[Id, ...], Field(description="Reads told then that are concerned")] = ()
    urls: Annotated[tuple[str, ...], Field(description="What they were reads of")] = ()
    contact_id: Annotated[Reader, Field(description="Who the reader is known to be now")] = ""


class Brief(Message):
    """One message for one rep about one account, in the rep's language; people stand in it by id only."""

    brief_id: Id
    account_id: Id
    rep_id: Id
    language: str
    decided_ms: Annotated[UnixMs, Field(description="The logical time of the decision")]
    trigger: Trigger
    reads: Annotated[
        tuple[ReadSummary, ...],
        Field(description="In the order they were read; a hand-over's are all there are, others' what is new"),
    ]
    more_reads: Annotated[int, Field(description="Reads beyond those listed")] = 0
    told: Annotated[
        dict[str, int], Field(description="Active ms told, per page view: of those listed, and of the newest others")
    ]
    told_forms: Annotated[tuple[Id, ...], Field(description="Forms told, by what their page views and names give")] = ()
    topics: tuple[str, ...] = ()
    advice: Advice
    interest: Interest
    lifecycle: Annotated[Lifecycle | None, Field(description="The account's, when this was decided")] = None
    hand_over: HandOver | None = None
    corrects: Annotated[
        Reader, Field(description="The brief that this one puts right; empty if it is news of its own")
    ] = ""
    correction: Annotated[Correction | None, Field(description="What is put right, where `corrects` is set")] = None
    merges: Annotated[tuple[Id, ...], Field(description="Briefs that waited, and are told with this one")] = ()
    escalates: Annotated[Reader, Field(description="The brief that its rep did not open: a manager's is about it")] = ""
    escalated_from: Annotated[Reader, Field(description="The rep who did not open it")] = ""
    rep_told_ms: Annotated[UnixMs | None, Field(description="Of what is escalated: when it left for the rep")] = None
    unopened_h: Annotated[float | None, Field(ge=0, description="For how many of the rep's working hours since")] = None
