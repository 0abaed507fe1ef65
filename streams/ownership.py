"""Who is told of an account? That follows its lifecycle: marketing's nurture, the rep, customer success.

    visitor, lead      unripe: marketing, and nobody is told      ripe (warm enough): the rep
    qualified_lead,
    opportunity        the rep
    won ... referral   customer success: the owner of that stage, or of another one of these
    lost               back to marketing: the owner of `lost` or `lead`, or nobody; high-intent reading: the rep again

Where an account has no owner for a stage, or one that the directory does not know, its `rep_id` looks after it.
"""

from typing import NamedTuple

from schemas.activity import Told
from schemas.brief import HandOver, HandOverReason
from schemas.directory import Account, Directory, Lifecycle, Rep
from schemas.interest import TEMPERATURES, Temperature
from schemas.playbook import HandOverRules

LEADS = (Lifecycle.visitor, Lifecycle.lead)
NURTURED = (Lifecycle.lost, Lifecycle.lead)
CUSTOMERS = (Lifecycle.won, Lifecycle.delivery, Lifecycle.use, Lifecycle.renewal, Lifecycle.referral)


class Signs(NamedTuple):
    """What decides whether a lead is ripe, or a lost deal alive: the temperature, and untold high-intent reading."""

    temperature: Temperature
    high_intent: bool


def told_of(
    account: Account, signs: Signs, last: Told | None, directory: Directory, rules: HandOverRules
) -> Rep | None:
    """Return the rep who is told of an account now, or None while it stays with marketing, or has no rep at all.

    `last` is the newest brief on the account: who has taken a lost deal up again keeps it while it is not cold.
    """
    lifecycle = account.lifecycle
    if lifecycle in LEADS:
        ripe = TEMPERATURES.index(signs.temperature) >= TEMPERATURES.index(rules.lead_ripe_at)
        return _first(account, (lifecycle,), directory) if ripe else None
    if lifecycle is Lifecycle.lost:
        sales = _first(account, (Lifecycle.opportunity,), directory)
        taken_up = sales and last and last.lifecycle is lifecycle and last.rep_id == sales.rep_id
        if signs.high_intent or (taken_up and signs.temperature is not Temperature.cold):
            return sales
        nurse = next((account.owners[stage] for stage in NURTURED if stage in account.owners), "")
        return directory.reps.get(nurse)
    if lifecycle in CUSTOMERS:
        return _first(account, (lifecycle, *CUSTOMERS), directory)
    return _first(account, (lifecycle,), directory)


def is_unripe(account: Account, signs: Signs, rules: HandOverRules) -> bool:
    """Tell whether an account of whom nobody is told is marketing's, and does not merely lack an owner."""
    if account.lifecycle in LEADS:
        return TEMPERATURES.index(signs.temperature) < TEMPERATURES.index(rules.lead_ripe_at)
    return account.lifecycle is Lifecycle.lost and not signs.high_intent


def hand_over_to(rep: Rep, account: Account, last: Told | None, nurtured_ms: int) -> HandOver | None:
    """Return from whom the account comes to the rep who is told now, None if it was theirs all along.

    `last` is the newest brief on the account, `nurtured_ms` when reading that nobody was told was marketing's.
    """
    if account.lifecycle in LEADS and last is None:
        return HandOver(reason=HandOverReason.ripe)
    if account.lifecycle is Lifecycle.lost and _is_sales(rep, account):
        return _revival(rep, last)
    if last is None or (nurtured_ms > last.decided_ms and account.lifecycle not in LEADS):
        return HandOver(reason=HandOverReason.lifecycle) if nurtured_ms else None
    if last.rep_id == rep.rep_id:
        return None
    changed = last.lifecycle not in {None, account.lifecycle}
    reason = HandOverReason.lifecycle if changed else HandOverReason.owner
    return HandOver(from_rep_id=last.rep_id, reason=reason)


def _revival(rep: Rep, last: Told | None) -> HandOver | None:
    """Return how a lost deal comes back to sales, None if it has already."""
    if last is None or last.lifecycle is not Lifecycle.lost:
        return HandOver(reason=HandOverReason.revived)
    if last.rep_id == rep.rep_id:
        return None
    return HandOver(from_rep_id=last.rep_id, reason=HandOverReason.revived)


def _is_sales(rep: Rep, account: Account) -> bool:
    return rep.rep_id not in {account.owners.get(stage) for stage in NURTURED}


def _first(account: Account, stages: tuple[Lifecycle, ...], directory: Directory) -> Rep | None:
    """Return the first owner of the stages whom the directory knows, else the account's rep."""
    candidates = (*(account.owners[stage] for stage in stages if stage in account.owners), account.rep_id)
    return next((directory.reps[rep_id] for rep_id in candidates if rep_id in directory.reps), None)
