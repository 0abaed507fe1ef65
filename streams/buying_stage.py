"""How far is the account in buying? By the stages of what it read, and by its stage in the lifecycle."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from schemas.directory import Lifecycle, Stage
from schemas.playbook import InterestRules
from streams.weighing import MINUTE_MS, Weighed

STAGES = tuple(Stage)
CUSTOMER = frozenset((Lifecycle.won, Lifecycle.delivery, Lifecycle.use, Lifecycle.renewal, Lifecycle.referral))
AFTER_BUYING = frozenset((Stage.onboarding, Stage.renewal))
STAGE_OF = {
    Lifecycle.visitor: Stage.problem,
    Lifecycle.lead: Stage.problem,
    Lifecycle.lost: Stage.problem,
    Lifecycle.qualified_lead: Stage.solution,
    Lifecycle.opportunity: Stage.comparison,
    Lifecycle.won: Stage.contract,
    Lifecycle.delivery: Stage.onboarding,
    Lifecycle.use: Stage.onboarding,
    Lifecycle.renewal: Stage.renewal,
    Lifecycle.referral: Stage.renewal,
}


def weight_by_stage(weighed: Sequence[Weighed]) -> dict[Stage, int]:
    """Return the milliseconds of weight read for each stage, in the order of buying."""
    weights: dict[Stage, int] = defaultdict(int)
    for one in weighed:
        if one.content and one.content.stage:
            weights[one.content.stage] += one.weight_ms
    return {stage: weights[stage] for stage in STAGES if stage in weights}


def buying_stage_of(read: Mapping[Stage, int], lifecycle: Lifecycle | None, rules: InterestRules) -> Stage | None:
    """Return the furthest stage that has at least `stage_share` of what was read; None if nothing tells.

    The lifecycle speaks like `lifecycle_minutes` of reading for the stage that belongs to it. Who has not bought yet
    is not in a stage after buying, whatever they read.
    """
    weights = dict(read)
    if lifecycle is not None:
        own = STAGE_OF[lifecycle]
        weights[own] = weights.get(own, 0) + round(rules.lifecycle_minutes * MINUTE_MS)
    if lifecycle not in CUSTOMER:
        weights = {stage: ms for stage, ms in weights.items() if stage not in AFTER_BUYING}
    total_ms = sum(weights.values())
    reached = [
        stage for stage in STAGES if weights.get(stage, 0) > 0 and weights[stage] >= rules.stage_share * total_ms
    ]
    return reached[-1] if reached else None
