"""What the words of HubSpot and Salesforce mean here: stages, roles, industries, websites, record ids. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

from schemas.directory import BuyingRole, Lifecycle

# By letters alone, so that "Marketing Qualified Lead", as shown, and "marketingqualifiedlead", as stored, are one.
_LIFECYCLE = {
    "subscriber": Lifecycle.visitor,
    "lead": Lifecycle.lead,
    "marketingqualifiedlead": Lifecycle.qualified_lead,
    "salesqualifiedlead": Lifecycle.qualified_lead,
    "opportunity": Lifecycle.opportunity,
    "customer": Lifecycle.won,
    "evangelist": Lifecycle.referral,
    "prospect": Lifecycle.lead,
    "customerdirect": Lifecycle.won,
    "customerchannel": Lifecycle.won,
}
_NO_LIFECYCLE = {"other", "channelpartnerreseller", "installationpartner", "technologypartner"}
AFTER_WON = {Lifecycle.delivery, Lifecycle.use, Lifecycle.renewal, Lifecycle.referral}

_ROLES = {
    "decisionmaker": BuyingRole.decider,
    "economicdecisionmaker": BuyingRole.decider,
    "economicbuyer": BuyingRole.decider,
    "budgetholder": BuyingRole.decider,
    "approver": BuyingRole.decider,
    "buyer": BuyingRole.buyer,
    "champion": BuyingRole.initiator,
    "executivesponsor": BuyingRole.influencer,
    "influencer": BuyingRole.influencer,
    "blocker": BuyingRole.influencer,
    "legalandcompliance": BuyingRole.influencer,
    "legalcompliance": BuyingRole.influencer,
    "evaluator": BuyingRole.influencer,
    "technicalbuyer": BuyingRole.influencer,
    "gatekeeper": BuyingRole.influencer,
    "enduser": BuyingRole.user,
    "businessuser": BuyingRole.user,
}
_HEAVIEST = (BuyingRole.decider, BuyingRole.buyer, BuyingRole.initiator, BuyingRole.influencer, BuyingRole.user)

_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT, _LONG = 15, 18


def letters(text: str) -> str:
    """Return a label's letters and digits in lower case."""
    return "".join(char for char in text.casefold() if char.isalnum())


def lifecycle_of(text: str) -> Lifecycle | None:
    """Return the stage that HubSpot's lifecycle stage or Salesforce's account type means; None if it means none.

    Raises:
        ValueError: the word is not one of theirs.
    """
    word = letters(text)
    if word in _NO_LIFECYCLE:
        return None
    if word not in _LIFECYCLE:
        raise ValueError(f"{text!r} is no stage that is known here")
    return _LIFECYCLE[word]


def lifecycle_of_deals(deals: Iterable[tuple[str, str, str]]) -> Lifecycle | None:
    """Return what an account's deals, each stage, closed and won as exported, make of it: won, in hand, or lost."""
    states = {_deal(*deal) for deal in deals}
    order = (Lifecycle.won, Lifecycle.opportunity, Lifecycle.lost)
    return next((state for state in order if state in states), None)


def role_of(text: str) -> BuyingRole | None:
    """Return the heaviest of the roles in a cell, `Champion;Budget Holder`; None if it names none.

    Raises:
        ValueError: a word is not one of theirs.
    """
    found = set()
    for part in filter(None, (part.strip() for part in text.split(";"))):
        if letters(part) not in _ROLES:
            raise ValueError(f"{part!r} is no buying role that is known here")
        found.add(_ROLES[letters(part)])
    return next((role for role in _HEAVIEST if role in found), None)


def industry_of(text: str) -> str:
    """Return an industry as a slug: `COMPUTER_SOFTWARE` and `Computer Software` are one; "" if nothing is left."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:64]


def domain_of(text: str) -> str:
    """Return the domain of a website, without `www.`; "" if there is none."""
    address = text.strip().lower()
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
        host = host.removeprefix("www.").rstrip(".").encode("idna").decode() if host else ""
    except ValueError:  # also what is no name by IDNA's rules
        return ""
    return host if _HOST.fullmatch(host) and not host.replace(".", "").isdigit() else ""


def is_true(text: str) -> bool:
    """Tell whether an exported flag is set: `true` from the Data Loader, `1` from the Data Export Service."""
    return text.strip().lower() in {"true", "1"}


def hubspot_id(text: str) -> str:
    """Return a HubSpot record's id.

    Raises:
        ValueError: it is no number; spreadsheets write long ones as 1.23E+10, and lose digits.
    """
    if not text.isascii() or not text.isdigit():
        raise ValueError(
            f"{text!r} is no record id of HubSpot: a spreadsheet may have changed it; use the file as exported"
        )
    return text


def salesforce_id(text: str) -> str:
    """Return the 18 characters of a Salesforce record's id, given them or the 15 that reports show.

    Raises:
        ValueError: it is neither, or its last three characters don't fit the case of the others.
    """
    if not re.fullmatch(r"[A-Za-z0-9]+", text) or len(text) not in (_SHORT, _LONG):
        raise ValueError(f"{text!r} is no record id of Salesforce, which has 15 or 18 letters and digits")
    short = text[:_SHORT]
    groups = (short[start : start + 5] for start in range(0, _SHORT, 5))
    suffix = "".join(_SUFFIX[sum(1 << i for i, char in enumerate(group) if char.isupper())] for group in groups)
    if len(text) == _LONG and text[_SHORT:].upper() != suffix:
        raise ValueError(f"{text!r} has letters whose case was changed; use the file as exported")
    return short + suffix


def _deal(stage: str, closed: str, won: str) -> Lifecycle:
    word = letters(stage)
    if is_true(won) or word == "closedwon":
        return Lifecycle.won
    return Lifecycle.lost if is_true(closed) or word == "closedlost" else Lifecycle.opportunity
