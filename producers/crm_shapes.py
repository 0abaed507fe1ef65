"""The tables that HubSpot and Salesforce export, told by their header. Pure.

HubSpot heads its columns with its properties' labels; Salesforce's Data Loader and Data Export Service with the
names of fields, its reports with their labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Entry = Literal["account", "contact", "owner", "deal", "part"]
Vendor = Literal["HubSpot", "Salesforce"]

_FIRST = ("first_name", "firstname")
_LAST = ("last_name", "lastname")


@dataclass(frozen=True)
class Shape:
    """One kind of exported table.

    `columns` says under which headings, the first that is there, a fact stands; `needs` are facts that make the
    shape, `without` headings that rule it out. Its rows may `also` say something of another shape.
    """

    vendor: Vendor
    entry: Entry
    columns: dict[str, tuple[str, ...]]
    needs: tuple[str, ...]
    without: tuple[str, ...] = ()
    also: "Shape | None" = None

    def told_by(self, header: set[str]) -> bool:
        """Tell whether a table with this header is of this shape."""
        found = all(header & set(self.columns[fact]) for fact in self.needs)
        return found and not header & set(self.without)


_HUBSPOT_COMPANY_IDS = (
    "associated_company_ids_(primary)",
    "primary_associated_company_id",
    "associated_company_id",
    "associated_company_ids",
)
_HUBSPOT_CONTACT = {
    "id": ("record_id", "contact_id"),
    "first": _FIRST,
    "last": _LAST,
    "email": ("email",),
    "title": ("job_title",),
    "phone": ("phone_number", "mobile_phone_number"),
    "roles": ("buying_role",),
    "primary": _HUBSPOT_COMPANY_IDS[:-1],
    "companies": _HUBSPOT_COMPANY_IDS[-1:],
    "of": _HUBSPOT_COMPANY_IDS,
    "company_name": ("associated_company_(primary)", "associated_company"),
    "mark": ("contact_owner", "lifecycle_stage", "associated_company", "associated_company_ids", "lead_status",
             "buying_role", "associated_company_ids_(primary)"),
}  # fmt: skip
_HUBSPOT_COMPANY = {
    "id": ("record_id", "company_id"),
    "name": ("company_name", "name"),
    "domain": ("company_domain_name", "website_url"),
    "owner": ("company_owner",),
    "stage": ("lifecycle_stage",),
    "industry": ("industry",),
    "mark": ("company_domain_name", "company_owner"),
}
_FIELD_ACCOUNT = {
    "id": ("id",),
    "name": ("name",),
    "domain": ("website",),
    "owner": ("ownerid", "owner.email", "owner.name"),
    "type": ("type",),
    "industry": ("industry",),
    "deleted": ("isdeleted",),
}
_FIELD_CONTACT = {
    "id": ("id",),
    "first": _FIRST,
    "last": _LAST,
    "name": ("name",),
    "email": ("email",),
    "title": ("title",),
    "phone": ("phone", "mobilephone"),
    "primary": ("accountid",),
    "deleted": ("isdeleted",),
}
_REPORT_ACCOUNT = {
    "id": ("account_id",),
    "name": ("account_name",),
    "domain": ("website",),
    "owner": ("account_owner",),
    "type": ("type", "account_type"),
    "industry": ("industry",),
}
_REPORT_CONTACT = {
    "id": ("contact_id",),
    "first": _FIRST,
    "last": _LAST,
    "name": ("full_name",),
    "email": ("email",),
    "title": ("title",),
    "phone": ("phone", "mobile"),
    "primary": ("account_id",),
    "mark": ("account_name", "account_owner", "contact_owner", "first_name", "full_name"),
}

_ACCOUNTS_REPORT = Shape("Salesforce", "account", _REPORT_ACCOUNT, ("id", "name"), ("contact_id",))
SHAPES = (
    Shape(
        "HubSpot",
        "contact",
        _HUBSPOT_CONTACT,
        ("id", "mark", "of"),
        ("account_id", "account_name", "company_owner"),
    ),
    Shape("HubSpot", "account", _HUBSPOT_COMPANY, ("id", "name", "mark"), _FIRST),
    Shape(
        "HubSpot",
        "owner",
        {"id": ("user_id", "owner_id"), "first": _FIRST, "last": _LAST, "name": ("name",), "email": ("email",)},
        ("id", "email"),
    ),
    Shape(
        "Salesforce",
        "part",
        {"contact": ("contactid",), "roles": ("role",), "of": ("opportunityid", "accountid"),
         "deleted": ("isdeleted",)},
        ("contact", "roles", "of"),
    ),
    Shape(
        "Salesforce",
        "deal",
        {"account": ("accountid",), "stage": ("stagename",), "closed": ("isclosed",), "won": ("iswon",),
         "deleted": ("isdeleted",)},
        ("account", "stage"),
    ),
    Shape(
        "Salesforce",
        "owner",
        {"id": ("id",), "first": _FIRST, "last": _LAST, "name": ("name",), "email": ("email",),
         "login": ("username",)},
        ("id", "login"),
        ("accountid",),
    ),
    Shape("Salesforce", "contact", _FIELD_CONTACT, ("id", "primary")),
    Shape("Salesforce", "account", _FIELD_ACCOUNT, ("id", "name", "owner")),
    Shape("Salesforce", "contact", _REPORT_CONTACT, ("id", "mark", "primary"), also=_ACCOUNTS_REPORT),
    _ACCOUNTS_REPORT,
)  # fmt: skip

# Exports from which a column was left out that everything hangs on: told by what else they have.
_WITHOUT_ID = (
    ({"company_domain_name", "company_owner", "contact_owner"}, {"record_id"}, "HubSpot", "Record ID"),
    (
        {"contact_owner", "lead_status", "buying_role"},
        {*_HUBSPOT_COMPANY_IDS, "account_name"},
        "HubSpot",
        "Associated Company IDs",
    ),
    ({"account_owner", "account_name"}, {"account_id"}, "Salesforce", "Account ID"),
)


def shape_of(header: Sequence[str]) -> Shape | None:
    """Return the shape of a table with this header, its headings in lower case with underscores; None if it is ours.

    Raises:
        ValueError: it is an export without the column that says which record a row is.
    """
    names = set(header)
    for shape in SHAPES:
        if shape.told_by(names):
            return shape
    for marks, ids, vendor, column in _WITHOUT_ID:
        if names & marks and not names & ids and not names & {"rep_id", "channels"}:
            raise ValueError(f"looks like an export of {vendor} without the column {column}: export it with that")
    return None
