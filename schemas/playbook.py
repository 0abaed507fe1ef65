"""Marketing's file: what to say about each topic, to whom, and when a rep is told."""

from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from schemas.brief import TriggerKind
from schemas.directory import Function, Slug, Stage
from schemas.errors import InputError
from schemas.interest import Temperature
from schemas.message import FileModel, Language, first_error

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
    expert: Annotated[str, Field(description="The colleague to bring")] = ""


class TriggerRules(FileModel):
    """When an account is worth a brief."""

    high_intent_stages: tuple[Stage, ...] = (Stage.price, Stage.contract)
    high_intent_active_s: Annotated[int, Field(ge=1)] = 10
    session_grace_s: Annotated[float, Field(gt=0, description="Quiet after a page is left that ends a session")] = 10
    session_quiet_s: Annotated[float, Field(gt=0, description="Quiet on an open page that ends a session")] = 120
    min_session_active_s: Annotated[int, Field(ge=0, description="Less reading than this is not worth a brief")] = 10
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

    cooldown_s: Annotated[float, Field(ge=0, description="Between two briefs on one account")] = 600
    max_briefs_in_digest: Annotated[int, Field(ge=1, le=50)] = 10


class Playbook(FileModel):
    """Marketing's file, whole."""

    company: str
    default_language: Language = "en"
    topics: dict[Slug, TopicPlay] = Field(default_factory=dict)
    concerns: dict[Function, tuple[Text, ...]] = Field(default_factory=dict)
    references: Annotated[dict[Slug, tuple[Text, ...]], Field(description="Reference customers per industry")] = Field(
        default_factory=dict
    )
    next_steps: dict[Temperature, Text] = Field(default_factory=dict)
    triggers: TriggerRules = TriggerRules()
    temperature: TemperatureRules = TemperatureRules()
    outbox: OutboxRules = OutboxRules()
    interest: InterestRules = InterestRules()
    committee: CommitteeRules = CommitteeRules()
    hand_over: HandOverRules = HandOverRules()

    def say(self, text: Text, language: str) -> str:
        """Return a text in a language, else in its base language, else in the playbook's default, else in any."""
        if isinstance(text, str):
            return text
        for choice in (language, language.split("-", maxsplit=1)[0], self.default_language):
            if choice in text:
                return text[choice]
        return next(iter(text.values()), "")


def load_playbook(path: Path) -> Playbook:
    """Read a playbook from its YAML file.

    Raises:
        InputError: the file is missing, is no YAML or breaks a rule; the message names file and field.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path}: can't read the playbook ({error.strerror}); set READBRIEF_PLAYBOOK to its file"
        ) from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    try:
        return Playbook.model_validate(raw)
    except ValidationError as error:
        raise InputError(f"{path}: {first_error(error)}") from error
