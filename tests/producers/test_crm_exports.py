"""HubSpot's and Salesforce's exports, in the shapes they really have, become the directory."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from producers.crm_titles import function_of
from producers.crm_words import domain_of, industry_of, lifecycle_of, role_of, salesforce_id
from producers.directory_import import Import, read_import
from schemas.directory import Account, BuyingRole, Contact, Directory, Function, Lifecycle
from schemas.errors import InputError

FILES = Path(__file__).parent / "directory_files"
REPS = FILES / "reps.csv"
COMPANIES = FILES / "hubspot-crm-exports-all-companies.csv"
CONTACTS = FILES / "hubspot-crm-exports-all-contacts.csv"
SALESFORCE = [
    FILES / name for name in ("User.csv", "Account.csv", "Contact.csv", "Opportunity.csv", "OpportunityContactRole.csv")
]
REPORT = FILES / "report1795252440000.csv"
ACME, BOLT, COIL = "001D000000IqhSLIAZ", "0015e00000AbCdEAAV", "0015e00000aBcDeAAK"
DANA, FAY = "0035e00000DaNa1AAF", "0035e00000FaY01AAF"


def accounts(found: Import) -> dict[str, Account]:
    return {each.account_id: each for each in found.entities if isinstance(each, Account)}


def contacts(found: Import) -> dict[str, Contact]:
    return {each.contact_id: each for each in found.entities if isinstance(each, Contact)}


def faults(*paths: Path, known: Directory | None = None, default_rep: str | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_import(paths, known=known, default_rep=default_rep)
    return [re.sub(r"/\S*/", "", line) for line in str(caught.value).splitlines()]


def without(path: Path, line: str, directory: Path) -> Path:
    """Copy an export without the line that begins so."""
    kept = [each for each in path.read_text().splitlines(keepends=True) if not each.startswith(line)]
    (directory / path.name).write_text("".join(kept))
    return directory / path.name


def test_hubspots_export_becomes_accounts_and_contacts() -> None:
    found = read_import([CONTACTS, COMPANIES, REPS], default_rep="omar")
    acme, bolt, suzhou, coil, _ = accounts(found).values()
    assert acme == Account(
        account_id="9001000101", name="Acme Robotics GmbH", rep_id="rita", industry="industrial_automation",
        lifecycle=Lifecycle.opportunity, domains=("acme.example",),
    )  # fmt: skip
    assert (bolt.rep_id, bolt.lifecycle, bolt.industry) == (
        "omar", Lifecycle.qualified_lead, "logistics_and_supply_chain",
    )  # fmt: skip
    assert (suzhou.rep_id, suzhou.lifecycle, suzhou.industry) == ("li", Lifecycle.won, None)
    assert (coil.rep_id, coil.lifecycle) == ("omar", Lifecycle.lead)
    dana, info, wang, eve = contacts(found).values()
    assert dana == Contact(
        contact_id="501", account_id="9001000101", name="Dana Weiß", email="dana.weiss@acme.example",
        title="Head of Production", role=BuyingRole.decider, function=Function.department_head,
    )  # fmt: skip
    assert info.name == "info@bolt.example"
    assert (wang.account_id, wang.role, wang.function) == ("9001000103", BuyingRole.user, Function.purchasing_head)
    assert (eve.role, eve.function) == (None, None)


def test_what_is_left_out_of_an_export_is_said() -> None:
    said = "\n".join(read_import([CONTACTS, COMPANIES, REPS], default_rep="omar").notes)
    assert "contacts.csv:5: belongs to no company, and is left out" in said
    assert "contacts.csv:3: belongs to several companies" in said
    assert "'Astrologer' is no buying role" in said
    assert "companies.csv:7: 'Partner' is no stage" in said
    assert "several accounts have the domain bolt.example, so it tells none of them (and 1 more rows)" in said


def test_an_owner_who_is_no_rep_is_an_error_that_names_row_and_owner_and_says_what_to_do(tmp_path: Path) -> None:
    reps = without(REPS, "li,", tmp_path)
    (line,) = faults(COMPANIES, CONTACTS, reps, default_rep="omar")  # and no line for the account's contacts
    assert line.startswith("hubspot-crm-exports-all-companies.csv:5: company_owner: owner '李娜' is no rep")
    assert "add them to reps.csv" in line


def test_an_account_without_an_owner_is_an_error_unless_a_rep_is_named_for_it() -> None:
    (line,) = faults(COMPANIES, REPS)
    assert line.startswith("hubspot-crm-exports-all-companies.csv:6: owner: has no owner")
    assert "--default-rep" in line
    assert "'nobody' is no known rep" in faults(COMPANIES, REPS, default_rep="nobody")[0]


def test_an_owner_whose_name_two_reps_have_is_an_error(tmp_path: Path) -> None:
    reps = tmp_path / "reps.csv"
    reps.write_text(REPS.read_text() + "li2,李娜,chat:china\n")
    assert "may be any of the reps li, li2" in faults(COMPANIES, reps, default_rep="omar")[0]


def test_salesforces_data_export_becomes_accounts_and_contacts() -> None:
    found = read_import([*SALESFORCE, REPS])
    assert accounts(found) == {
        ACME: Account(
            account_id=ACME, name="Acme Robotics", rep_id="rita", industry="machinery",
            lifecycle=Lifecycle.opportunity, domains=("acme.example",),
        ),
        BOLT: Account(
            account_id=BOLT, name="Bolt Logistics", rep_id="omar", industry="transportation",
            lifecycle=Lifecycle.won, domains=("bolt.example",),
        ),
        COIL: Account(
            account_id=COIL, name="Coil & Sons", rep_id="omar", industry="not_for_profit", lifecycle=Lifecycle.lost,
        ),
    }  # fmt: skip
    assert contacts(found) == {
        DANA: Contact(
            contact_id=DANA, account_id=ACME, name="Dana Weiß", email="dana@acme.example", title="Einkaufsleiterin",
            role=BuyingRole.decider, function=Function.purchasing_head,
        ),
        FAY: Contact(
            contact_id=FAY, account_id=BOLT, name="Lind", email="fay@bolt.example", title="IT-Systemtechniker",
            role=BuyingRole.user, function=Function.technician,
        ),
    }  # fmt: skip


def test_rows_marked_as_deleted_are_deletions() -> None:
    assert read_import([*SALESFORCE, REPS]).deleted == ["account:0015e00000Gone1AAB", "contact:0035e00000GoNe1AAF"]


def test_a_report_with_its_foot_names_the_same_records_by_their_short_ids() -> None:
    found = read_import([REPORT, REPS])
    assert set(accounts(found)) == {ACME, BOLT}
    assert [(each.name, each.account_id) for each in contacts(found).values()] == [
        ("Dana Weiß", ACME), ("Kai Ott", ACME), ("Fay Lind", BOLT),
    ]  # fmt: skip
    assert DANA in contacts(found)
    assert found.kinds == {"rep", "contact"}  # a contact's row is not all there is of accounts


def as_excel_unicode(text: str) -> bytes:
    return text.replace('","', '"\t"').encode("utf-16")


def as_excel_semicolons(text: str) -> bytes:
    return b"\xef\xbb\xbf" + text.replace('","', '";"').replace("\n", "\r\n").encode()


@pytest.mark.parametrize("saved", [as_excel_unicode, as_excel_semicolons])
def test_an_export_saved_again_by_a_spreadsheet_says_the_same(saved: Callable[[str], bytes], tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_bytes(saved(REPORT.read_text()))
    assert read_import([tmp_path / "report.csv", REPS]).entities == read_import([REPORT, REPS]).entities


@pytest.mark.parametrize(
    ("path", "old", "new", "fault"),
    [
        (COMPANIES, "Record ID,", "Number,", "looks like an export of HubSpot without the column Record ID"),
        (REPORT, '"Account ID"', '"Region"', "looks like an export of Salesforce without the column Account ID"),
        (CONTACTS, "Associated Company IDs", "Fax", "HubSpot without the column Associated Company IDs"),
        (COMPANIES, "9001000101", "9.001E+09", "'9.001E+09' is no record id of HubSpot"),
        (SALESFORCE[1], f'"{ACME}"', '"001D000000IQHSLIAZ"', "has letters whose case was changed"),
        (SALESFORCE[1], f'"{ACME}"', '"001"', "which has 15 or 18 letters and digits"),
    ],
)
def test_a_spoilt_export_is_an_error(path: Path, old: str, new: str, fault: str, tmp_path: Path) -> None:
    spoilt = tmp_path / path.name
    spoilt.write_text(path.read_text().replace(old, new, 1))
    users = [SALESFORCE[0]] if path == SALESFORCE[1] else []
    assert fault in "\n".join(faults(spoilt, *users, REPS, default_rep="omar"))


def test_the_same_record_with_two_contents_is_an_error(tmp_path: Path) -> None:
    twice = tmp_path / CONTACTS.name
    lines = CONTACTS.read_text().splitlines(keepends=True)
    twice.write_text("".join([*lines, lines[1], lines[1].replace("Dana,", "Diana,", 1)]))
    (line,) = faults(twice, COMPANIES, REPS, default_rep="omar")
    assert "'501' stands already in" in line


def test_what_an_export_has_no_column_for_stays_as_the_directory_has_it() -> None:
    known = Directory()
    own = {"networks": ("203.0.113.0/24",), "owners": {Lifecycle.won: "omar"}, "lifecycle": Lifecycle.renewal}
    known.put(Account(account_id=BOLT, name="Bolt", rep_id="rita", domains=("old.example",), **own))
    known.put(Contact(contact_id=FAY, account_id=BOLT, name="Fay", role=BuyingRole.buyer))
    found = read_import([REPORT, REPS], known=known)
    bolt = accounts(found)[BOLT]
    assert (bolt.networks, bolt.owners) == (own["networks"], own["owners"])
    assert bolt.lifecycle is Lifecycle.renewal  # "customer" says less than what is known
    assert (bolt.name, bolt.rep_id, bolt.domains) == ("Bolt Logistics", "omar", ())
    assert contacts(found)[FAY].role is BuyingRole.buyer


def test_an_id_of_15_characters_gets_the_suffix_that_salesforce_gives_it() -> None:
    assert salesforce_id("001D000000IqhSL") == "001D000000IqhSLIAZ"
    assert salesforce_id("001D000000IqhSLIAZ") == "001D000000IqhSLIAZ"


@pytest.mark.parametrize(
    ("stored", "shown", "stage"),
    [
        ("subscriber", "Subscriber", Lifecycle.visitor),
        ("lead", "Lead", Lifecycle.lead),
        ("marketingqualifiedlead", "Marketing Qualified Lead", Lifecycle.qualified_lead),
        ("salesqualifiedlead", "Sales Qualified Lead", Lifecycle.qualified_lead),
        ("opportunity", "Opportunity", Lifecycle.opportunity),
        ("customer", "Customer", Lifecycle.won),
        ("evangelist", "Evangelist", Lifecycle.referral),
        ("other", "Other", None),
    ],
)
def test_hubspots_stages_mean_ours(stored: str, shown: str, stage: Lifecycle | None) -> None:
    assert lifecycle_of(stored) is lifecycle_of(shown) is stage


def test_of_several_buying_roles_the_heaviest_counts() -> None:
    every = (
        "DECISION_MAKER", "BUDGET_HOLDER", "BLOCKER", "CHAMPION", "END_USER", "EXECUTIVE_SPONSOR", "INFLUENCER",
        "LEGAL_AND_COMPLIANCE",
    )  # fmt: skip
    assert all(role_of(word) is not None for word in every)
    assert role_of(";".join(every)) is BuyingRole.decider
    assert role_of("End User;Blocker") is BuyingRole.influencer


@pytest.mark.parametrize(
    ("title", "function"),
    [
        ("CEO", Function.executive), ("Geschäftsführerin", Function.executive), ("总经理", Function.executive),
        ("CEO & Founder", Function.executive),
        ("Head of Procurement", Function.purchasing_head), ("Leiter(in) Einkauf", Function.purchasing_head),
        ("Strategischer Einkäufer", Function.purchaser), ("Einkäufer*in", Function.purchaser),
        ("采购专员", Function.purchaser),
        ("Head of Engineering", Function.technical_lead), ("Technischer Leiter", Function.technical_lead),
        ("Service Technician", Function.technician), ("Servicetechniker", Function.technician),
        ("Head of Logistics", Function.department_head), ("Produktionsleiterin", Function.department_head),
        ("Assistant to the CEO", None), ("Assistenz der Geschäftsführung", None), ("总经理助理", None),
        ("Vice President of Procurement", None), ("副总经理", None), ("CTO", None), ("Sales", None),
        ("CEO and Head of Procurement", None), ("Former CEO", None), ("Oceanographer", None), ("", None),
    ],
)  # fmt: skip
def test_a_title_tells_a_function_only_where_it_leaves_no_doubt(title: str, function: Function | None) -> None:
    assert function_of(title) is function


@pytest.mark.parametrize(
    ("website", "domain"),
    [("https://www.Acme.example/de/?x=1", "acme.example"), ("acme.example", "acme.example"), ("", ""),
     ("http://10.0.0.1/", ""), ("n/a", ""), ("müller.example", "xn--mller-kva.example"), ("http://[", "")],
)  # fmt: skip
def test_a_website_tells_its_domain(website: str, domain: str) -> None:
    assert domain_of(website) == domain


def test_both_spellings_of_an_industry_are_one() -> None:
    assert industry_of("COMPUTER_SOFTWARE") == industry_of("Computer Software") == "computer_software"
