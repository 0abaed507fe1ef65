"""Marketing's file: what to say about each topic, to whom, and when a rep is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.brief import TriggerKind
from schemas.directory import Function, Slug, Stage
from schemas.errors import InputError
from schemas.interest import Temperature
from schemas.languages import fallbacks
from schemas.message import FileModel, Language
from schemas.yaml_model import Fault, Place, read_yaml, values_of

Text = str | dict[Language, str]


class ObjectionPlay(FileModel):
    """An objection that customers raise, and the answer."""

    says: Text
    answer: Text


class TopicPlay(FileModel):
    """What to do with an account that cares about one topic."""

    name: Text
    stress: tuple[Text, ...] = ()
    ask: tuple[Text, ...] = ()
    objections: tuple[ObjectionPlay, ...] = ()
    expert: Annotated[str, Field(description="The colleague to bring: one of `experts`, or a name as it is said")] = ""


class Expert(FileModel):
    """A colleague to ask and to bring."""

    name: str
    knows: Annotated[tuple[Text, ...], Field(description="What to ask them about")] = ()
    reach: Annotated[str, Field(description="How colleagues reach them")] = ""


class Product(FileModel):
    """What we sell, as everyone in the company should be able to say it."""

    name: Text
    does: Text
    suits: Annotated[tuple[Text, ...], Field(description="For whom it is")] = ()
    topics: tuple[Slug, ...] = ()


class BringRules(FileModel):
    """When the rep's manager belongs to the next talk."""

    manager_when: Annotated[Temperature | None, Field(description="With a large account this warm; null: never")] = (
        Temperature.hot
    )
    large_from_people: Annotated[int, Field(ge=1, description="So many known people of it make an account large")] = 5
    large_industries: Annotated[tuple[Slug, ...], Field(description="Industries whose accounts always are")] = ()


class TriggerRules(FileModel):
    """When an account is worth a brief."""

    high_intent_stages: tuple[Stage, ...] = (Stage.price, Stage.contract)
    high_intent_active_s: Annotated[int, Field(ge=1)] = 10
    session_grace_s: Annotated[float, Field(gt=0, description="Quiet after a page is left that ends a session")] = 10
    session_quiet_s: Annotated[float, Field(gt=0, description="Quiet on an open page that ends a session")] = 120
    min_session_active_s: Annotated[int, Field(ge=0, description="Less reading than this is not worth a brief")] = 10
    functions_at_least: Annotated[int, Field(ge=2, description="Functions of the committee that read together")] = 2
    functions_days: Annotated[float, Field(gt=0, description="Within so many days")] = 7
    campaign_window_s: Annotated[
        float, Field(gt=0, description="A read begun so long before or after a campaign's click was brought by it")
    ] = 1800
    campaign_active_s: Annotated[int, Field(ge=1, description="So much active reading shows a human behind it")] = 5
    customer_stages: Annotated[tuple[Stage, ...], Field(description="What customers read before they renew")] = (
        Stage.renewal,
    )
    leaving_topics: Annotated[tuple[Slug, ...], Field(description="Topics of customers who think of leaving")] = (
        "cancellation",
        "leaving",
    )
    leaving_urls: Annotated[tuple[str, ...], Field(description="Addresses that say so, with * for anything")] = (
        "*/cancel*",
        "*/terminat*",
        "*/offboarding*",
        "*/data-export*",
    )
    told: Annotated[tuple[TriggerKind, ...], Field(description="What is worth a brief")] = tuple(TriggerKind)


class TemperatureRules(FileModel):
    """How reads make points, and points a temperature; all points halve every half-life."""

    half_life_days: Annotated[float, Field(gt=0)] = 14
    points_per_read_minute: Annotated[float, Field(ge=0)] = 4
    points_high_intent_read: Annotated[float, Field(ge=0)] = 15
    points_returning_reader: Annotated[float, Field(ge=0)] = 5
    points_second_reader: Annotated[float, Field(ge=0)] = 10
    points_email_click: Annotated[float, Field(ge=0, description="Half where the page has no snippet")] = 2
    warm_at: Annotated[float, Field(gt=0)] = 5
    hot_at: Annotated[float, Field(gt=0)] = 30
    stay_share: Annotated[float, Field(gt=0, le=1, description="Below this share of its limit it cools")] = 0.8

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.hot_at < self.warm_at:
            raise ValueError("hot_at must not be below warm_at")
        return self


class InterestRules(FileModel):
    """How well a content was read, and what reading says of the account."""

    max_credit: Annotated[float, Field(gt=0, description="Time counts up to so many expected reading times")] = 2
    depth_share: Annotated[float, Field(ge=0, le=1, description="Share of the credit that depth decides")] = 0.5
    return_bonus: Annotated[float, Field(ge=0, description="More credit for coming back to a content")] = 0.25
    return_after_h: Annotated[float, Field(gt=0, description="A pause that makes coming back")] = 8
    silence_days: Annotated[float, Field(gt=0, description="A pause of the account that is silence")] = 30
    trend_factor: Annotated[float, Field(gt=1, description="Over the usual week: rising; under: falling")] = 1.5
    stage_share: Annotated[float, Field(gt=0, le=1, description="The furthest stage with this share counts")] = 0.2
    lifecycle_minutes: Annotated[float, Field(ge=0, description="Minutes that the lifecycle speaks for")] = 1


class CommitteeRules(FileModel):
    """Who takes part in buying."""

    functions: tuple[Function, ...] = (
        Function.executive, Function.department_head, Function.user, Function.technical_lead, Function.purchasing_head,
    )  # fmt: skip
    counts_for: Annotated[dict[Function, Function], Field(description="Who may stand for whom")] = Field(
        default_factory=lambda: {
            Function.technician: Function.technical_lead,
            Function.purchaser: Function.purchasing_head,
        }
    )


class HandOverRules(FileModel):
    """When an account goes from one to the next."""

    lead_ripe_at: Annotated[Temperature, Field(description="A lead below this stays with marketing")] = Temperature.warm
    fresh_days: Annotated[float, Field(ge=0, description="A hand-over without news needs reading this recent")] = 30


class OutboxRules(FileModel):
    """How often a rep may be disturbed."""

    cooldown_s: Annotated[float, Field(ge=0, description="Between two briefs on one account")] = 14_400
    max_briefs_in_digest: Annotated[int, Field(ge=1, le=50)] = 10
    at_once: Annotated[tuple[TriggerKind, ...], Field(description="What does not wait for the cooldown")] = (
        TriggerKind.high_intent, TriggerKind.form_sent, TriggerKind.hand_over,
    )  # fmt: skip
    must_not_wait: Annotated[
        tuple[TriggerKind, ...], Field(description="What waits for the working hours only: no cap, no snooze holds it")
    ] = (TriggerKind.form_sent,)
    snooze_days: Annotated[float, Field(gt=0, description="A snoozed account is quiet for so long")] = 7
    not_useful_days: Annotated[
        float, Field(ge=0, description="For so long after `not useful` an account's briefs wait for the morning digest")
    ] = 14
    not_useful_share: Annotated[float, Field(ge=0, le=1, description="And are worth so much of what they were")] = 0.5
    trigger_points: Annotated[
        dict[TriggerKind, float], Field(description="What ranks a digest, beside the points of the temperature")
    ] = Field(
        default_factory=lambda: {
            TriggerKind.campaign_click: 2.0,
            TriggerKind.returned_after_silence: 5.0,
            TriggerKind.temperature_up: 10.0,
            TriggerKind.several_functions: 10.0,
            TriggerKind.high_intent: 15.0,
            TriggerKind.renewal_or_leaving: 15.0,
            TriggerKind.form_sent: 40.0,
            TriggerKind.hand_over: 20.0,
        }
    )


class EscalationRules(FileModel):
    """When a manager is told of what a rep has not opened."""

    after_working_h: Annotated[
        float | None, Field(gt=0, description="So many of the rep's working hours after it was sent; null: never")
    ] = 8
    temperatures: Annotated[tuple[Temperature, ...], Field(description="Of accounts this warm")] = (Temperature.hot,)


class CorrectionRules(FileModel):
    """When a brief that turned out wrong is put right."""

    within_h: Annotated[float, Field(ge=0, description="So long after it was decided; 0: never")] = 72
    min_active_s: Annotated[int, Field(ge=1, description="Reading told of less than this is a trifle")] = 10
    settle_s: Annotated[float, Field(ge=0, description="What is known must stand for so long")] = 60


class CompanyPage(FileModel):
    """What else stands on a new colleague's page, beside what briefs are made of."""

    public: Annotated[tuple[Text, ...], Field(description="What may be said in public")] = ()
    internal: Annotated[tuple[Text, ...], Field(description="What stays with us")] = ()
    reach: Annotated[tuple[Text, ...], Field(description="How customers reach us")] = ()
    industries: Annotated[dict[Slug, Text], Field(description="Names of the industries in `references`")] = Field(
        default_factory=dict
    )


class Playbook(FileModel):
    """Marketing's file, whole."""

    company: str
    default_language: Language = "en"
    languages: Annotated[
        tuple[Language, ...],
        Field(description="What a text per language must be in; if empty, all that any text is in"),
    ] = ()
    topics: dict[Slug, TopicPlay] = Field(default_factory=dict)
    concerns: dict[Function, tuple[Text, ...]] = Field(default_factory=dict)
    references: Annotated[dict[Slug, tuple[Text, ...]], Field(description="Reference customers per industry")] = Field(
        default_factory=dict
    )
    next_steps: dict[Temperature, Text] = Field(default_factory=dict)
    next_steps_at: Annotated[
        dict[Stage, dict[Temperature, Text]], Field(description="Next steps of a stage of buying, where they differ")
    ] = Field(default_factory=dict)
    experts: dict[Slug, Expert] = Field(default_factory=dict)
    products: dict[Slug, Product] = Field(default_factory=dict)
    in_30_seconds: Annotated[
        tuple[Text, ...], Field(description="What we do, as everyone of us should be able to say it")
    ] = ()
    company_page: CompanyPage = CompanyPage()
    bring: BringRules = BringRules()
    triggers: TriggerRules = TriggerRules()
    temperature: TemperatureRules = TemperatureRules()
    outbox: OutboxRules = OutboxRules()
    interest: InterestRules = InterestRules()
    committee: CommitteeRules = CommitteeRules()
    hand_over: HandOverRules = HandOverRules()
    escalation: EscalationRules = EscalationRules()
    corrections: CorrectionRules = CorrectionRules()

    def say(self, text: Text, language: str) -> str:
        """Return a text in a language, else in its script or base language, else in the default, else in any."""
        if isinstance(text, str):
            return text
        for choice in (*fallbacks(language), self.default_language):
            if choice in text:
                return text[choice]
        return next(iter(text.values()), "")


def load_playbook(path: Path) -> Playbook:
    """Read a playbook from its YAML file.

    Raises:
        InputError: the file can't be read or is wrong; the message has one line, `file:line:column: field: what`, for
            each fault.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: can't read the playbook ({error.strerror}); set READBRIEF_PLAYBOOK to its file"
        ) from error
    playbook, faults = read_playbook(str(path), data)
    if playbook is None:
        raise InputError("\n".join(map(str, faults)))
    return playbook


def read_playbook(file: str, data: bytes) -> tuple[Playbook | None, list[Fault]]:
    """Return the playbook that a file holds, or None and all that is wrong with it."""
    return read_yaml(Playbook, file, data, _incomplete)


def _incomplete(playbook: Playbook) -> Iterator[tuple[Place, str]]:
    """Yield each text that lacks one of the playbook's languages: a rep would be told in a language not their own."""
    texts = list(values_of(Playbook, Text, playbook))
    spoken = {language for _, text in texts if isinstance(text, dict) for language in text}
    needed = sorted(set(playbook.languages) or ({playbook.default_language} | spoken))
    for place, text in texts:
        if isinstance(text, dict):
            missing = [language for language in needed if language not in text]
            if missing:
                yield place, f"no translation into {', '.join(missing)}; the other texts have it"
            yield from (((*place, language), "the text is empty") for language, said in text.items() if not said)
        elif not text:
            yield place, "the text is empty"
